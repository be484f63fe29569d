/// A response's head as an upstream sent it, made by ``ResponseParser``.
package struct ResponseHead: Sendable {
    /// 100...999.
    package let status: Int
    package let version: HTTPVersion
    package let fields: FieldBlock
    /// Of the body that follows; already takes the request's method and the status into account.
    package let framing: BodyFraming
    /// Whether the upstream keeps the connection open after this message.
    package let keepAlive: Bool

    package init(
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
