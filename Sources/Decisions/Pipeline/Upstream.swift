public import Backends

/// Where a store is reached and how long we wait for it: the identity of a connection pool. Two buckets with equal
/// upstreams share connections, and a reload that changes nothing here keeps them.
public final class Upstream: Hashable, Sendable {
    /// A closed-list label for metrics and logs: the account's or bucket's name.
    public let name: String
    public let endpoint: Endpoint
    public let connectTimeout: Duration
    public let responseTimeout: Duration
    public let idleTimeout: Duration
    /// Over all loops together.
    public let maxConnections: Int
    /// PEM text of the authorities that may have issued the store's certificate; nil: the system's.
    public let caCertificate: String?

    public init(
        name: String,
        endpoint: Endpoint,
        connectTimeout: Duration = .seconds(5),
        responseTimeout: Duration = .seconds(60),
        idleTimeout: Duration = .seconds(60),
        maxConnections: Int = 512,
        caCertificate: String? = nil
    ) {
        self.name = name
        self.endpoint = endpoint
        self.connectTimeout = connectTimeout
        self.responseTimeout = responseTimeout
        self.idleTimeout = idleTimeout
        self.maxConnections = maxConnections
        self.caCertificate = caCertificate
    }

    public static func == (one: Upstream, other: Upstream) -> Bool {
        one === other
            || (one.name == other.name && one.endpoint == other.endpoint
                && one.connectTimeout == other.connectTimeout && one.responseTimeout == other.responseTimeout
                && one.idleTimeout == other.idleTimeout && one.maxConnections == other.maxConnections
                && one.caCertificate == other.caCertificate)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(endpoint)
    }
}
