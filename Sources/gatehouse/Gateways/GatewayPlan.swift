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
        /// The fields that a signature for it comes in.
        let signatureFields: [String]
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
            case .file: leaveOut(bucket, "a file backend has no address")
            case .gcs(let connection):
                guard case .hmac = connection.credential else {
                    leaveOut(bucket, "only with an HMAC key are requests signed that another carries to Google")
                    continue
                }
                guard let endpoint = Endpoint(url: connection.endpoint.description) else { continue }
                let backend = GoogleBackend(
                    endpoint: endpoint,
                    bucketName: bucket.backendBucket,
                    prefix: bucket.backendPrefix,
                    credential: .anonymous
                )
                add(bucket, backend, Self.fieldsOfGoogle, connection.caCertificate)
            case .azure(let connection):
                guard connection.accessKey != nil else {
                    leaveOut(bucket, "only with the account's key are requests signed that another carries to Azure")
                    continue
                }
                guard let endpoint = Endpoint(url: connection.address) else { continue }
                let backend = AzureBackend(
                    account: connection.account,
                    container: bucket.backendBucket,
                    endpoint: endpoint,
                    prefix: bucket.backendPrefix,
                    credential: .anonymous
                )
                add(bucket, backend, Self.fieldsOfAzure, connection.caCertificate)
            case .s3(let connection):
                guard connection.isSigned else {
                    leaveOut(bucket, "requests to its store are not signed")
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
                add(bucket, backend, Self.fields(of: connection), connection.caCertificate)
            }
        }
        guard let account = configuration.accountOfEveryOtherBucket else { return }
        guard case .s3(let connection) = account.backend, connection.isSigned,
            connection.addressing == .path, let endpoint = Endpoint(url: connection.endpoint.description)
        else {
            leftOut.append(LeftOut(bucket: "*", reason: "its store can't be routed to"))
            return
        }
        everyOther = store(endpoint, endpoint.authority, Self.fields(of: connection), connection.caCertificate)
    }

    private mutating func leaveOut(_ bucket: BucketConfiguration, _ reason: String) {
        leftOut.append(LeftOut(bucket: bucket.name, reason: reason))
    }

    private mutating func add(
        _ bucket: BucketConfiguration,
        _ backend: any Backend,
        _ fields: [String],
        _ caCertificate: String?
    ) {
        routes.append(
            Route(
                bucket: bucket.name,
                store: store(backend.endpoint, backend.hostOfRequests, fields, caCertificate),
                bucketPath: backend.pathOfBucket,
                keyPath: backend.pathBeforeKeys
            )
        )
    }

    private mutating func store(
        _ endpoint: Endpoint,
        _ host: String,
        _ fields: [String],
        _ caCertificate: String?
    ) -> Store {
        let known = stores.first { $0.host == host && $0.endpoint == endpoint && $0.signatureFields == fields }
        if let known { return known }
        var server = (host: "", port: 0)
        if case .tcp(let name, let port) = endpoint.address { server = (name, port) }
        // A bucket in the host is reached under that host's own name.
        if host != endpoint.authority { server.host = String(host.prefix { $0 != ":" }) }
        let store = Store(
            label: "store_\(stores.count)",
            endpoint: endpoint,
            host: host,
            server: server,
            signatureFields: fields,
            caCertificate: caCertificate
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

    /// Every field that a signature comes in at one of the stores, or that a client's own came in: what our answer has none
    /// of is taken from the client's request.
    var signatureFields: [String] {
        let others = stores.flatMap(\.signatureFields).filter { !Self.fieldsOfS3.contains($0) }
        return Self.fieldsOfS3 + Set(others).sorted()
    }

    private static let fieldsOfS3 = ["Authorization", "X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Security-Token"]
    private static let fieldsOfAzure = ["Authorization", "X-Ms-Date", "X-Ms-Version", "X-Ms-Blob-Type"]
    private static let fieldsOfGoogle = [
        "Authorization", "X-Goog-Date", "X-Goog-Content-Sha256", "X-Goog-If-Generation-Match",
    ]

    /// The token is ours, where there is one.
    private static func fields(of connection: S3Connection) -> [String] {
        connection.hasSessionToken ? fieldsOfS3 : fieldsOfS3.dropLast()
    }

    /// Text in double quotes, as JSON and YAML read it.
    static func quoted(_ text: String) -> String { JSONValue.text(text).rendered() }
}
