/// The fields of a head as its lines arrive, with the few that HTTP itself gives a meaning already understood.
struct FieldSection {
    enum Role { case request, response }

    let role: Role
    /// Where the section begins among the head's bytes; entries count from here.
    private(set) var start = 0
    private(set) var entries: [FieldBlock.Entry] = []
    private(set) var contentLength: Int64?
    private(set) var isChunked = false
    private(set) var hasClose = false
    private(set) var hasKeepAlive = false
    private(set) var expectsContinue = false
    /// The `Host` value, among the head's bytes; valid as an authority.
    private(set) var host: Range<Int>?

    private var version = HTTPVersion.http11

    init(role: Role) { self.role = role }

    mutating func begin(at start: Int, version: HTTPVersion) {
        self.start = start
        self.version = version
        entries.reserveCapacity(16)
    }

    mutating func add(
        _ line: Range<Int>,
        in bytes: UnsafeRawBufferPointer,
        limit: Int
    ) throws(HTTPRefusal) {
        guard entries.count < limit else { throw .tooManyFields }
        let field = try FieldLine(line, in: bytes)
        entries.append(
            FieldBlock.Entry(
                name: field.name.lowerBound - start..<field.name.upperBound - start,
                value: field.value.lowerBound - start..<field.value.upperBound - start
            )
        )
        switch field.name.count {
        case 4 where role == .request && equalsIgnoringCase(field.name, in: bytes, "host"):
            guard host == nil else { throw .repeatedHost }
            guard isAuthority(field.value, in: bytes) else { throw .invalidHost }
            host = field.value
        case 6 where role == .request && equalsIgnoringCase(field.name, in: bytes, "expect"):
            try noteExpectation(field.value, in: bytes)
        case 10 where equalsIgnoringCase(field.name, in: bytes, "connection"):
            try noteConnection(field.value, in: bytes)
        case 14 where equalsIgnoringCase(field.name, in: bytes, "content-length"):
            try noteContentLength(field.value, in: bytes)
        case 17 where equalsIgnoringCase(field.name, in: bytes, "transfer-encoding"):
            try noteTransferEncoding(field.value, in: bytes)
        default:
            break
        }
    }

    /// What only the whole section can tell.
    func checkFraming() throws(HTTPRefusal) {
        if isChunked, contentLength != nil { throw .lengthAndTransferEncoding }
    }

    /// Whether the connection stays open after the message (RFC 9112, section 9.3).
    var keepAlive: Bool {
        !hasClose && (version == .http11 || hasKeepAlive)
    }

    /// The section without the empty line after it, to be kept.
    func block(upTo end: Int, in bytes: UnsafeRawBufferPointer) -> FieldBlock {
        FieldBlock(bytes: [UInt8](UnsafeRawBufferPointer(rebasing: bytes[start..<end])), entries: entries)
    }

    /// `1*DIGIT`, nothing else: no sign, no list, at most what fits an Int64. A request may say it once; a response may
    /// repeat itself but not contradict itself (RFC 9112, section 6.3).
    private mutating func noteContentLength(
        _ value: Range<Int>,
        in bytes: UnsafeRawBufferPointer
    ) throws(HTTPRefusal) {
        guard (1...19).contains(value.count) else { throw .invalidContentLength }
        var length: Int64 = 0
        for index in value {
            guard ByteClass.isDigit(bytes[index]) else { throw .invalidContentLength }
            let (product, tooLarge) = length.multipliedReportingOverflow(by: 10)
            let (sum, tooLargeToo) = product.addingReportingOverflow(Int64(bytes[index] &- 0x30))
            guard !tooLarge, !tooLargeToo else { throw .invalidContentLength }
            length = sum
        }
        if let known = contentLength, role == .request || known != length { throw .repeatedContentLength }
        contentLength = length
    }

    /// Exactly `chunked`, once, and not on HTTP/1.0 (RFC 9112, section 6.1).
    private mutating func noteTransferEncoding(
        _ value: Range<Int>,
        in bytes: UnsafeRawBufferPointer
    ) throws(HTTPRefusal) {
        guard version == .http11 else { throw .transferEncodingOnHTTP10 }
        guard !isChunked else { throw .repeatedTransferEncoding }
        guard !equalsIgnoringCase(value, in: bytes, "chunked") else {
            isChunked = true
            return
        }
        var members = ListMembers(value, in: bytes)
        var sawChunked = false
        while let member = members.next() {
            if member.isEmpty { throw .malformedTransferEncoding }
            if sawChunked { throw .chunkedNotLast }
            sawChunked = equalsIgnoringCase(member, in: bytes, "chunked")
        }
        throw .unknownTransferCoding
    }

    /// Tokens separated by commas; empty members are allowed (RFC 9110, sections 5.6.1 and 7.6.1).
    private mutating func noteConnection(
        _ value: Range<Int>,
        in bytes: UnsafeRawBufferPointer
    ) throws(HTTPRefusal) {
        var members = ListMembers(value, in: bytes)
        while let member = members.next() {
            for index in member where !ByteClass.isToken(bytes[index]) { throw .invalidConnection }
            if equalsIgnoringCase(member, in: bytes, "close") { hasClose = true }
            if equalsIgnoringCase(member, in: bytes, "keep-alive") { hasKeepAlive = true }
        }
    }

    /// HTTP/1.0 knows no expectations, so they are ignored there (RFC 9110, section 10.1.1).
    private mutating func noteExpectation(
        _ value: Range<Int>,
        in bytes: UnsafeRawBufferPointer
    ) throws(HTTPRefusal) {
        // An empty list expects nothing.
        guard version == .http11, !value.isEmpty else { return }
        guard equalsIgnoringCase(value, in: bytes, "100-continue") else { throw .unknownExpectation }
        expectsContinue = true
    }
}

/// The members of a comma-separated value, trimmed, empty ones included; at least one.
struct ListMembers {
    private let bytes: UnsafeRawBufferPointer
    private var rest: Range<Int>?

    init(_ value: Range<Int>, in bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        rest = value
    }

    mutating func next() -> Range<Int>? {
        guard let range = rest else { return nil }
        var comma = range.lowerBound
        while comma < range.upperBound, bytes[comma] != UInt8(ascii: ",") { comma += 1 }
        rest = comma < range.upperBound ? (comma + 1)..<range.upperBound : nil
        return trimmed(range.lowerBound..<comma, in: bytes)
    }
}
