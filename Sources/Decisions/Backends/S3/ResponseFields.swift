import HTTP1

/// Which fields of a store's answer reach the client.
enum ResponseFields {
    /// The store's fields without those about its hop and the caches there, its cookies and challenges, its own ids
    /// and server, and what Gatehouse says itself. Framing is left out: it is written with the body.
    ///
    /// - Parameter crossOrigin: whose word about pages of other origins counts.
    static func passed(_ fields: FieldBlock, crossOrigin: S3Backend.CrossOrigin = .gateway) -> FieldBlock {
        var passed = FieldBlock(reservingBytes: fields.bytes.count, fields: fields.entries.count)
        let nominated = fields.first("connection").map { nominations($0) } ?? []
        for entry in fields.entries {
            if isWithheld(entry, fields), crossOrigin == .gateway || !isCrossOrigin(entry, fields) { continue }
            if !nominated.isEmpty, nominated.contains(where: { equals(fields.name(entry), $0) }) { continue }
            passed.append(entry, of: fields, lowercasing: .nothing)
        }
        return passed
    }

    /// What an error answer keeps: what tells the client how to ask again.
    static func passedWithError(_ fields: FieldBlock, crossOrigin: S3Backend.CrossOrigin = .gateway) -> FieldBlock {
        var passed = FieldBlock(reservingBytes: 256, fields: 4)
        for entry in fields.entries {
            let isKept =
                errorFields.contains { fields.isNamed(entry, $0) }
                || (crossOrigin == .store && (isCrossOrigin(entry, fields) || fields.isNamed(entry, "vary")))
            if isKept { passed.append(entry, of: fields, lowercasing: .nothing) }
        }
        return passed
    }

    private static func isCrossOrigin(_ entry: FieldBlock.Entry, _ fields: FieldBlock) -> Bool {
        fields.hasPrefix(entry, "access-control-")
    }

    private static let errorFields: [StaticString] = [
        "content-range", "accept-ranges", "etag", "last-modified", "x-amz-delete-marker", "x-amz-version-id",
        "x-amz-request-charged", "allow",
    ]

    private static func isWithheld(_ entry: FieldBlock.Entry, _ fields: FieldBlock) -> Bool {
        let candidates: [StaticString]
        switch lowered(fields.bytes[entry.name.lowerBound]) {
        case UInt8(ascii: "a"):
            if fields.hasPrefix(entry, "access-control-") { return true }
            candidates = a
        case UInt8(ascii: "c"): candidates = c
        case UInt8(ascii: "f"), UInt8(ascii: "k"), UInt8(ascii: "l"), UInt8(ascii: "n"), UInt8(ascii: "r"):
            candidates = others
        case UInt8(ascii: "p"):
            if fields.hasPrefix(entry, "proxy-") { return true }
            candidates = others
        case UInt8(ascii: "s"): candidates = s
        case UInt8(ascii: "t"), UInt8(ascii: "u"), UInt8(ascii: "v"), UInt8(ascii: "w"): candidates = t
        case UInt8(ascii: "x"):
            if fields.hasPrefix(entry, "x-forwarded-") || fields.hasPrefix(entry, "x-amz-meta-") {
                return fields.hasPrefix(entry, "x-forwarded-")
            }
            candidates = x
        default: return false
        }
        return candidates.contains { fields.isNamed(entry, $0) }
    }

    private static let a: [StaticString] = ["alt-svc", "authentication-info", "authorization"]
    private static let c: [StaticString] = ["connection", "content-length", "clear-site-data", "cdn-cache-control"]
    private static let s: [StaticString] = [
        "server", "set-cookie", "set-cookie2", "strict-transport-security", "surrogate-control",
    ]
    private static let t: [StaticString] = [
        "te", "trailer", "transfer-encoding", "upgrade", "via", "www-authenticate",
    ]
    private static let x: [StaticString] = [
        "x-amz-request-id", "x-amz-id-2", "x-amz-bucket-region", "x-amz-bucket-arn", "x-amz-security-token",
        "x-content-type-options",
        "x-frame-options", "x-real-ip", "x-powered-by", "x-accel-redirect", "x-accel-expires", "x-sendfile",
    ]
    private static let others: [StaticString] = [
        "forwarded", "keep-alive", "link", "location", "nel", "public-key-pins", "refresh", "report-to",
        "reporting-endpoints",
    ]

    /// The names in a `connection` field that are not about the connection itself.
    private static func nominations(_ value: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        if isLowerCase(value, "close") || isLowerCase(value, "keep-alive") { return [] }
        return value.split(separator: UInt8(ascii: ",")).map { option in
            let start = option.drop { $0 == 0x20 || $0 == 0x09 }
            return start.prefix { $0 != 0x20 && $0 != 0x09 }
        }
    }

    private static func equals(_ name: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>) -> Bool {
        name.count == other.count && zip(name, other).allSatisfy { lowered($0) == lowered($1) }
    }

    /// Whether the value in lower case is `wanted`.
    private static func isLowerCase(_ value: ArraySlice<UInt8>, _ wanted: StaticString) -> Bool {
        guard value.count == wanted.utf8CodeUnitCount else { return false }
        return wanted.withUTF8Buffer { wanted in value.elementsEqual(wanted) { lowered($0) == $1 } }
    }
}
