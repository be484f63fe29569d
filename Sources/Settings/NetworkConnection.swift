/// A store that is reached over the network, and what is said of every such store.
package protocol NetworkConnection: Sendable {
    var connectTimeout: Duration { get set }
    var responseTimeout: Duration { get set }
    /// Connections to this store, over all loops together.
    var maxConnections: Int { get set }
    /// Authorities that may have issued the store's certificate, as PEM text; nil: the system's.
    var caCertificate: String? { get set }
    /// The host in signed URLs, where clients reach the store under another one.
    var publicEndpoint: PublicURL? { get set }
}

extension NetworkConnection {
    mutating func readNetwork(_ options: Section) {
        connectTimeout = options.duration("connect_timeout", or: connectTimeout)
        responseTimeout = options.duration("response_timeout", or: responseTimeout)
        maxConnections = options.integer("max_connections", or: maxConnections, in: 1...100_000)
        if options.has("ca_certificate") {
            caCertificate = TLSConfiguration.certificates("ca_certificate", in: options)?.text
        }
        publicEndpoint = options.parsed("public_endpoint", expected: PublicURL.expected, PublicURL.init(parsing:))
    }
}
