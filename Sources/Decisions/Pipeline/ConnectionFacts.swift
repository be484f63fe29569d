public import WireFormats

/// What is known of a connection before its first request.
public struct ConnectionFacts: Sendable {
    /// The TCP peer, or who a trusted PROXY preamble says it speaks for. Nil: a Unix socket.
    public var peer: IPAddress?
    /// The connection arrived over TLS that we terminated.
    public var isSecure: Bool

    public init(peer: IPAddress?, isSecure: Bool) {
        self.peer = peer
        self.isSecure = isSecure
    }
}
