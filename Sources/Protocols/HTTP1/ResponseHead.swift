/// A response's head as an upstream sent it, made by ``ResponseParser``.
public struct ResponseHead: Sendable {
    /// 100...999.
    public let status: Int
    public let version: HTTPVersion
    public let fields: FieldBlock
    /// Of the body that follows; already takes the request's method and the status into account.
    public let framing: BodyFraming
    /// Whether the upstream keeps the connection open after this message.
    public let keepAlive: Bool

    public init(
        status: Int,
        version: HTTPVersion = .http11,
        fields: FieldBlock,
        framing: BodyFraming,
        keepAlive: Bool = true
    ) {
        self.status = status
        self.version = version
        self.fields = fields
        self.framing = framing
        self.keepAlive = keepAlive
    }
}
