public import NIOCore

/// Reads response heads from the bytes of one upstream connection, as strictly as ``RequestParser`` reads requests.
///
/// Interim responses (1xx) come out as heads without a body, the final one after them. A `Content-Length` may repeat
/// itself; contradiction, or a `Transfer-Encoding` beside it, is refused. An HTTP/1.0 upstream is understood.
public struct ResponseParser: Sendable {
    public enum Outcome: Sendable {
        /// The buffer holds no complete head; nothing was consumed.
        case needMore
        /// The head was consumed; its body, if any, follows in the buffer.
        case head(ResponseHead)
        /// The connection is beyond use, and the client's answer is 502; every later call says the same.
        case refused(HTTPRefusal)
    }

    public let limits: HeadLimits
    /// The method of the request that the next final response answers: it decides whether a body follows.
    public var requestMethod: HTTPMethod
    private var scanner = LineScanner()
    private var statusLine: StatusLine?
    private var fields = FieldSection(role: .response)
    private var refusal: HTTPRefusal?

    public init(requestMethod: HTTPMethod, limits: HeadLimits = HeadLimits()) {
        self.requestMethod = requestMethod
        self.limits = limits
    }

    /// Consumes exactly one head, where `buffer` holds a whole one. Between calls that answer `needMore`, the buffer may
    /// grow at its end and be compacted, but nothing may be read from it.
    public mutating func parse(_ buffer: inout ByteBuffer) -> Outcome {
        if let refusal { return .refused(refusal) }
        do throws(HTTPRefusal) {
            let found = try buffer.withUnsafeReadableBytes { (bytes) throws(HTTPRefusal) in try scan(bytes) }
            guard let found else { return .needMore }
            buffer.moveReaderIndex(forwardBy: found.length)
            scanner = LineScanner()
            statusLine = nil
            fields = FieldSection(role: .response)
            return .head(found.head)
        } catch {
            refusal = error
            return .refused(error)
        }
    }

    private mutating func scan(
        _ readable: UnsafeRawBufferPointer
    ) throws(HTTPRefusal) -> (head: ResponseHead, length: Int)? {
        let bytes = UnsafeRawBufferPointer(rebasing: readable.prefix(limits.maxHeadBytes))
        while let line = try scanner.nextLine(in: bytes) {
            if let statusLine {
                if line.isEmpty {
                    let head = try finish(statusLine, fieldsEnd: line.lowerBound, in: bytes)
                    return (head, scanner.lineStart)
                }
                try fields.add(line, in: bytes, limit: limits.maxFields)
            } else {
                let parsed = try StatusLine(line, in: bytes)
                fields.begin(at: scanner.lineStart, version: parsed.version)
                statusLine = parsed
            }
        }
        if bytes.count == limits.maxHeadBytes { throw .headTooLong }
        return nil
    }

    private func finish(
        _ line: StatusLine,
        fieldsEnd: Int,
        in bytes: UnsafeRawBufferPointer
    ) throws(HTTPRefusal) -> ResponseHead {
        try fields.checkFraming()
        let framing = framing(status: line.status)
        // Such a response announces no body (RFC 9110, section 15.3.5); an upstream that does may also send it, and its
        // bytes must not become the next response.
        let announcesForbiddenBody =
            (line.status < 200 || line.status == 204) && (fields.isChunked || (fields.contentLength ?? 0) > 0)
        return ResponseHead(
            status: line.status,
            version: line.version,
            fields: fields.block(upTo: fieldsEnd, in: bytes),
            framing: framing,
            keepAlive: fields.keepAlive && framing != .untilClose && !announcesForbiddenBody
        )
    }

    /// RFC 9112, section 6.3.
    private func framing(status: Int) -> BodyFraming {
        if status < 200 || status == 204 || status == 304 || requestMethod == .head { return .none }
        if fields.isChunked { return .chunked }
        return fields.contentLength.map { .length($0) } ?? .untilClose
    }
}

/// `HTTP-version SP 3DIGIT [SP reason]` (RFC 9112, section 4). The reason is dropped; many servers also leave out the
/// space before an empty one.
private struct StatusLine {
    let version: HTTPVersion
    let status: Int

    init(_ line: Range<Int>, in bytes: UnsafeRawBufferPointer) throws(HTTPRefusal) {
        let start = line.lowerBound
        guard line.count >= 12, bytes[start + 8] == UInt8(ascii: " "),
            line.count == 12 || bytes[start + 12] == UInt8(ascii: " ")
        else { throw .malformedStatusLine }
        version = try HTTPVersion(start..<start + 8, in: bytes)
        var status = 0
        for index in start + 9..<start + 12 {
            guard ByteClass.isDigit(bytes[index]) else { throw .malformedStatusLine }
            status = status * 10 + Int(bytes[index] &- 0x30)
        }
        guard status >= 100 else { throw .malformedStatusLine }
        guard status != 101 else { throw .unexpectedUpgrade }
        self.status = status
    }
}
