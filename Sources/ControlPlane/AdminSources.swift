package import Admission
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
    /// Whose API key this is, compared in constant time; ``caller(presenting:)`` knows of blocks too.
    package var authenticate: @Sendable (_ apiKey: [UInt8]) -> AdminAuthentication
    /// Whether somebody who logged in earlier, with that key, is still an admin and has it still; ``admits(_:)`` knows of
    /// revocations too.
    package var isAdmin: @Sendable (Principal, APIKeyDigest) -> Bool
    /// What was ended before its time.
    package var revocations: RevocationBook
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
        revocations: RevocationBook,
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
        self.revocations = revocations
        self.explainBasis = explainBasis
        self.auditLog = auditLog
    }
}

extension AdminSources {
    /// Who shows this API key now: a block holds here as everywhere, so that nobody lifts their own.
    func caller(presenting key: [UInt8]) -> AdminAuthentication {
        let known = authenticate(key)
        guard case .admin(let principal) = known, revocations.current.blocks(.principal(principal)) else {
            return known
        }
        return .blocked(principal)
    }

    /// Whether a browser that logged in may still do what it could then.
    func admits(_ session: AdminSession) -> Bool {
        isAdmin(session.principal, session.key)
            && !revocations.current.ends(.principal(session.principal), issuedAt: session.startedAt)
    }
}

/// What an API key says about its bearer at the admin listener.
package enum AdminAuthentication: Sendable {
    case admin(Principal)
    /// A valid key of somebody without the role.
    case notAdmin(Principal)
    /// A valid key of an admin whom everything is taken from until that is lifted.
    case blocked(Principal)
    case unknown
}
