package import Identity
package import Journal
package import WireFormats

/// What the admin listener shows and may do, as values and closures: the running gateway as seen from here.
package struct AdminSources: Sendable {
    package var version: String
    package var startedAt: Instant
    package var now: @Sendable () -> Instant
    /// So many unpredictable bytes.
    package var random: @Sendable (Int) -> [UInt8]
    package var metrics: MetricsRegistry
    package var readiness: @Sendable () async -> ReadinessReport
    package var buckets: @Sendable () async -> [BucketStatus]
    /// The configuration in force as JSON, secrets already masked.
    package var effectiveConfiguration: @Sendable () async -> [UInt8]
    package var reload: @Sendable () async -> ReloadReport
    /// Whose API key this is, compared in constant time.
    package var authenticate: @Sendable (_ apiKey: [UInt8]) -> AdminAuthentication
    /// Whether somebody who logged in earlier, with that key, is still an admin and has it still.
    package var isAdmin: @Sendable (Principal, APIKeyDigest) -> Bool
    /// What a captured request is explained by.
    package var explainBasis: @Sendable () -> ExplainBasis
    package var auditLog: AuditLog?
    /// Whether clients reach us over https, by `public_url` or by the listener.
    package var isReachedOverTLS: @Sendable () -> Bool = { false }
    /// What became of upload slots; nil: none are issued.
    package var uploads: UploadReport?
    /// What was given to others; nil: nothing is.
    package var grants: GrantAPI?
    /// What is revoked with; nil: nothing can be.
    package var revocation: RevocationDesk?

    package init(
        version: String,
        startedAt: Instant,
        now: @escaping @Sendable () -> Instant,
        random: @escaping @Sendable (Int) -> [UInt8],
        metrics: MetricsRegistry,
        readiness: @escaping @Sendable () async -> ReadinessReport,
        buckets: @escaping @Sendable () async -> [BucketStatus],
        effectiveConfiguration: @escaping @Sendable () async -> [UInt8],
        reload: @escaping @Sendable () async -> ReloadReport,
        authenticate: @escaping @Sendable (_ apiKey: [UInt8]) -> AdminAuthentication,
        isAdmin: @escaping @Sendable (Principal, APIKeyDigest) -> Bool,
        explainBasis: @escaping @Sendable () -> ExplainBasis,
        auditLog: AuditLog? = nil
    ) {
        self.version = version
        self.startedAt = startedAt
        self.now = now
        self.random = random
        self.metrics = metrics
        self.readiness = readiness
        self.buckets = buckets
        self.effectiveConfiguration = effectiveConfiguration
        self.reload = reload
        self.authenticate = authenticate
        self.isAdmin = isAdmin
        self.explainBasis = explainBasis
        self.auditLog = auditLog
    }
}

/// What an API key says about its bearer at the admin listener.
package enum AdminAuthentication: Sendable {
    case admin(Principal)
    /// A valid key of somebody without the role.
    case notAdmin(Principal)
    case unknown
}
