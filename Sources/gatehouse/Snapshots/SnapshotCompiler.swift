import Admission
import Federation
import HTTP1
import Identity
import Pipeline
import S3API
import Settings
import WireFormats

/// Makes the ``Snapshot`` that requests are decided by from the configuration that people write. Complete or not at all.
struct SnapshotCompiler: Sendable {
    /// Where the embedded stores of `file` backends are reached.
    var stores: EmbeddedPlaces
    /// Nil: nobody gets URLs to ourselves.
    var urlKeys: URLKeyring?
    /// What session tokens are sealed with where the configuration has no keys; nil: there are no sessions then.
    var sessionKeys: SessionKeyring?
    /// Nil: credentials that have to be obtained are not.
    var credentials: StoreCredentials?
    /// The credentials in force, all as of one moment.
    var obtained: [CredentialSource: StoreCredentials.Cache.Held] = [:]

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
            routes: configuration.routes.table,
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
            crossOrigin: server.cors.rules,
            hardening: HardeningFields.lines(frameOptions: "DENY", overTLS: overTLS)
        )
    }

    private func scopes(_ credentials: [CredentialConfiguration]) throws -> [String: [Scope]] {
        var scopes: [String: [Scope]] = [:]
        for credential in credentials {
            scopes[credential.key.id] = try credential.scopes.map { scope in
                Scope(
                    bucket: scope.bucket == "*" ? .every : .named(try name(scope.bucket)),
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

    func name(_ text: String) throws -> BucketName {
        guard let name = BucketName(validating: text) else { throw SnapshotFailure("\(text) is not a bucket name") }
        return name
    }
}

/// Why a valid configuration can't be put in force.
struct SnapshotFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
