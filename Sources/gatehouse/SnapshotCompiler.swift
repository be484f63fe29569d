import Admission
import Backends
import Federation
import HTTP1
import Identity
import Pipeline
import S3API
import Settings
import Signatures
import WireFormats

/// Makes the ``Snapshot`` that requests are decided by from the configuration that people write. Complete or not at all.
struct SnapshotCompiler: Sendable {
    /// Where the embedded stores of `file` backends are reached.
    let stores: EmbeddedPlaces
    /// Nil: nobody gets URLs to ourselves.
    var urlKeys: URLKeyring?
    /// What session tokens are sealed with where the configuration has no keys; nil: there are no sessions then.
    var sessionKeys: SessionKeyring?
    /// Nil: credentials that have to be obtained are not.
    var credentials: StoreCredentials?
    /// The credentials in force, all as of one moment.
    private var obtained: [CredentialSource: StoreCredentials.Cache.Held] = [:]

    init(
        stores: EmbeddedPlaces,
        urlKeys: URLKeyring? = nil,
        sessionKeys: SessionKeyring? = nil,
        credentials: StoreCredentials? = nil
    ) {
        self.stores = stores
        self.urlKeys = urlKeys
        self.sessionKeys = sessionKeys
        self.credentials = credentials
    }

    /// - Parameter findings: what stores said of themselves, for those that the configuration leaves it to.
    func compile(
        _ configuration: GatehouseConfiguration,
        generation: Int,
        knowing findings: StoreFindings = [:]
    ) throws -> Snapshot {
        var compiler = self
        compiler.obtained = credentials?.held ?? [:]
        return try compiler.compiled(configuration, generation: generation, knowing: findings)
    }

    private func compiled(
        _ configuration: GatehouseConfiguration,
        generation: Int,
        knowing findings: StoreFindings
    ) throws -> Snapshot {
        let server = configuration.server
        let quarantine = Array(configuration.uploads.quarantinePrefix.utf8)
        let overTLS = server.publicURL.map { $0.scheme == .https } ?? (server.tls != nil)
        return Snapshot(
            generation: generation,
            server: settings(configuration, overTLS: overTLS),
            accessKeys: try AccessKeyTable(configuration.credentials.map(\.key)),
            keyScopes: try scopes(configuration.credentials),
            apiKeys: try APIKeyTable(
                configuration.users.map { APIKeyTable.Entry(digest: $0.keyDigest, user: $0.user) }
            ),
            admins: Set(configuration.users.filter { $0.user.role == .admin }.map(\.user.principal)),
            identityProviders: configuration.identityProviders.map(\.provider) + configuration.sessionProviders,
            tokenScopes: Dictionary(
                configuration.identityProviders.map { ($0.provider.name, $0.scopes.map(\.template)) },
                uniquingKeysWith: { first, _ in first }
            ),
            gateways: GatewayRules(
                gateways: configuration.gateways.peers,
                sharedSecret: configuration.gateways.sharedSecret,
                stripPrefix: configuration.gateways.stripPrefix
            ),
            routes: Self.routes(configuration.routes),
            policies: PolicySet(
                try configuration.policies.map { policy in
                    PolicySet.Entry(
                        name: policy.name,
                        appliesTo: policy.appliesTo,
                        document: try PolicyDocument(parsing: policy.document)
                    )
                }
            ),
            authorizer: configuration.authorizer.map { authorizer in
                AuthorizerSettings(
                    url: authorizer.url,
                    timeout: authorizer.timeout,
                    onError: authorizer.onError == .allow ? .allow : .deny
                )
            },
            limits: configuration.limits,
            ownLimits: ownLimits(configuration),
            openAccount: try configuration.accountOfEveryOtherBucket.map {
                try openAccount($0, findings, quarantine: quarantine, overTLS: overTLS)
            },
            buckets: try configuration.buckets.map {
                try bucket($0, findings, quarantine: quarantine, overTLS: overTLS)
            },
            urlKeys: urlKeys,
            uploads: UploadRules(configuration.uploads),
            roles: configuration.roles.map(\.role),
            sessionKeys: configuration.keys.sessionKeys.isEmpty
                ? sessionKeys : SessionKeyring(keys: configuration.keys.sessionKeys),
            provider: configuration.keys.provider
        )
    }

    private func settings(_ configuration: GatehouseConfiguration, overTLS: Bool) -> ServerSettings {
        let server = configuration.server
        let scheme: PublicURL.Scheme = server.tls == nil ? .http : .https
        let url = server.publicURL ?? PublicURL(scheme: scheme, host: server.listen.host, port: server.listen.port)
        return ServerSettings(
            region: server.region,
            publicURL: url.description,
            requiresAudit: configuration.audit.onError == .deny,
            domains: server.domains,
            maxObjectSize: server.maxObjectSize,
            trustedProxies: server.trustedProxies,
            proxyProtocol: server.proxyProtocol,
            keyRules: server.strictKeys ? .oneSegment : .standard,
            acceptsSigV2: server.acceptsSigV2Presigned,
            headLimits: HeadLimits(maxHeadBytes: server.maxHeaderBytes),
            maxConnections: server.maxConnections,
            headerTimeout: server.headerTimeout,
            idleTimeout: server.idleTimeout,
            bodyIdleTimeout: server.bodyIdleTimeout,
            crossOrigin: Self.rules(server.cors),
            hardening: HardeningFields.lines(frameOptions: "DENY", overTLS: overTLS)
        )
    }

    private func scopes(_ credentials: [CredentialConfiguration]) throws -> [String: [Scope]] {
        var scopes: [String: [Scope]] = [:]
        for credential in credentials {
            scopes[credential.key.id] = try credential.scopes.map { scope in
                Scope(
                    bucket: scope.bucket == "*" ? .every : .named(try Self.name(scope.bucket)),
                    prefixes: scope.prefixes.map { Array($0.utf8) },
                    actions: scope.actions,
                    namesEveryAction: scope.everyAction
                )
            }
        }
        return scopes
    }

    /// Limits of the principals that differ from `[limits]`. Keys that share a principal share the last one's.
    private func ownLimits(_ configuration: GatehouseConfiguration) -> [Principal: RequestLimits] {
        var own: [Principal: RequestLimits] = [:]
        for user in configuration.users where user.limits != configuration.limits {
            own[user.user.principal] = user.limits
        }
        for credential in configuration.credentials where credential.limits != configuration.limits {
            own[credential.key.principal] = credential.limits
        }
        return own
    }

    // MARK: - Stores

    private func bucket(
        _ bucket: BucketConfiguration,
        _ findings: StoreFindings,
        quarantine: [UInt8],
        overTLS: Bool
    ) throws -> Bucket {
        let label = bucket.account ?? bucket.name
        let (backend, upstream) = try store(
            bucket.backend,
            label: label,
            bucketName: bucket.backendBucket,
            prefix: bucket.backendPrefix,
            crossOrigin: bucket.cors.isEmpty ? .store : .gateway,
            quarantine: quarantine,
            checksums: { bucket.checksums.known(of: $0, findings) }
        )
        return Bucket(
            name: try Self.name(bucket.name),
            backend: backend,
            upstream: upstream,
            anonymousAccess: bucket.anonymousAccess,
            allowedRoles: bucket.allowedRoles.map { Set($0.map(\.value)) },
            storeVerifiesPayload: bucket.payloadVerification == .backend,
            ownsBackendBucket: bucket.backendPrefix.isEmpty && !bucket.sharesBackendBucket,
            kind: bucket.backend.kind,
            crossOrigin: Self.rules(bucket.cors),
            hardening: HardeningFields.lines(frameOptions: bucket.frameOptions.rawValue, overTLS: overTLS),
            lease: lease(of: bucket.backend)
        )
    }

    private func openAccount(
        _ account: AccountConfiguration,
        _ findings: StoreFindings,
        quarantine: [UInt8],
        overTLS: Bool
    ) throws -> OpenAccount {
        let (opened, upstream) = try store(
            account.backend,
            label: account.name,
            bucketName: "",
            prefix: "",
            quarantine: quarantine,
            checksums: { account.checksums.known(of: $0, findings) }
        )
        guard let backend = opened as? S3Backend else {
            throw SnapshotFailure("not every bucket of the account \(account.name) can be claimed")
        }
        return OpenAccount(
            upstream: upstream,
            backend: backend,
            storeVerifiesPayload: false,
            kind: account.backend.kind,
            hardening: HardeningFields.lines(frameOptions: "DENY", overTLS: overTLS),
            lease: lease(of: account.backend)
        )
    }

    private func store(
        _ configuration: BackendConfiguration,
        label: String,
        bucketName: String,
        prefix: String,
        crossOrigin: S3Backend.CrossOrigin = .store,
        quarantine: [UInt8],
        checksums: (Endpoint) -> StoreChecksums
    ) throws -> (any Backend, Upstream) {
        switch configuration {
        case .s3(let connection):
            guard let endpoint = Endpoint(url: connection.endpoint.description) else {
                throw SnapshotFailure("\(connection.endpoint) is not a store's URL")
            }
            let backend = S3Backend(
                endpoint: endpoint,
                publicEndpoint: connection.publicEndpoint.flatMap { Endpoint(url: $0.description) },
                region: connection.region,
                addressing: connection.addressing == .virtual ? .virtualHost : .path,
                bucketName: bucketName,
                prefix: prefix,
                signer: signer(connection.authentication, region: connection.region),
                crossOrigin: crossOrigin,
                checksums: checksums(endpoint),
                hidden: quarantine
            )
            let upstream = Upstream(
                name: label,
                endpoint: endpoint,
                connectTimeout: connection.connectTimeout,
                responseTimeout: connection.responseTimeout,
                maxConnections: connection.maxConnections,
                caCertificate: connection.caCertificate
            )
            return (backend, upstream)
        case .azure(let connection):
            return try azureStore(
                connection,
                label: label,
                container: bucketName,
                prefix: prefix,
                quarantine: quarantine
            )
        case .gcs(let connection):
            return try googleStore(
                connection,
                label: label,
                bucketName: bucketName,
                prefix: prefix,
                quarantine: quarantine
            )
        case .file(let path):
            guard let place = stores[path] else {
                throw SnapshotFailure("the file backend \(path) is new; it is opened at the next start")
            }
            let backend = S3Backend(
                endpoint: place.endpoint,
                region: place.region,
                bucketName: bucketName,
                prefix: prefix,
                signer: SigV4Signer(
                    accessKeyID: place.accessKeyID,
                    secret: place.secretAccessKey,
                    region: place.region
                ),
                crossOrigin: crossOrigin,
                checksums: checksums(place.endpoint),
                hidden: quarantine
            )
            return (backend, Upstream(name: label, endpoint: place.endpoint))
        }
    }

    private func googleStore(
        _ connection: GoogleConnection,
        label: String,
        bucketName: String,
        prefix: String,
        quarantine: [UInt8]
    ) throws -> (any Backend, Upstream) {
        guard let endpoint = Endpoint(url: connection.endpoint.description) else {
            throw SnapshotFailure("\(connection.endpoint) is not a store's URL")
        }
        let credential: GoogleCredential
        switch connection.credential {
        // Nothing is sent before there is one.
        case nil: credential = connection.source.flatMap(bearer).map { .token($0) } ?? .anonymous
        case .hmac(let accessID, let secret):
            credential = .hmac(GoogleSigner(identity: accessID, key: .hmac(secret)))
        case .serviceAccount(let keyFile):
            do {
                credential = .serviceAccount(try GoogleServiceAccount(keyFile: keyFile))
            } catch {
                throw SnapshotFailure("service_account_key of \(label) \(error.words)")
            }
        }
        let backend = GoogleBackend(
            endpoint: endpoint,
            publicEndpoint: connection.publicEndpoint.flatMap { Endpoint(url: $0.description) },
            bucketName: bucketName,
            prefix: prefix,
            credential: credential,
            hidden: quarantine
        )
        let upstream = Upstream(
            name: label,
            endpoint: endpoint,
            connectTimeout: connection.connectTimeout,
            responseTimeout: connection.responseTimeout,
            maxConnections: connection.maxConnections,
            caCertificate: connection.caCertificate
        )
        return (backend, upstream)
    }

    private func azureStore(
        _ connection: AzureConnection,
        label: String,
        container: String,
        prefix: String,
        quarantine: [UInt8]
    ) throws -> (any Backend, Upstream) {
        // Nothing is sent before there is a token, where one is to be obtained.
        var credential =
            connection.source.flatMap(bearer).map { AzureCredential.bearer($0, delegation: nil) } ?? .anonymous
        if let key = connection.accessKey {
            guard let signer = SharedKeySigner(account: connection.account, key: key) else {
                throw SnapshotFailure("the access_key of \(connection.account) is not base64")
            }
            credential = .sharedKey(signer)
        }
        guard let endpoint = Endpoint(url: connection.address) else {
            throw SnapshotFailure("\(connection.address) is not a store's URL")
        }
        let backend = AzureBackend(
            account: connection.account,
            container: container,
            endpoint: endpoint,
            publicEndpoint: connection.publicEndpoint.flatMap { Endpoint(url: $0.description) },
            prefix: prefix,
            credential: credential,
            hidden: quarantine
        )
        let upstream = Upstream(
            name: label,
            endpoint: endpoint,
            connectTimeout: connection.connectTimeout,
            responseTimeout: connection.responseTimeout,
            maxConnections: connection.maxConnections,
            caCertificate: connection.caCertificate
        )
        return (backend, upstream)
    }

    // MARK: - Credentials

    private func lease(of backend: BackendConfiguration) -> CredentialLease? {
        guard let source = backend.credentialSource else { return nil }
        let term = obtained[source].map { held in
            CredentialLease.Term(version: held.version, expiresAt: held.expiresAt, usableUntil: held.usableUntil)
        }
        return CredentialLease(source, term: term, from: credentials ?? NobodysCredentials())
    }

    /// Nil: there is none yet.
    private func bearer(_ source: CredentialSource) -> Secret<String>? {
        guard case .bearer(let token)? = obtained[source]?.credential else { return nil }
        return token
    }

    /// Nil: nothing is signed, or nothing yet.
    private func signer(_ authentication: StoreAuthentication, region: String) -> SigV4Signer? {
        switch authentication {
        case .none: return nil
        case .keys(let credential):
            return SigV4Signer(
                accessKeyID: credential.accessKeyID,
                secret: credential.secretAccessKey,
                sessionToken: credential.sessionToken,
                region: region
            )
        case .obtained(let source):
            guard case .keys(let pair)? = obtained[source]?.credential else { return nil }
            return SigV4Signer(
                accessKeyID: pair.id,
                secret: pair.secret,
                sessionToken: pair.sessionToken,
                region: region
            )
        }
    }

    private static func routes(_ routes: [RouteConfiguration]) -> RouteTable? {
        guard !routes.isEmpty else { return nil }
        return RouteTable(
            routes.map { route in
                Route(
                    route.path,
                    methods: Set(route.methods.compactMap { Route.Method(rawValue: $0.rawValue) }),
                    bucket: route.bucket,
                    key: route.key,
                    delivery: delivery(of: route),
                    lifetime: route.ttl,
                    callers: route.anonymous ? .everybody : .known,
                    contentDisposition: route.contentDisposition.isEmpty ? nil : route.contentDisposition,
                    contentType: route.contentType.isEmpty ? nil : route.contentType
                )
            }
        )
    }

    private static func delivery(of route: RouteConfiguration) -> Route.Delivery {
        switch route.delivery {
        case .proxy: .proxy
        case .redirect: .redirect
        case .auto: .auto(above: route.redirectAbove)
        }
    }

    private static func rules(_ rules: [CORSRule]) -> CrossOriginRules? {
        CrossOriginRules(
            rules.map { rule in
                CORSConfiguration.Rule(
                    allowedOrigins: rule.allowedOrigins,
                    allowedMethods: rule.allowedMethods,
                    allowedHeaders: rule.allowedHeaders,
                    exposedHeaders: rule.exposeHeaders,
                    maxAgeSeconds: Int(rule.maxAge.components.seconds)
                )
            }
        )
    }

    private static func name(_ text: String) throws -> BucketName {
        guard let name = BucketName(validating: text) else { throw SnapshotFailure("\(text) is not a bucket name") }
        return name
    }
}

/// Of a snapshot that nothing is carried by.
private struct NobodysCredentials: CredentialOffice {
    func obtain(_ source: CredentialSource) async -> CredentialFinding {
        .unavailable(reason: "credentials are obtained by a running gateway alone", retryAfter: .seconds(1))
    }

    func refused(_ source: CredentialSource, version: Int) {}
}

/// Why a valid configuration can't be put in force.
struct SnapshotFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

extension BackendConfiguration {
    var kind: BackendKind {
        switch self {
        case .s3: .s3
        case .gcs: .gcs
        case .azure: .azure
        case .file: .file
        }
    }
}

extension GoogleServiceAccount.Refusal {
    fileprivate var words: String {
        switch self {
        case .malformed: "is not the JSON document of a key file"
        case .otherType: "is not the key file of a service account"
        case .missing(let name): "has no \(name)"
        case .key(.malformed): "holds no RSA private key that can be read"
        case .key(.tooShort): "holds an RSA key of less than 2048 bits"
        case .key(.unusable): "holds an RSA key that can't sign"
        }
    }
}
