/// What `curl -v` prints of a request, found among everything else that it prints: its own remarks, the progress meter, the
/// answer and its body.
///
/// A request is a run of lines that begin with `>`, from a request line to an empty one. Where there are several, after a
/// redirect or with several URLs, the last that is complete is meant: what was answered in the end.
struct CurlTrace {
    /// The lines of the request's head, without `> `.
    let head: [[UInt8]]
    /// How many requests the text holds.
    let count: Int

    /// Nil where the text holds no such run, or begins with a request itself.
    init?(_ text: [UInt8]) {
        var runs: [(lines: [[UInt8]], isComplete: Bool)] = []
        var isOpen = false
        for (number, line) in text.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
            let line = line.last == 0x0d ? line.dropLast() : line
            if number == 0, Self.isRequestLine(line) { return nil }
            guard let sent = Self.sent(line) else {
                isOpen = false
                continue
            }
            if Self.isRequestLine(sent) {
                runs.append(([Array(sent)], false))
                isOpen = true
            } else if isOpen, sent.isEmpty {
                runs[runs.count - 1].isComplete = true
                isOpen = false
            } else if isOpen {
                runs[runs.count - 1].lines.append(Array(sent))
            }
        }
        guard let meant = runs.last(where: \.isComplete) ?? runs.last else { return nil }
        head = meant.lines
        count = runs.count
    }

    /// What stands behind `> `; nil where the line is another. The progress meter ends without a line end.
    private static func sent(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let mark = line.firstIndex(of: UInt8(ascii: ">")) else { return nil }
        let meter = line[..<mark]
        guard meter.isEmpty || meter.contains(UInt8(ascii: ":")), meter.allSatisfy(meterBytes.contains) else {
            return nil
        }
        let sent = line[(mark + 1)...]
        guard let first = sent.first else { return sent }
        return first == 0x20 ? sent.dropFirst() : nil
    }

    private static let meterBytes = Set("\r 0123456789:.-kMGTP".utf8)

    /// `GET /path HTTP/1.1`
    private static func isRequestLine(_ line: ArraySlice<UInt8>) -> Bool {
        let words = line.split(separator: 0x20, omittingEmptySubsequences: false)
        return words.count == 3 && words[2].starts(with: "HTTP/".utf8)
    }
}
