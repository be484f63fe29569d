/// A request that is about to be sent upstream: everything decided, encoded once, in the form that is both signed
/// and written.
package struct OutgoingRequest: Sendable {
    package var method: HTTPMethod
    /// Percent-encoded path, beginning with `/`.
    package var path: [UInt8]
    /// The query as sent, without `?`: percent-encoded, sorted by name where it is to be signed; may be empty.
    package var query: [UInt8]
    /// Names in lower case. `host` is among them; framing (`content-length`, `transfer-encoding`) too.
    package var fields: FieldBlock

    package init(method: HTTPMethod, path: [UInt8], query: [UInt8] = [], fields: FieldBlock = FieldBlock()) {
        self.method = method
        self.path = path
        self.query = query
        self.fields = fields
    }
}
