public import NIOCore

/// Reads request heads from the bytes of one connection, strictly (RFC 9112 and 9110).
///
/// Where two readers of a message could disagree about it, it is refused rather than repaired; the refusals are listed in
/// ``HTTPRefusal``. A head that is illegal already is refused before it is complete, and the outcome does not depend on
/// how the bytes arrived.
///
/// Decisions the RFCs leave open: one empty line before a request is skipped (section 2.2), a second is refused; a
/// `Host` is required on HTTP/1.0 too, since nothing here can be addressed without; a `Content-Length` may stand once,
/// equal repetition included; a registered host name is letters, digits, `-`, `.` and `_`; in absolute form, `Host` must
/// equal the target's authority but for case.
public struct RequestParser: Sendable {
    public enum Outcome: Sendable {
        /// The buffer holds no complete head; nothing but a leading empty line was consumed.
        case needMore
        /// The head was consumed; its body, if any, is what follows in the buffer. Ready for the next head.
        case head(RequestHead)
        /// The connection is beyond use; every later call says the same.
        case refused(HTTPRefusal)
    }

    public let limits: HeadLimits
    private var scanner = LineScanner()
    private var requestLine: RequestLine?
    private var fields = FieldSection(role: .request)
    private var skippedEmptyLine = false
    private var refusal: HTTPRefusal?

    public init(limits: HeadLimits = HeadLimits()) {
        self.limits = limits
    }

    /// Whether part of a head has been seen: closing now would cut a request short.
    public private(set) var isMidHead = false

    /// Consumes exactly one head, where `buffer` holds a whole one. Between calls that answer `needMore`, the buffer may
    /// grow at its end and be compacted, but nothing may be read from it.
    public mutating func parse(_ buffer: inout ByteBuffer) -> Outcome {
        if let refusal { return .refused(refusal) }
        do throws(HTTPRefusal) {
            if scanner.lineStart == 0 { try skipEmptyLine(&buffer) }
            let found = try buffer.withUnsafeReadableBytes { (bytes) throws(HTTPRefusal) in try scan(bytes) }
            guard let found else {
                isMidHead = buffer.readableBytes > 0
                return .needMore
            }
            buffer.moveReaderIndex(forwardBy: found.length)
            reset()
            return .head(found.head)
        } catch {
            refusal = error
            return .refused(error)
        }
    }

    private mutating func reset() {
        scanner = LineScanner()
        requestLine = nil
        fields = FieldSection(role: .request)
        skippedEmptyLine = false
        isMidHead = false
    }

    private mutating func skipEmptyLine(_ buffer: inout ByteBuffer) throws(HTTPRefusal) {
        guard buffer.getInteger(at: buffer.readerIndex, as: UInt16.self) == 0x0D0A else { return }
        guard !skippedEmptyLine else { throw .emptyLine }
        buffer.moveReaderIndex(forwardBy: 2)
        skippedEmptyLine = true
        try skipEmptyLine(&buffer)
    }

    private mutating func scan(
        _ readable: UnsafeRawBufferPointer
    ) throws(HTTPRefusal) -> (head: RequestHead, length: Int)? {
        let bytes = UnsafeRawBufferPointer(rebasing: readable.prefix(limits.maxHeadBytes))
        if requestLine == nil {
            let longest = min(limits.maxHeadBytes, RequestLine.maxMethodBytes + limits.maxTargetBytes + 12)
            let window = UnsafeRawBufferPointer(rebasing: bytes.prefix(longest))
            guard let range = try scanner.nextLine(in: window) else {
                if window.count == longest { throw .targetTooLong }
                return nil
            }
            let line = try RequestLine(range, in: bytes, maxTargetBytes: limits.maxTargetBytes)
            fields.begin(at: scanner.lineStart, version: line.version)
            requestLine = line
        }
        guard let requestLine else { return nil }
        while let line = try scanner.nextLine(in: bytes) {
            if line.isEmpty {
                let head = try finish(requestLine, fieldsEnd: line.lowerBound, in: bytes)
                return (head, scanner.lineStart)
            }
            try fields.add(line, in: bytes, limit: limits.maxFields)
        }
        if bytes.count == limits.maxHeadBytes { throw .headTooLong }
        return nil
    }

    private func finish(
        _ line: RequestLine,
        fieldsEnd: Int,
        in bytes: UnsafeRawBufferPointer
    ) throws(HTTPRefusal) -> RequestHead {
        try fields.checkFraming()
        guard let host = fields.host else { throw .missingHost }
        if let authority = line.authority, !sameText(authority, host, in: bytes) { throw .hostDisagrees }
        let framing: BodyFraming =
            fields.isChunked ? .chunked : fields.contentLength.map { .length($0) } ?? .none
        return RequestHead(
            method: line.method,
            version: line.version,
            path: line.path.isEmpty ? [UInt8(ascii: "/")] : copy(line.path, of: bytes),
            query: line.query.map { copy($0, of: bytes) },
            fields: fields.block(upTo: fieldsEnd, in: bytes),
            framing: framing,
            keepAlive: fields.keepAlive,
            expectsContinue: fields.expectsContinue && framing != .none,
            host: copy(host, of: bytes)
        )
    }
}

private func copy(_ range: Range<Int>, of bytes: UnsafeRawBufferPointer) -> [UInt8] {
    [UInt8](UnsafeRawBufferPointer(rebasing: bytes[range]))
}

private func sameText(_ one: Range<Int>, _ other: Range<Int>, in bytes: UnsafeRawBufferPointer) -> Bool {
    guard one.count == other.count else { return false }
    return zip(one, other).allSatisfy { lowered(bytes[$0]) == lowered(bytes[$1]) }
}
