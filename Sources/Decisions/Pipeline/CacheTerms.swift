public import HTTP1

/// What an answer tells caches on the way, by where its caller's credential was: nobody else is to get it from them.
///
/// Caches keep answers to `Authorization` from others by themselves, unless what is stored with the object says `public`,
/// `s-maxage` or `must-revalidate` (RFC 9111, section 3.5); some of them never do. They know no other credential. One in
/// the URL is part of what an answer is kept under.
public enum CacheTerms: Sendable {
    /// Nobody said who they are, or they said it in the URL.
    case asStored
    /// Kept apart by credential. What is stored is told as it is: clients of S3 read it and write it back.
    case byAuthorization
    /// Kept by the client alone, whatever is stored.
    case byAPIKey
    /// The same on a route, where a path is another object to another caller.
    case byAnyCredential

    /// Of a request for what S3 shows.
    init(of head: RequestHead) {
        guard head.method == .get || head.method == .head else {
            self = .asStored
            return
        }
        if head.fields.count(of: "x-api-key") > 0 {
            self = .byAPIKey
        } else {
            self = head.fields.count(of: "authorization") > 0 ? .byAuthorization : .asStored
        }
    }

    /// Lines for an answer whose fields stay as they are; nil where they say something of it themselves, and have to be
    /// rewritten.
    public func lines(beside fields: FieldBlock) -> StaticString? {
        switch self {
        case .asStored: return ""
        case .byAuthorization: return fields.count(of: "vary") == 0 ? "vary: Authorization\r\n" : nil
        case .byAPIKey:
            guard fields.count(of: "vary") == 0, fields.count(of: "cache-control") == 0 else { return nil }
            return "cache-control: private\r\nvary: X-Api-Key\r\n"
        case .byAnyCredential:
            guard fields.count(of: "vary") == 0, fields.count(of: "cache-control") == 0 else { return nil }
            return "cache-control: private\r\nvary: Authorization, Cookie, X-Api-Key\r\n"
        }
    }

    /// `fields` with these terms in place of those that they contradict, in one line of each name: some caches read no
    /// more than one.
    public func applied(to fields: FieldBlock) -> FieldBlock {
        guard !credentials.isEmpty else { return fields }
        var all = FieldBlock(reservingBytes: fields.bytes.count + 128, fields: fields.entries.count + 2)
        var varying = Varying()
        var directives: [ArraySlice<UInt8>] = []
        for entry in fields.entries {
            if fields.isNamed(entry, "vary") {
                varying.add(fields.value(entry))
            } else if isPrivate, fields.isNamed(entry, "cache-control") {
                directives.append(fields.value(entry))
            } else {
                all.append(entry, of: fields, lowercasing: .nothing)
            }
        }
        if isPrivate { all.append("cache-control", Self.keptPrivate(directives)) }
        all.append("vary", varying.joined(with: credentials))
        return all
    }

    private var isPrivate: Bool {
        switch self {
        case .asStored, .byAuthorization: false
        case .byAPIKey, .byAnyCredential: true
        }
    }

    private var credentials: [String] {
        switch self {
        case .asStored: []
        case .byAuthorization: ["Authorization"]
        case .byAPIKey: ["X-Api-Key"]
        case .byAnyCredential: ["Authorization", "Cookie", "X-Api-Key"]
        }
    }

    /// What was stored for the client's own cache, without what it says to those that are shared. An argument in quotes
    /// may hold anything, and is read by everybody in their own way: what has one is for nobody to keep.
    private static func keptPrivate(_ values: [ArraySlice<UInt8>]) -> [UInt8] {
        guard !values.contains(where: { $0.contains(UInt8(ascii: "\"")) }) else {
            return Array("private, no-store".utf8)
        }
        var kept = Array("private".utf8)
        for directive in values.flatMap({ $0.split(separator: UInt8(ascii: ",")) }).map(trimmed) {
            let name = trimmed(directive.prefix { $0 != UInt8(ascii: "=") })
            guard !name.isEmpty, !shared.contains(where: { isSame(name, Array($0.utf8)[...]) }) else { continue }
            kept += ", ".utf8
            kept += directive
        }
        return kept
    }

    private static let shared = ["public", "private", "s-maxage", "proxy-revalidate"]
}
