/// Which principals a rule is about (`applies_to`): a typed identity in which `*` stands for any run of characters.
///
///     *                     everyone who was authenticated, and link holders: not `anonymous`
///     anonymous             callers without a credential
///     user:alice  user:*    key:build-*    link:ID
///     idp:PROVIDER:SUBJECT  the subject may hold colons; the provider's name can't
///     role:ID:SESSION
///
/// A bare name (`alice`) is an error: a user, an access key and a token subject of that name are three principals.
public struct PrincipalPattern: Hashable, Sendable {
    /// As written.
    public let text: String
    private let form: Form

    private enum Form: Hashable {
        case everyone
        case anonymous
        case user(Wildcard)
        case key(Wildcard)
        case identityProvider(name: Wildcard, subject: Wildcard)
        case role(id: Wildcard, session: Wildcard)
        case link(Wildcard)
    }

    public init(parsing text: String) throws(PrincipalPatternError) {
        self.text = text
        form = try Self.parse(text)
    }

    public func matches(_ principal: Principal) -> Bool {
        switch (form, principal) {
        case (.everyone, .anonymous): false
        case (.everyone, _): true
        case (.anonymous, .anonymous): true
        case (.user(let name), .user(let actual)): name.matches(actual)
        case (.key(let name), .key(let actual)): name.matches(actual)
        case (.link(let id), .link(let actual)): id.matches(actual)
        case (.identityProvider(let name, let subject), .identityProvider(let actualName, let actualSubject)):
            name.matches(actualName) && subject.matches(actualSubject)
        case (.role(let id, let session), .role(let actualID, let actualSession)):
            id.matches(actualID) && session.matches(actualSession)
        default: false
        }
    }

    private static func parse(_ text: String) throws(PrincipalPatternError) -> Form {
        if text == "*" { return .everyone }
        if text == "anonymous" { return .anonymous }
        if text.isEmpty { throw .empty }
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { throw .bareName(text) }
        let rest = text[text.utf8.index(after: colon)...]
        let kind = String(text[..<colon])
        guard ["user", "key", "link", "idp", "role"].contains(kind) else { throw .unknownKind(kind) }
        guard !rest.isEmpty else { throw .missingPart(text) }
        if kind == "user" { return .user(Wildcard(rest)) }
        if kind == "key" { return .key(Wildcard(rest)) }
        if kind == "link" { return .link(Wildcard(rest)) }
        guard let second = rest.utf8.firstIndex(of: UInt8(ascii: ":")) else { throw .missingPart(text) }
        let last = rest[rest.utf8.index(after: second)...]
        guard second > rest.startIndex, !last.isEmpty else { throw .missingPart(text) }
        let first = Wildcard(rest[..<second])
        return kind == "idp"
            ? .identityProvider(name: first, subject: Wildcard(last)) : .role(id: first, session: Wildcard(last))
    }
}

/// Why a text names no principals.
public enum PrincipalPatternError: Error, Equatable, Sendable, CustomStringConvertible {
    case empty
    case bareName(String)
    case unknownKind(String)
    case missingPart(String)

    public var description: String {
        switch self {
        case .empty:
            "an identity can't be empty"
        case .bareName(let name):
            "'\(name)' doesn't say what it names: write user:\(name), key:\(name), idp:PROVIDER:\(name), role:\(name):*"
        case .unknownKind(let kind):
            "'\(kind):' is no kind of identity: user, key, idp, role, link, anonymous"
        case .missingPart(let text):
            "'\(text)' is incomplete: user:NAME, key:NAME, idp:PROVIDER:SUBJECT, role:ID:SESSION, link:ID (* for any)"
        }
    }
}

/// A name in which `*` stands for any run of bytes, compared byte by byte.
private struct Wildcard: Hashable {
    private let bytes: [UInt8]

    init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

    /// Two pointers and the last `*`: at most name × pattern steps, no recursion.
    func matches(_ name: String) -> Bool {
        let name = name.utf8
        var at = name.startIndex
        var p = 0
        var retry: (pattern: Int, name: String.UTF8View.Index)?
        while at < name.endIndex {
            if p < bytes.count, bytes[p] == UInt8(ascii: "*") {
                retry = (p + 1, at)
                p += 1
            } else if p < bytes.count, bytes[p] == name[at] {
                p += 1
                name.formIndex(after: &at)
            } else if let (pattern, start) = retry {
                let next = name.index(after: start)
                retry = (pattern, next)
                (p, at) = (pattern, next)
            } else {
                return false
            }
        }
        return bytes[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
