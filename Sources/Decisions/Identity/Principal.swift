/// Who a request comes from, always with its kind: `alice` alone never names anyone, because a user, an access key
/// and a token subject of that name are three principals.
public enum Principal: Hashable, Sendable {
    case user(String)
    case key(String)
    case identityProvider(name: String, subject: String)
    case role(id: String, session: String)
    case link(String)
    case anonymous
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
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1, !parts[1].isEmpty else { return nil }
        // Names may hold colons, where only one name follows.
        let name = String(text.utf8.dropFirst(parts[0].utf8.count + 1)) ?? ""
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
