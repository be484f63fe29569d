/// A request's head as received and understood: what it asks, how its body is framed, and whether the connection
/// goes on afterwards. Made by ``RequestParser`` (or, for requests that no client sent, by the memberwise form).
///
/// Held by reference: it is handed on many times and holds many runs of bytes.
public final class RequestHead: Sendable {
    public let method: HTTPMethod
    public let version: HTTPVersion
    /// The path as sent: never empty, still percent-encoded, without query. From an absolute-form target, its path.
    public let path: [UInt8]
    /// What follows the first `?`, as sent; nil where there is no `?`.
    public let query: [UInt8]?
    public let fields: FieldBlock
    public let framing: BodyFraming
    /// Whether the client expects the connection to stay open after the answer.
    public let keepAlive: Bool
    /// `Expect: 100-continue` was sent on HTTP/1.1 with a body to come.
    public let expectsContinue: Bool
    /// The authority: the `Host` field's value (equal to the target's authority in absolute form).
    public let host: [UInt8]

    public init(
        method: HTTPMethod,
        version: HTTPVersion = .http11,
        path: [UInt8],
        query: [UInt8]? = nil,
        fields: FieldBlock,
        framing: BodyFraming = .none,
        keepAlive: Bool = true,
        expectsContinue: Bool = false,
        host: [UInt8]
    ) {
        self.method = method
        self.version = version
        self.path = path
        self.query = query
        self.fields = fields
        self.framing = framing
        self.keepAlive = keepAlive
        self.expectsContinue = expectsContinue
        self.host = host
    }
}

public enum HTTPVersion: Sendable {
    case http10, http11
}

/// How a message's body is delimited (RFC 9112, section 6.3).
public enum BodyFraming: Hashable, Sendable {
    case none
    /// Exactly so many bytes.
    case length(Int64)
    case chunked
    /// Until the connection closes: responses only.
    case untilClose

    /// The head alone says that no byte follows.
    public var isEmpty: Bool { self == .none || self == .length(0) }
}
