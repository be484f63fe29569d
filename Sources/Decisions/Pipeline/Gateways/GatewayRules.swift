import HTTP1
public import WireFormats

/// `[ext_authz]`: who may ask in other gateways' stead, and how their paths name objects.
public struct GatewayRules: Sendable {
    /// The peers that are answered; to all others there is nothing here.
    public let gateways: [CIDR]
    /// What `X-Gatehouse-Gateway` must say as well; nil: nothing.
    public let sharedSecret: Secret<String>?
    /// What stands before `/bucket/key` in the gateways' paths: empty, or with a leading and no trailing slash.
    public let stripPrefix: [UInt8]

    public init(gateways: [CIDR] = [], sharedSecret: Secret<String>? = nil, stripPrefix: String = "") {
        self.gateways = gateways
        self.sharedSecret = sharedSecret
        self.stripPrefix = Array(stripPrefix.utf8)
    }

    /// Whether a request comes from a gateway: the other end of the connection counts, never what a field says of it.
    func isGateway(_ head: RequestHead, _ facts: ConnectionFacts) -> Bool {
        guard let peer = facts.peer, gateways.contains(where: { $0.contains(peer) }) else { return false }
        guard let sharedSecret else { return true }
        guard head.fields.count(of: "x-gatehouse-gateway") == 1, let shown = head.fields.first("x-gatehouse-gateway")
        else { return false }
        return constantTimeEqual(shown, Array(sharedSecret.reveal().utf8))
    }
}
