package import HTTP1
import NIOCore
import WireFormats

/// A request as somebody captured it: the text of an HTTP request, a curl command, or a URL. What the text leaves open is
/// filled in as a client would, and said in ``assumptions``.
package struct CapturedRequest: Sendable {
    package let head: RequestHead
    /// Nil where none was captured.
    package let body: [UInt8]?
    /// The scheme of a URL; nil: the text does not say.
    package let isSecure: Bool?
    /// In words, for whoever asked.
    package let assumptions: [String]

    /// Reads a text of any of the three kinds.
    package init(parsing text: [UInt8], limits: HeadLimits = HeadLimits()) throws(CaptureFailure) {
        var start = text[...]
        while let first = start.first, first <= 0x20 { start = start.dropFirst() }
        guard !start.isEmpty else { throw CaptureFailure("there is nothing to explain") }
        if Self.begins(start, with: "curl ") || Self.begins(start, with: "curl\t") {
            guard let words = String(validating: start, as: UTF8.self) else {
                throw CaptureFailure("the command line is not UTF-8")
            }
            self = try CurlCommand(words).request(limits)
        } else if Self.begins(start, with: "http://") || Self.begins(start, with: "https://") {
            var line = start
            while let last = line.last, last <= 0x20 { line = line.dropLast() }
            guard let url = String(validating: line, as: UTF8.self) else {
                throw CaptureFailure("the URL is not UTF-8")
            }
            self = try Self.get(url, limits)
        } else {
            try self.init(message: Array(start), isSecure: nil, limits, assuming: [])
        }
    }

    private static func get(_ url: String, _ limits: HeadLimits) throws(CaptureFailure) -> CapturedRequest {
        let target = try CapturedURL(url)
        let message = "GET \(target.path) HTTP/1.1\r\nhost: \(target.authority)\r\n\r\n"
        return try CapturedRequest(
            message: Array(message.utf8),
            isSecure: target.isSecure,
            limits,
            assuming: ["a URL alone is taken as a GET without further headers"]
        )
    }

    private static func begins(_ text: ArraySlice<UInt8>, with start: String) -> Bool {
        text.prefix(start.utf8.count).map(lowered).elementsEqual(start.utf8)
    }

    /// Reads an HTTP/1.1 message, by the parser that serves. Lines may end in LF alone, as they do in what was copied
    /// from a terminal, and the message may be one that curl -v shows.
    init(
        message: [UInt8],
        isSecure: Bool?,
        _ limits: HeadLimits,
        assuming assumptions: [String]
    ) throws(CaptureFailure) {
        var (head, body, assumptions) = (Self.head(of: message), Self.body(of: message), assumptions)
        if let trace = CurlTrace(message) {
            (head, body) = (trace.head, nil)
            if trace.count > 1 {
                assumptions.append("of the \(trace.count) requests that curl shows the last complete one is meant")
            }
        }
        if let line = head.first, line.split(separator: 0x20).count == 3, line.suffix(7).elsEqual(" HTTP/2") {
            head[0] = Array(line.dropLast(6) + Array("HTTP/1.1".utf8))
            assumptions.append("the request line of HTTP/2 is read as one of HTTP/1.1")
        }
        // The framing is that of the capture: what is there is the body.
        var buffer = ByteBuffer()
        for line in head { buffer.writeBytes(line + [0x0d, 0x0a]) }
        buffer.writeBytes([0x0d, 0x0a])
        var parser = RequestParser(limits: limits)
        switch parser.parse(&buffer) {
        case .head(let parsed): self.head = parsed
        case .refused(let refusal):
            throw CaptureFailure("this is no request that would be read: \(refusal.reason)")
        case .needMore: throw CaptureFailure("the head of the request is not complete")
        }
        if case .length(let length) = self.head.framing, let captured = body, Int64(captured.count) != length {
            if Int64(captured.count) == length + 1, captured.last == 0x0a {
                body = Array(captured.dropLast())
            } else {
                assumptions.append(
                    "Content-Length is \(length), but \(captured.count) bytes were captured: the body is left out"
                )
                body = nil
            }
        }
        if case .chunked = self.head.framing, body != nil {
            assumptions.append("a body in chunks is left out")
            body = nil
        }
        if self.head.framing.isEmpty { body = nil }
        self.body = body
        self.isSecure = isSecure
        self.assumptions = assumptions
    }

    /// The lines before the first empty one.
    private static func head(of message: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for line in message.split(separator: 0x0a, omittingEmptySubsequences: false) {
            let bare = line.last == 0x0d ? line.dropLast() : line
            if bare.isEmpty { break }
            lines.append(Array(bare))
        }
        return lines
    }

    /// What follows the first empty line; nil where nothing does.
    private static func body(of message: [UInt8]) -> [UInt8]? {
        var lineStart = 0
        for index in message.indices where message[index] == 0x0a {
            let line = message[lineStart..<index]
            if line.isEmpty || line.elementsEqual([0x0d]) {
                let rest = message[(index + 1)...]
                return rest.isEmpty ? nil : Array(rest)
            }
            lineStart = index + 1
        }
        return nil
    }
}

extension ArraySlice<UInt8> {
    fileprivate func elsEqual(_ text: String) -> Bool { elementsEqual(text.utf8) }
}

/// Why a text could not be read as a request.
package struct CaptureFailure: Error, Hashable, Sendable {
    package let message: String

    init(_ message: String) { self.message = message }
}

/// The parts of a URL that a request is made of.
struct CapturedURL {
    let isSecure: Bool
    let authority: String
    /// With the query; percent-encoded as it was, and what may not stand in a request line encoded.
    let path: String

    /// - Throws: for what is no http or https URL; a name and password in it, which would be shown.
    init(_ url: String) throws(CaptureFailure) {
        let bytes = Array(url.utf8)
        guard let scheme = url.firstRange(of: "://") else { throw CaptureFailure("this is no URL: it has no scheme") }
        switch url[..<scheme.lowerBound].lowercased() {
        case "https": isSecure = true
        case "http": isSecure = false
        default: throw CaptureFailure("only http and https URLs are explained")
        }
        let rest = bytes[url.utf8.distance(from: url.startIndex, to: scheme.upperBound)...]
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
        let host = rest[..<(end ?? rest.endIndex)]
        guard !host.isEmpty, !host.contains(UInt8(ascii: "@")) else {
            throw CaptureFailure("the URL has no host, or a user name in it")
        }
        authority = String(decoding: host, as: UTF8.self)
        var target = end.map { Array(rest[$0...].prefix { $0 != UInt8(ascii: "#") }) } ?? []
        if target.first != UInt8(ascii: "/") { target.insert(UInt8(ascii: "/"), at: 0) }
        var text: [UInt8] = []
        for byte in target {
            if byte > 0x20, byte < 0x7f {
                text.append(byte)
            } else {
                text += PercentEncoding.encode(CollectionOfOne(byte))
            }
        }
        path = String(decoding: text, as: UTF8.self)
    }
}
