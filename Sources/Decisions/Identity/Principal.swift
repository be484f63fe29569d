/// Who a request comes from, always with its kind: `alice` alone never names anyone, because a user, an access key
/// and a token subject of that name are three principals.
///
/// Two are the same where their bytes are: an issuer that tells `é` from `e` with an accent means two people by them, and
/// neither is given what is the other's.
public enum Principal: Hashable, Sendable {
    case user(String)
    case key(String)
    case identityProvider(name: String, subject: String)
    case role(id: String, session: String)
    case link(String)
    case anonymous
}

extension Principal {
    public static func == (one: Principal, other: Principal) -> Bool {
        let (kind, names) = one.identity
        let (otherKind, otherNames) = other.identity
        return kind == otherKind && names.0.utf8.elementsEqual(otherNames.0.utf8)
            && names.1.utf8.elementsEqual(otherNames.1.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        var (kind, names) = identity
        hasher.combine(kind)
        names.0.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // In no UTF-8.
        hasher.combine(0xFF as UInt8)
        names.1.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }

    private var identity: (kind: UInt8, names: (String, String)) {
        switch self {
        case .user(let name): (0, (name, ""))
        case .key(let name): (1, (name, ""))
        case .identityProvider(let name, let subject): (2, (name, subject))
        case .role(let id, let session): (3, (id, session))
        case .link(let id): (4, (id, ""))
        case .anonymous: (5, ("", ""))
        }
    }

    /// Whether this is its ``description``, byte for byte.
    public func isNamed(_ text: String) -> Bool { description.utf8.elementsEqual(text.utf8) }
}

extension Principal: CustomStringConvertible {
    /// `user:NAME`, `key:PRINCIPAL_NAME`, `idp:NAME:SUBJECT`, `role:ROLE_ID:SESSION`, `link:ID`, `anonymous`: the
    /// form that policies, limits and the audit log use.
    public var description: String {
        switch self {
        case .user(let name): "user:" + name
        case .key(let name): "key:" + name
        case .identityProvider(let name, let subject): "idp:" + name + ":" + subject
        case .role(let id, let session): "role:" + id + ":" + session
        case .link(let id): "link:" + id
        case .anonymous: "anonymous"
        }
    }
}

extension Principal {
    /// The principal of a typed identity, as ``description`` writes it; nil for what is none.
    public init?(_ text: String) {
        if text == "anonymous" {
            self = .anonymous
            return
        }
        // By bytes: a colon that an accent stands on divides like any other.
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard parts.count > 1, !parts[1].isEmpty else { return nil }
        // Names may hold colons, where only one name follows.
        let name = String(decoding: text.utf8.dropFirst(parts[0].utf8.count + 1), as: UTF8.self)
        switch (parts[0], parts.count) {
        case ("user", _): self = .user(name)
        case ("key", _): self = .key(name)
        case ("link", _): self = .link(name)
        case ("idp", 3) where !parts[2].isEmpty: self = .identityProvider(name: parts[1], subject: parts[2])
        case ("role", 3) where !parts[2].isEmpty: self = .role(id: parts[1], session: parts[2])
        default: return nil
        }
    }
}
