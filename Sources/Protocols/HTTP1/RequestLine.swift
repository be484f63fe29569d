/// A request line taken apart and checked (RFC 9112, section 3). Ranges are into the bytes given.
///
/// Targets are visible ASCII. Characters that RFC 3986 excludes but clients send unencoded (`"`, `<`, `|`, `\` and the
/// like) pass, since the path is decoded once and encoded anew before it goes anywhere; `#` and bytes above 0x7F do not.
struct RequestLine {
    let method: HTTPMethod
    let version: HTTPVersion
    /// Begins with `/`, or is `*`; empty for an absolute form without a path, which means `/`.
    let path: Range<Int>
    let query: Range<Int>?
    /// The authority of an absolute-form target.
    let authority: Range<Int>?

    /// Longer names belong to no method there is.
    static let maxMethodBytes = 32

    init(_ line: Range<Int>, in bytes: UnsafeRawBufferPointer, maxTargetBytes: Int) throws(HTTPRefusal) {
        var index = line.lowerBound
        while index < line.upperBound, ByteClass.isToken(bytes[index]) { index += 1 }
        guard index < line.upperBound else { throw .malformedRequestLine }
        guard bytes[index] == UInt8(ascii: " "), index > line.lowerBound else { throw .invalidMethod }
        let methodBytes = line.lowerBound..<index
        guard methodBytes.count <= RequestLine.maxMethodBytes else { throw .methodTooLong }

        let targetStart = index + 1
        var questionMark: Int?
        var hasFragment = false
        index = targetStart
        while index < line.upperBound {
            if !ByteClass.isPlainInTarget(bytes[index]) {
                guard ByteClass.isVisible(bytes[index]) else { break }
                if bytes[index] == UInt8(ascii: "?"), questionMark == nil { questionMark = index }
                if bytes[index] == UInt8(ascii: "#") { hasFragment = true }
            }
            index += 1
        }
        let target = targetStart..<index
        guard target.count <= maxTargetBytes else { throw .targetTooLong }
        guard index < line.upperBound, !target.isEmpty else { throw .malformedRequestLine }
        guard bytes[index] == UInt8(ascii: " ") else { throw .invalidTarget }
        version = try HTTPVersion((index + 1)..<line.upperBound, in: bytes)
        guard !hasFragment else { throw .fragmentInTarget }

        method = HTTPMethod(UnsafeRawBufferPointer(rebasing: bytes[methodBytes]))
        if method == .other("CONNECT") { throw .connectUnsupported }
        query = questionMark.map { ($0 + 1)..<target.upperBound }
        let beforeQuery = target.lowerBound..<(questionMark ?? target.upperBound)
        if bytes[target.lowerBound] == UInt8(ascii: "/") {
            path = beforeQuery
            authority = nil
        } else if target.count == 1, bytes[target.lowerBound] == UInt8(ascii: "*") {
            guard method == .options else { throw .targetNotForMethod }
            path = target
            authority = nil
        } else {
            (authority, path) = try RequestLine.absoluteForm(beforeQuery, in: bytes)
        }
    }

    /// `http://authority/path` or `https://authority/path` (RFC 9112, section 3.2.2).
    private static func absoluteForm(
        _ target: Range<Int>,
        in bytes: UnsafeRawBufferPointer
    ) throws(HTTPRefusal) -> (authority: Range<Int>, path: Range<Int>) {
        let start: Int
        if target.count > 7, equalsIgnoringCase(target.prefix(7), in: bytes, "http://") {
            start = target.lowerBound + 7
        } else if target.count > 8, equalsIgnoringCase(target.prefix(8), in: bytes, "https://") {
            start = target.lowerBound + 8
        } else {
            throw .invalidTarget
        }
        var index = start
        while index < target.upperBound, bytes[index] != UInt8(ascii: "/") { index += 1 }
        guard isAuthority(start..<index, in: bytes) else { throw .invalidTarget }
        return (start..<index, index..<target.upperBound)
    }
}

extension HTTPVersion {
    /// `HTTP/1.0` or `HTTP/1.1`, byte for byte.
    init(_ range: Range<Int>, in bytes: UnsafeRawBufferPointer) throws(HTTPRefusal) {
        let start = range.lowerBound
        guard range.count == 8, "HTTP/".utf8.elementsEqual(bytes[start..<start + 5]),
            ByteClass.isDigit(bytes[start + 5]), bytes[start + 6] == UInt8(ascii: "."),
            ByteClass.isDigit(bytes[start + 7])
        else { throw .malformedVersion }
        switch (bytes[start + 5], bytes[start + 7]) {
        case (UInt8(ascii: "1"), UInt8(ascii: "1")): self = .http11
        case (UInt8(ascii: "1"), UInt8(ascii: "0")): self = .http10
        default: throw .unsupportedVersion
        }
    }
}
