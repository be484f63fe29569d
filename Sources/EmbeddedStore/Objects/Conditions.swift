import WireFormats

/// Entity tags a client lists in `If-Match` or `If-None-Match` (RFC 9110, section 13.1).
enum ETagCondition: Hashable, Sendable {
    /// `*`
    case any
    /// Without quotation marks; weak ones never match.
    case among([[UInt8]])

    /// Reads a field's value. S3 clients also send a tag without quotation marks.
    init(parsing value: some Collection<UInt8>) {
        let parts = value.split(separator: UInt8(ascii: ",")).map { Self.trimmed($0) }
        if parts.count == 1, parts[0].elementsEqual([UInt8(ascii: "*")]) {
            self = .any
        } else {
            self = .among(parts.map { Self.unquoted($0) })
        }
    }

    func matches(_ etag: String) -> Bool {
        switch self {
        case .any: true
        case .among(let tags): tags.contains { $0.elementsEqual(etag.utf8) }
        }
    }

    /// A tag without its quotation marks, if it has them.
    static func unquoted(_ tag: some Collection<UInt8>) -> [UInt8] {
        let quote = UInt8(ascii: "\"")
        let bytes = Array(tag)
        guard bytes.count >= 2, bytes.first == quote, bytes.last == quote else { return bytes }
        return Array(bytes.dropFirst().dropLast())
    }

    private static func trimmed(_ part: some Collection<UInt8>) -> [UInt8] {
        let isSpace: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        let head = Array(part.drop(while: isSpace))
        guard let last = head.lastIndex(where: { !isSpace($0) }) else { return [] }
        return Array(head[...last])
    }
}

/// The conditions of a request, by whichever headers it carries them.
struct Conditions: Sendable {
    enum Verdict: Hashable, Sendable {
        case holds, notModified, failed
    }

    var ifMatch: ETagCondition?
    var ifNoneMatch: ETagCondition?
    var ifModifiedSince: Instant?
    var ifUnmodifiedSince: Instant?

    init(
        ifMatch: ETagCondition? = nil,
        ifNoneMatch: ETagCondition? = nil,
        ifModifiedSince: Instant? = nil,
        ifUnmodifiedSince: Instant? = nil
    ) {
        self.ifMatch = ifMatch
        self.ifNoneMatch = ifNoneMatch
        self.ifModifiedSince = ifModifiedSince
        self.ifUnmodifiedSince = ifUnmodifiedSince
    }

    var isEmpty: Bool {
        ifMatch == nil && ifNoneMatch == nil && ifModifiedSince == nil && ifUnmodifiedSince == nil
    }

    /// Whether an object may be read (RFC 9110, section 13.2.2). Times compare in whole seconds, as HTTP has them.
    func verdict(etag: String, modified: Instant) -> Verdict {
        let modified = modified.secondsSince1970
        if let ifMatch {
            if !ifMatch.matches(etag) { return .failed }
        } else if let ifUnmodifiedSince, modified > ifUnmodifiedSince.secondsSince1970 {
            return .failed
        }
        if let ifNoneMatch {
            if ifNoneMatch.matches(etag) { return .notModified }
        } else if let ifModifiedSince, modified <= ifModifiedSince.secondsSince1970 {
            return .notModified
        }
        return .holds
    }
}
