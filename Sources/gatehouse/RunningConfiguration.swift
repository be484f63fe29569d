import Admission
import Backends
import ControlPlane
import Crypto
import DataPlane
import Federation
import Foundation
import Identity
import Journal
import Logging
import NIOSSL
import Pipeline
import Settings
import WireFormats

/// The configuration in force, and the way to another one: read, compiled completely, then published. A file with
/// errors changes nothing.
actor RunningConfiguration {
    private let file: ConfigurationFile
    private var compiler: SnapshotCompiler
    private let stores: EmbeddedStores
    private let dataPlane: DataPlane
    private let tokens: ProviderTokens
    private let application: Application
    private let grants: GrantSource
    private let credentials: StoreCredentials
    private let metrics: MetricsRegistry
    private let logger: Logger
    /// What is in force.
    private var configuration: GatehouseConfiguration
    /// What the process was started with, which some keys stay at.
    private let started: GatehouseConfiguration
    /// The keys of the file that wait for a restart.
    private var pending: [String] = []
    /// Of the inputs read last, whether they could be used or not.
    private var digest: [UInt8]
    private var generation = 1
    private var lastReload: Task<ReloadReport, Never>?
    /// What stores said of themselves when they were asked last.
    private var findings: StoreFindings = [:]
    /// Stores that are still to be asked.
    private var unasked: Set<Endpoint>
    private var lastProblems: [String] = []
    /// Read by the admin listener, which does not wait.
    private let snapshot: CurrentSnapshot
    /// Of the credentials that are part of the snapshot in force.
    private var credentialVersion = 0

    init(
        file: ConfigurationFile,
        reading: ConfigurationReading,
        configuration: GatehouseConfiguration,
        snapshot: CurrentSnapshot,
        compiler: SnapshotCompiler,
        stores: EmbeddedStores,
        dataPlane: DataPlane,
        tokens: ProviderTokens,
        application: Application,
        grants: GrantSource,
        credentials: StoreCredentials,
        metrics: MetricsRegistry,
        logger: Logger
    ) {
        self.file = file
        self.configuration = configuration
        started = configuration
        unasked = configuration.endpointsToAsk
        digest = reading.inputs.digest
        self.snapshot = snapshot
        self.compiler = compiler
        self.stores = stores
        self.dataPlane = dataPlane
        self.tokens = tokens
        self.application = application
        self.grants = grants
        self.credentials = credentials
        self.metrics = metrics
        self.logger = logger
    }

    var drainTimeout: Duration { configuration.server.drainTimeout }

    var uploads: UploadsConfiguration { configuration.uploads }

    /// Whether what would be read now differs from what was read last.
    func hasChanged() -> Bool {
        file.read().reading.inputs.digest != digest
    }

    /// One after the other, so that what was read last is what holds.
    func reload() async -> ReloadReport {
        let reload = Task { [lastReload] in
            _ = await lastReload?.value
            return await readAnew()
        }
        lastReload = reload
        return await reload.value
    }

    private func readAnew() async -> ReloadReport {
        let (reading, read) = file.read()
        digest = reading.inputs.digest
        do {
            guard let read else { throw SnapshotFailure(reading.errors.map(\.description).joined(separator: "\n")) }
            let restart = RestartRequired(since: started, reading: read)
            let tls = try ListenerTLS.context(restart.inForce.server.tls)
            var next = compiler
            next.stores = try stores.places(for: restart.inForce)
            // What can't be compiled opens no folder.
            _ = try next.compile(restart.inForce, generation: generation + 1, knowing: findings)
            try await stores.open(restart.inForce, at: next.stores)
            // What stores said meanwhile, and the credentials that came, are in it.
            let compiled = try next.compile(restart.inForce, generation: generation + 1, knowing: findings)
            compiler = next
            generation += 1
            tokens.adopt(compiled)
            configuration = restart.inForce
            pending = restart.keys
            unasked = configuration.endpointsToAsk
            snapshot.withLock { $0 = compiled }
            dataPlane.publish(compiled, tls: tls)
            credentials.adopt(compiled)
            lastProblems = []
            metrics.configurationReloaded(succeeded: true, at: Clock.now())
            logger.notice("configuration reloaded", metadata: ["generation": "\(generation)"])
            for message in pendingMessages { logger.warning("\(message)") }
            return ReloadReport(succeeded: true, messages: reading.warnings.map(\.description) + pendingMessages)
        } catch {
            lastProblems = reading.errors.isEmpty ? ["\(error)"] : reading.errors.map(\.description)
            metrics.configurationReloaded(succeeded: false, at: Clock.now())
            logger.error(
                "configuration not reloaded: the running one stays in force",
                metadata: ["problems": "\(lastProblems.joined(separator: "; "))"]
            )
            return ReloadReport(succeeded: false, messages: lastProblems)
        }
    }

    private var pendingMessages: [String] {
        pending.map { "\($0) takes effect after a restart" }
    }

    // MARK: - What stores are

    /// The stores that nobody has asked yet what they are.
    var storesToAsk: [Upstream] {
        guard !unasked.isEmpty else { return [] }
        var one: [Endpoint: Upstream] = [:]
        for upstream in snapshot.withLock({ $0 }).upstreams where unasked.contains(upstream.endpoint) {
            one[upstream.endpoint] = upstream
        }
        return one.values.sorted { $0.name < $1.name }
    }

    /// Puts what a store said in force: requests that come from now on are decided by it.
    func found(_ finding: StoreFinding, at endpoint: Endpoint) {
        let known = findings[endpoint]
        if case .unreachable = finding.state {
            // What it said before still holds.
            if known == nil { findings[endpoint] = finding }
            return
        }
        unasked.remove(endpoint)
        findings[endpoint] = finding
        guard finding.checksums != known?.checksums ?? .unknown else { return }
        do {
            let compiled = try compiler.compile(configuration, generation: generation + 1, knowing: findings)
            let tls = try ListenerTLS.context(configuration.server.tls)
            generation += 1
            snapshot.withLock { $0 = compiled }
            dataPlane.publish(compiled, tls: tls)
        } catch {
            logger.error("what a store is could not be put in force", metadata: ["error": "\(error)"])
        }
    }

    // MARK: - Credentials of stores

    /// Puts the credentials in force that were obtained since; nothing else changes. Whoever calls at the same time gets
    /// what the first call made.
    ///
    /// - Returns: the snapshot in force.
    func credentialsChanged() -> Snapshot {
        let version = credentials.version
        guard version != credentialVersion else { return snapshot.now }
        do {
            // The generation stays: what is remembered of tokens and of the application's answers still holds.
            let compiled = try compiler.compile(configuration, generation: generation, knowing: findings)
            let tls = try ListenerTLS.context(configuration.server.tls)
            credentialVersion = version
            snapshot.withLock { $0 = compiled }
            dataPlane.publish(compiled, tls: tls)
        } catch {
            logger.error("a store's credential could not be put in force", metadata: ["error": "\(error)"])
        }
        return snapshot.now
    }

    // MARK: - For the admin listener

    nonisolated func adminSources(
        startedAt: Instant,
        auditLog: AuditLog?,
        revocations: RevocationBook,
        state: @escaping @Sendable () -> [ReadinessReport.Check]
    ) -> AdminSources {
        var sources = AdminSources(
            version: Version.current,
            startedAt: startedAt,
            now: Clock.now,
            random: NewKey.random,
            metrics: metrics,
            readiness: { await self.readiness(auditLog, state()) },
            buckets: { await self.buckets },
            effectiveConfiguration: { await self.effectiveConfiguration },
            reload: { await self.reload() },
            authenticate: { key in self.authenticate(key) },
            isAdmin: { principal, key in self.isAdmin(principal, by: key) },
            revocations: revocations,
            explainBasis: {
                ExplainBasis(
                    snapshot: self.snapshot.withLock { $0 },
                    tokens: self.tokens,
                    authorizer: self.application,
                    grants: self.grants,
                    revocations: revocations
                )
            },
            auditLog: auditLog
        )
        sources.isReachedOverTLS = { self.snapshot.now.server.view.publicURL.hasPrefix("https:") }
        return sources
    }

    private var effectiveConfiguration: [UInt8] {
        Array(configuration.effective.rendered().utf8)
    }

    private func readiness(_ auditLog: AuditLog?, _ state: [ReadinessReport.Check]) -> ReadinessReport {
        var checks = [
            ReadinessReport.Check(
                name: "configuration",
                ok: lastProblems.isEmpty,
                detail: lastProblems.joined(separator: "\n")
            )
        ]
        if let auditLog {
            checks.append(
                ReadinessReport.Check(
                    name: "audit",
                    ok: auditLog.isHealthy,
                    detail: auditLog.isHealthy ? "" : "lines are being lost"
                )
            )
        }
        // Without the state, who is in the file is served: it is said, and this instance goes on.
        checks += state
        for (endpoint, finding) in findings.sorted(by: { $0.key.description < $1.key.description }) {
            checks.append(
                ReadinessReport.Check(
                    name: "store \(endpoint)",
                    ok: finding.health == .up,
                    detail: finding.detail
                )
            )
        }
        // One issuer's trouble is its own bearers': everybody else is served.
        checks += tokens.conditions.map { condition in
            ReadinessReport.Check(
                name: "identity_provider:" + condition.provider,
                ok: condition.problem == nil && condition.keys > 0,
                detail: "\(condition.keys) keys" + (condition.problem.map { "; " + $0 } ?? "")
            )
        }
        // A store without a credential is a bucket's trouble: all others are served.
        checks += credentialChecks
        // A bad file leaves the running configuration in force: it is said, but requests are served.
        let isRecorded = auditLog.map { $0.isHealthy || configuration.audit.onError == .continue } ?? true
        let isDraining = dataPlane.isDraining
        if isDraining { checks.append(ReadinessReport.Check(name: "server", ok: false, detail: "is ending")) }
        let ready = isRecorded && !isDraining
        return ReadinessReport(ready: ready, checks: checks, pendingRestart: pending)
    }

    private var credentialChecks: [ReadinessReport.Check] {
        let stores = snapshot.now.credentialSources
        func checks(
            _ kind: String,
            _ source: CredentialSource,
            ok: Bool,
            _ detail: String?...
        ) -> [ReadinessReport.Check] {
            (stores[source] ?? []).sorted().map { name in
                ReadinessReport.Check(
                    name: kind + ":" + name,
                    ok: ok,
                    detail: ([source.label] + detail.compactMap(\.self)).joined(separator: "; ")
                )
            }
        }
        let obtained = credentials.conditions.flatMap { condition in
            checks(
                condition.source.use == .urls ? "url_credential" : "credential",
                condition.source,
                ok: condition.problem == nil && condition.expiresAt != nil,
                condition.expiresAt.map { "ends " + Timestamp.iso8601($0) } ?? "none yet",
                condition.problem
            )
        }
        let signed = credentials.signatureConditions.flatMap { condition in
            checks(
                "url_credential",
                condition.source,
                ok: condition.problem == nil,
                "signed \(condition.made) URLs",
                condition.problem
            )
        }
        return (obtained + signed).sorted { $0.name < $1.name }
    }

    private func finding(_ backend: BackendConfiguration) -> StoreFinding? {
        backend.endpoint.flatMap { findings[$0] }
    }

    private var buckets: [BucketStatus] {
        configuration.buckets.map { bucket in
            let address: String
            switch bucket.backend {
            case .s3(let connection): address = connection.endpoint.description
            case .azure(let connection): address = connection.address
            case .gcs(let connection): address = connection.endpoint.description
            case .file(let path):
                return BucketStatus(name: bucket.name, backendType: "file", endpoint: path, health: .up)
            }
            let finding = finding(bucket.backend)
            return BucketStatus(
                name: bucket.name,
                backendType: "\(bucket.backend.kind)",
                endpoint: address,
                health: finding?.health ?? .unknown,
                detail: finding?.detail ?? ""
            )
        }
    }

    private nonisolated func authenticate(_ key: [UInt8]) -> AdminAuthentication {
        guard let user = snapshot.withLock({ $0 }).apiKeys.user(presenting: key) else { return .unknown }
        return user.role == .admin ? .admin(user.principal) : .notAdmin(user.principal)
    }

    private nonisolated func isAdmin(_ principal: Principal, by key: APIKeyDigest) -> Bool {
        let user = snapshot.withLock { $0 }.apiKeys.user(holding: key)
        return user?.role == .admin && user?.principal == principal
    }
}
