public import HTTP1

/// A request that nobody sent us, with its body: what Gatehouse asks of others on its own account.
public struct OwnRequest: Sendable {
    public let head: OutgoingRequest
    public let body: [UInt8]

    /// - Parameter head: whole and signed.
    public init(head: OutgoingRequest, body: [UInt8]) {
        self.head = head
        self.body = body
    }
}
