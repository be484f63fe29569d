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
