import HTTP1
import WireFormats

/// A curl command line, read as curl reads it, as far as it says what is sent: method, URL, headers and data. Nothing is
/// run, and no file is read.
struct CurlCommand {
    private var method: String?
    private var url: String?
    private var fields: [(name: String, value: String)] = []
    private var data: [String] = []
    private var hasUpload = false
    private var isHead = false
    private var dataInQuery = false
    private var assumptions: [String] = []

    init(_ text: String) throws(CaptureFailure) {
        var words = try ShellWords.split(text)[...]
        guard words.popFirst() != nil else { throw CaptureFailure("there is no command") }
        while let word = words.popFirst() {
            if word.hasPrefix("--") {
                try long(word, &words)
            } else if word.hasPrefix("-"), word.count > 1 {
                try short(word, &words)
            } else {
                guard url == nil else { throw CaptureFailure("the command line has two URLs") }
                url = word
            }
        }
    }

    private mutating func long(_ word: String, _ words: inout ArraySlice<String>) throws(CaptureFailure) {
        let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
        let name = parts[0]
        func value() throws(CaptureFailure) -> String {
            if parts.count > 1 { return parts[1] }
            guard let next = words.popFirst() else { throw CaptureFailure("\(name) has no value") }
            return next
        }
        switch name {
        case "--request": method = try value()
        case "--url": url = try value()
        case "--header": try header(value())
        case "--data", "--data-ascii", "--data-raw", "--data-binary": try body(value(), reads: name != "--data-raw")
        case "--upload-file":
            _ = try value()
            hasUpload = true
        case "--head": isHead = true
        case "--get": dataInQuery = true
        case "--range": fields.append(("range", "bytes=" + (try value())))
        case "--user-agent": fields.append(("user-agent", try value()))
        case "--compressed", "--insecure", "--location", "--silent", "--verbose", "--fail", "--include", "--globoff",
            "--show-error", "--path-as-is", "--http1.1", "--no-progress-meter":
            break
        case "--output", "--max-time", "--connect-timeout", "--resolve", "--connect-to", "--cacert", "--retry":
            _ = try value()
        default: throw CaptureFailure("\(name) is not understood: give the request as raw HTTP (curl -v shows it)")
        }
    }

    private mutating func short(_ word: String, _ words: inout ArraySlice<String>) throws(CaptureFailure) {
        var letters = word.dropFirst()
        while let letter = letters.popFirst() {
            func value() throws(CaptureFailure) -> String {
                guard letters.isEmpty else {
                    defer { letters = "" }
                    return String(letters)
                }
                guard let next = words.popFirst() else { throw CaptureFailure("-\(letter) has no value") }
                return next
            }
            switch letter {
            case "X": method = try value()
            case "H": try header(value())
            case "d": try body(value(), reads: true)
            case "T":
                _ = try value()
                hasUpload = true
            case "I": isHead = true
            case "G": dataInQuery = true
            case "r": fields.append(("range", "bytes=" + (try value())))
            case "A": fields.append(("user-agent", try value()))
            case "k", "L", "s", "S", "v", "f", "i", "g", "O", "#": break
            case "o", "m": _ = try value()
            default:
                throw CaptureFailure("-\(letter) is not understood: give the request as raw HTTP (curl -v shows it)")
            }
        }
    }

    private mutating func header(_ text: String) throws(CaptureFailure) {
        guard let colon = text.firstIndex(where: { $0 == ":" || $0 == ";" }) else {
            throw CaptureFailure("a header without a colon")
        }
        let value = text[text.index(after: colon)...].drop { $0 == " " }
        // `Name:` takes one away that curl would send; `Name;` sends an empty one.
        guard !value.isEmpty || text[colon] == ";" else { return }
        fields.append((text[..<colon].lowercased(), String(value)))
    }

    private mutating func body(_ text: String, reads: Bool) throws(CaptureFailure) {
        guard !reads || !text.hasPrefix("@") else {
            assumptions.append("the file of the request's data is not read: its hash is not checked")
            hasUpload = true
            if method == nil { method = "POST" }
            return
        }
        data.append(text)
    }

    /// The request that curl would send, but for what it says of itself.
    func request(_ limits: HeadLimits) throws(CaptureFailure) -> CapturedRequest {
        guard var address = url else { throw CaptureFailure("the command line has no URL") }
        if !address.contains("://") { address = "http://" + address }
        var body = data.isEmpty ? nil : data.joined(separator: "&")
        if dataInQuery, let query = body {
            address += (address.contains("?") ? "&" : "?") + query
            body = nil
        }
        let target = try CapturedURL(address)
        let verb = method ?? (isHead ? "HEAD" : body != nil ? "POST" : hasUpload ? "PUT" : "GET")
        guard !verb.isEmpty, verb.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw CaptureFailure("the method is none")
        }
        var assumptions = assumptions
        var lines = "\(verb) \(target.path) HTTP/1.1\r\n"
        let names = Set(fields.map(\.name))
        if !names.contains("host") { lines += "host: \(target.authority)\r\n" }
        for (name, value) in fields {
            guard !(name + value).utf8.contains(where: { $0 == 0x0d || $0 == 0x0a }) else {
                throw CaptureFailure("a header with a line break")
            }
            lines += "\(name): \(value)\r\n"
        }
        if let body {
            if !names.contains("content-length"), !names.contains("transfer-encoding") {
                lines += "content-length: \(body.utf8.count)\r\n"
            }
            if !names.contains("content-type") { lines += "content-type: application/x-www-form-urlencoded\r\n" }
        } else if hasUpload, !names.contains("content-length"), !names.contains("transfer-encoding") {
            lines += "transfer-encoding: chunked\r\n"
            assumptions.append("the file that is sent is not read: its length and its hash are not known")
        }
        return try CapturedRequest(
            message: Array((lines + "\r\n" + (body ?? "")).utf8),
            isSecure: target.isSecure,
            limits,
            assuming: assumptions
        )
    }
}

/// The words of a command line of a POSIX shell, without expanding anything (Shell Command Language, section 2.2).
enum ShellWords {
    static func split(_ text: String) throws(CaptureFailure) -> [String] {
        var words: [String] = []
        var word: String?
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case " ", "\t", "\n", "\r":
                if let complete = word { words.append(complete) }
                word = nil
            case "'":
                word = (word ?? "") + (try quoted(&rest, by: "'"))
            case "\"":
                word = (word ?? "") + (try quoted(&rest, by: "\""))
            case "$" where rest.first == "'":
                rest.removeFirst()
                word = (word ?? "") + (try quoted(&rest, by: "'", withEscapes: .yes))
            case "\\":
                guard let next = rest.popFirst() else { continue }
                // A line that goes on.
                if next == "\n" { continue }
                if next == "\r", rest.first == "\n" {
                    rest.removeFirst()
                    continue
                }
                word = (word ?? "") + String(next)
            default:
                word = (word ?? "") + String(scalar)
            }
        }
        if let complete = word { words.append(complete) }
        return words
    }

    private enum Escapes { case yes, no }

    private static func quoted(
        _ rest: inout Substring.UnicodeScalarView,
        by mark: Unicode.Scalar,
        withEscapes escapes: Escapes = .no
    ) throws(CaptureFailure) -> String {
        var text = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            if scalar == mark { return String(text) }
            guard scalar == "\\", mark == "\"" || escapes == .yes, let next = rest.popFirst() else {
                text.append(scalar)
                continue
            }
            switch (next, escapes) {
            case ("n", .yes): text.append("\n")
            case ("r", .yes): text.append("\r")
            case ("t", .yes): text.append("\t")
            case ("'", .yes), ("\\", _), ("\"", _), ("$", .no), ("`", .no): text.append(next)
            case ("\n", .no): break
            default:
                text.append("\\")
                text.append(next)
            }
        }
        throw CaptureFailure("a quote in the command line is not closed")
    }
}
