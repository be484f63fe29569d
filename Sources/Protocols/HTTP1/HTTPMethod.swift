/// A request method. S3 uses the first six; anything else that is a token is carried as its name and refused later
/// with a precise answer (RFC 9110, section 9).
public enum HTTPMethod: Hashable, Sendable {
    case get, head, put, post, delete, options
    case other(String)

    /// Methods are case-sensitive: `get` is not `GET`.
    public init(_ token: some Collection<UInt8>) {
        let name = String(decoding: token, as: UTF8.self)
        switch name {
        case "GET": self = .get
        case "HEAD": self = .head
        case "PUT": self = .put
        case "POST": self = .post
        case "DELETE": self = .delete
        case "OPTIONS": self = .options
        default: self = .other(name)
        }
    }

    public var name: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .put: "PUT"
        case .post: "POST"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .other(let name): name
        }
    }
}
