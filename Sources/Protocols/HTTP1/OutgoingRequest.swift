/// A request that is about to be sent upstream: everything decided, encoded once, in the form that is both signed
/// and written.
public struct OutgoingRequest: Sendable {
    public var method: HTTPMethod
    /// Percent-encoded path, beginning with `/`.
    public var path: [UInt8]
    /// The query as sent, without `?`: percent-encoded, sorted by name where it is to be signed; may be empty.
    public var query: [UInt8]
    /// Names in lower case. `host` is among them; framing (`content-length`, `transfer-encoding`) too.
    public var fields: FieldBlock

    public init(method: HTTPMethod, path: [UInt8], query: [UInt8] = [], fields: FieldBlock = FieldBlock()) {
        self.method = method
        self.path = path
        self.query = query
        self.fields = fields
    }
}
