package import Admission
package import Identity

/// A complete, valid configuration: every value of the contract that this version has, defaults filled in, secrets
/// resolved, references checked.
package struct GatehouseConfiguration: Sendable {
    package var server = ServerConfiguration()
    package var admin = AdminConfiguration()
    package var state = StateConfiguration()
    package var keys = KeysConfiguration()
    package var accounts: [AccountConfiguration] = []
    /// The entries of `[[buckets]]`, then the buckets that accounts name. No name occurs twice.
    package var buckets: [BucketConfiguration] = []
    package var users: [UserConfiguration] = []
    package var credentials: [CredentialConfiguration] = []
    package var identityProviders: [IdentityProviderConfiguration] = []
    package var roles: [RoleConfiguration] = []
    /// Identity providers that only roles name.
    package var sessionProviders: [IdentityProvider] = []
    package var routes: [RouteConfiguration] = []
    package var policies: [PolicyConfiguration] = []
    package var authorizer: AuthorizerConfiguration?
    package var gateways = GatewaysConfiguration()
    /// Of principals that have none of their own.
    package var limits = RequestLimits.unlimited
    package var accessLog = AccessLogConfiguration()
    package var audit = AuditConfiguration()
    package var uploads = UploadsConfiguration()

    /// What an empty file says.
    package init() {}

    /// The account whose `buckets` has "*"; at most one.
    package var accountOfEveryOtherBucket: AccountConfiguration? {
        accounts.first(where: \.ownsEveryOtherBucket)
    }
}

/// What came of reading a configuration.
package struct ConfigurationReading: Sendable {
    /// nil where any problem is an error.
    package let configuration: GatehouseConfiguration?
    /// All of them, in reading order.
    package let problems: [ConfigurationProblem]
    /// What was read, also where it could not be used: what to watch for the next attempt.
    package let inputs: ConfigurationInputs

    package var errors: [ConfigurationProblem] { problems.filter { $0.severity == .error } }
    package var warnings: [ConfigurationProblem] { problems.filter { $0.severity == .warning } }
}

extension GatehouseConfiguration {
    /// Reads the configuration at `path` with its includes, secrets and documents. Relative paths lead from the file that
    /// says them.
    ///
    /// - Parameter data: where the state and the audit log lie that have no absolute path; nil: as all other paths.
    package static func read(
        _ path: String,
        from source: any ConfigurationSource,
        data: String? = nil
    ) -> ConfigurationReading {
        let reader = ConfigurationReader(source: source, data: data)
        var configuration: GatehouseConfiguration?
        if let entries = ConfigurationFiles.read(path, with: reader) {
            let root = Section(entries, at: Origin(file: path, line: nil, path: .root), reader: reader)
            configuration = GatehouseConfiguration(reading: root)
        }
        let problems = reader.problems.inReadingOrder()
        if problems.contains(where: { $0.severity == .error }) { configuration = nil }
        return ConfigurationReading(configuration: configuration, problems: problems, inputs: reader.inputs)
    }

    /// Where an instance with this configuration keeps its state. Nothing else is read, so that whoever only looks for the
    /// instance needs none of its secrets.
    ///
    /// - Parameter data: as for ``read(_:from:data:)``.
    /// - Throws: the first problem of these files, or of `[state]`.
    package static func state(
        of path: String,
        from source: any ConfigurationSource,
        data: String? = nil
    ) throws(ConfigurationProblem) -> StateConfiguration {
        try part("state", of: path, from: source, data: data, StateConfiguration.init(reading:))
    }

    /// The same for where it writes its audit log.
    package static func auditLog(
        of path: String,
        from source: any ConfigurationSource,
        data: String? = nil
    ) throws(ConfigurationProblem) -> LogDestination {
        try part("audit", of: path, from: source, data: data, AuditConfiguration.destination(reading:))
    }

    private static func part<Part>(
        _ name: String,
        of path: String,
        from source: any ConfigurationSource,
        data: String?,
        _ read: (Section) -> Part
    ) throws(ConfigurationProblem) -> Part {
        let reader = ConfigurationReader(source: source, data: data)
        let entries = ConfigurationFiles.read(path, with: reader)
        let root = Section(entries ?? [:], at: Origin(file: path, line: nil, path: .root), reader: reader)
        let part = read(root.section(name))
        if let problem = reader.problems.inReadingOrder().first(where: { $0.severity == .error }) { throw problem }
        return part
    }

    private init(reading root: Section) {
        if root.has("server") { server = ServerConfiguration(reading: root.section("server")) }
        if root.has("admin") { admin = AdminConfiguration(reading: root.section("admin")) }
        state = StateConfiguration(reading: root.section("state"))
        // Also where there is no such section: the environment alone may say it.
        keys = KeysConfiguration(reading: root.section("keys"), publicURL: server.publicURL)
        if root.has("limits") { limits = LimitsConfiguration.standard(root.section("limits")) }
        if root.has("access_log") { accessLog = AccessLogConfiguration(reading: root.section("access_log")) }
        audit = AuditConfiguration(reading: root.section("audit"))
        if root.has("uploads") { uploads = UploadsConfiguration(reading: root.section("uploads")) }

        let accounts = root.sections("accounts").map(AccountReading.init(reading:))
        self.accounts = accounts.compactMap(\.?.configuration)
        readBuckets(root, accounts: accounts.compactMap(\.self))
        users = root.sections("users").compactMap { UserConfiguration(reading: $0, limits: limits) }
        credentials = root.sections("credentials").compactMap { CredentialConfiguration(reading: $0, limits: limits) }
        identityProviders = root.sections("identity_providers").compactMap(IdentityProviderConfiguration.init(reading:))
        IdentityProviderConfiguration.refuseAmbiguity(identityProviders, root.reader)
        roles = root.sections("roles").compactMap(RoleConfiguration.init(reading:))
        sessionProviders = RoleConfiguration.providers(identityProviders, trustedBy: roles, root.reader)
        if root.has("ext_authz") { gateways = GatewaysConfiguration(reading: root.section("ext_authz")) }
        let claims = identityProviders.reduce(into: RouteTemplate.usualClaims) { $0.formUnion($1.claims) }
        routes = root.sections("routes").compactMap { RouteConfiguration(reading: $0, claims: claims) }
        RouteConfiguration.check(routes, root.reader)
        policies = root.sections("policies").compactMap(PolicyConfiguration.init(reading:))
        if root.has("authorizer") { authorizer = AuthorizerConfiguration(reading: root.section("authorizer")) }
        _ = root.value("include")
        LaterSections.refuse(in: root)
        root.finish()
        References.check(self, root.reader)
        requireProvider(root.reader)
    }

    /// Where a store is shown tokens of ours, somebody must sign them.
    private func requireProvider(_ reader: ConfigurationReader) {
        // Where something else is wrong, the key may be what is.
        guard keys.provider == nil, reader.problems.allSatisfy({ $0.severity != .error }) else { return }
        let stores =
            accounts.map { ($0.backend, $0.origin) }
            + buckets.filter { $0.account == nil }.map { ($0.backend, $0.origin) }
        for (backend, origin) in stores where backend.credentialSource?.needsOwnTokens == true {
            reader.report(
                "has auth_type \"oidc\", and there is no key to sign our tokens with",
                at: origin,
                suggestion: "set OIDC_PROVIDER_KEY and OIDC_PROVIDER_ISSUER, or [keys]"
            )
        }
    }

    /// The entries of `[[buckets]]` and the buckets of accounts, each name once.
    private mutating func readBuckets(_ root: Section, accounts: [AccountReading]) {
        buckets = root.sections("buckets").compactMap { BucketConfiguration(reading: $0, accounts: accounts) }
        for account in accounts {
            for name in account.buckets where BucketConfiguration.claim(name, root.reader) && name.value != "*" {
                guard BucketConfiguration.validName(name, root.reader) != nil, let backend = account.backend else {
                    continue
                }
                buckets.append(
                    BucketConfiguration(
                        named: name.value,
                        of: account.name.value,
                        backend: backend,
                        checksums: account.checksums,
                        origin: name.origin
                    )
                )
            }
        }
        BackendBucket.markShared(&buckets)
    }
}

/// A bucket at a store, to see which are claimed twice.
private struct BackendBucket: Hashable {
    let store: String
    let bucket: String

    init(_ bucket: String, at backend: BackendConfiguration) {
        switch backend {
        case .s3(let connection): store = connection.endpoint.description
        case .gcs(let connection): store = connection.endpoint.description
        case .azure(let connection): store = connection.address
        case .file(let path): store = "file:" + path
        }
        self.bucket = bucket
    }

    /// An account of every other bucket has none that an entry has.
    static func markShared(_ buckets: inout [BucketConfiguration]) {
        var counts: [BackendBucket: Int] = [:]
        for bucket in buckets {
            counts[BackendBucket(bucket.backendBucket, at: bucket.backend), default: 0] += 1
        }
        for index in buckets.indices {
            let place = BackendBucket(buckets[index].backendBucket, at: buckets[index].backend)
            buckets[index].sharesBackendBucket = counts[place, default: 0] > 1
        }
    }
}
