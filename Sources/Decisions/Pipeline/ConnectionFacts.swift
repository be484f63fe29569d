package import WireFormats

/// What is known of a connection before its first request.
package struct ConnectionFacts: Sendable {
    /// The TCP peer, or who a trusted PROXY preamble says it speaks for. Nil: a Unix socket.
    package var peer: IPAddress?
    /// The connection arrived over TLS that we terminated.
    package var isSecure: Bool

    package init(peer: IPAddress?, isSecure: Bool) {
        self.peer = peer
        self.isSecure = isSecure
    }
}
