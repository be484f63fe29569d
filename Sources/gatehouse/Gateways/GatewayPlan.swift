import Backends
import Settings
import WireFormats

/// What another gateway has to know of this configuration: where Gatehouse is, where the stores are, and which path of
/// the gateway's is which path of a store's.
struct GatewayPlan {
    struct Store {
        let label: String
        let endpoint: Endpoint
        /// The `Host` that requests are signed for.
        let host: String
        /// The store's name or address, and its port.
        let server: (host: String, port: Int)
        /// Whether the signature comes with a session token of ours.
        let hasToken: Bool
        let caCertificate: String?

        var isTLS: Bool { endpoint.transport == .tls }
        var url: String { (isTLS ? "https://" : "http://") + address }
        var address: String { "\(server.host.contains(":") ? "[\(server.host)]" : server.host):\(server.port)" }
    }

    struct Route {
        let bucket: String
        let store: Store
        /// Of the bucket itself.
        let bucketPath: String
        /// Of what is in it: with a slash at its end.
        let keyPath: String
    }

    struct LeftOut {
        let bucket: String
        let reason: String
    }

    let gatehouse: ListenAddress
    let gatehouseIsTLS: Bool
    let listen: ListenAddress
    let stripPrefix: String
    let sharedSecret: String?
    /// Bytes; nil: as large as stores take them.
    let maxObjectSize: Int64?
    private(set) var routes: [Route] = []
    /// Of the account that owns every other bucket, under the same name there.
    private(set) var everyOther: Store?
    private(set) var stores: [Store] = []
    private(set) var leftOut: [LeftOut] = []

    init(_ configuration: GatehouseConfiguration, gatehouse: ListenAddress, listen: ListenAddress) {
        self.gatehouse = gatehouse
        self.listen = listen
        gatehouseIsTLS = configuration.server.tls != nil
        stripPrefix = configuration.gateways.stripPrefix
        sharedSecret = configuration.gateways.sharedSecret?.reveal()
        let limit = configuration.server.maxObjectSize
        maxObjectSize = limit < 5 << 40 ? limit : nil
        for bucket in configuration.buckets {
            switch bucket.backend {
            case .gcs:
                leftOut.append(
                    LeftOut(bucket: bucket.name, reason: "Google's signature has other fields: route it by hand")
                )
            case .file: leftOut.append(LeftOut(bucket: bucket.name, reason: "a file backend has no address"))
            case .azure:
                leftOut.append(LeftOut(bucket: bucket.name, reason: "Azure takes other fields than are written here"))
            case .s3(let connection):
                guard connection.isSigned else {
                    leftOut.append(LeftOut(bucket: bucket.name, reason: "requests to its store are not signed"))
                    continue
                }
                guard let endpoint = Endpoint(url: connection.endpoint.description) else { continue }
                let backend = S3Backend(
                    endpoint: endpoint,
                    region: connection.region,
                    addressing: connection.addressing == .virtual ? .virtualHost : .path,
                    bucketName: bucket.backendBucket,
                    prefix: bucket.backendPrefix,
                    signer: nil
                )
                routes.append(
                    Route(
                        bucket: bucket.name,
                        store: store(connection, endpoint, host: backend.hostOfRequests),
                        bucketPath: backend.pathOfBucket,
                        keyPath: backend.pathBeforeKeys
                    )
                )
            }
        }
        guard let account = configuration.accountOfEveryOtherBucket else { return }
        guard case .s3(let connection) = account.backend, connection.isSigned,
            connection.addressing == .path, let endpoint = Endpoint(url: connection.endpoint.description)
        else {
            leftOut.append(LeftOut(bucket: "*", reason: "its store can't be routed to"))
            return
        }
        everyOther = store(connection, endpoint, host: endpoint.authority)
    }

    private mutating func store(_ connection: S3Connection, _ endpoint: Endpoint, host: String) -> Store {
        let hasToken = connection.hasSessionToken
        if let known = stores.first(where: { $0.host == host && $0.endpoint == endpoint && $0.hasToken == hasToken }) {
            return known
        }
        var server = (host: "", port: 0)
        if case .tcp(let name, let port) = endpoint.address { server = (name, port) }
        // A bucket in the host is reached under that host's own name.
        if host != endpoint.authority { server.host = String(host.prefix { $0 != ":" }) }
        let store = Store(
            label: "store_\(stores.count)",
            endpoint: endpoint,
            host: host,
            server: server,
            hasToken: hasToken,
            caCertificate: connection.caCertificate
        )
        stores.append(store)
        return store
    }

    var gatehouseURL: String { "\(gatehouseIsTLS ? "https" : "http")://\(gatehouse)" }

    /// Fields of the client's request that say who it is, or what other proxies said, and have no business at a store.
    static let privateFields = [
        "X-Api-Key", "Cookie", "Proxy-Authorization", "X-Gatehouse-Gateway", "X-Gatehouse-Upstream-Path",
        "X-Gatehouse-Upstream-Host", "X-Original-Method", "X-Original-URI", "X-Original-Host",
        "X-Original-Content-Length", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port",
        "X-Forwarded-Server", "X-Forwarded-Method", "X-Forwarded-Uri", "X-Real-Ip", "Forwarded",
    ]

    static let signatureFields = ["Authorization", "X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Security-Token"]

    /// Text in double quotes, as JSON and YAML read it.
    static func quoted(_ text: String) -> String { JSONValue.text(text).rendered() }
}
