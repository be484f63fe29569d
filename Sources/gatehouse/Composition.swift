import Admission
import ControlPlane
import DataPlane
import Federation
import Journal
import Logging
import NIOCore
import NIOPosix
import SQLiteState
import ServiceLifecycle
import Settings
import WireFormats

/// The composition root: everything that one gateway is made of, listening, and what runs until its end.
struct Composition {
    let services: [any Service]

    init(
        _ configuration: GatehouseConfiguration,
        from reading: ConfigurationReading,
        setup: Setup,
        loops: Int,
        startedAt: Instant,
        opening opened: inout Opened,
        logger: Logger
    ) async throws {
        let files = try InstanceFiles(configuration, opening: &opened, logger: logger)
        let believed = try await Believed(configuration, files, logger: logger)
        let known = try await KnownGrants(
            files.state,
            maxStaleness: configuration.state.maxStaleness,
            logger: logger
        )
        let uploads = UploadServices(
            state: files.state,
            revocations: known.revocations,
            current: believed.current,
            queue: configuration.uploads.queue,
            auditLog: files.journal.audit,
            logger: logger
        )
        opened.add { await uploads.close() }
        let log = IssueLog(files.journal.audit, grants: files.state)
        let grants = GrantAPI(files.state, keeper: known.grants, log: log, random: NewKey.random)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        opened.add { try? await group.shutdownGracefully() }
        let dataPlane = try await DataPlane(
            group: group,
            snapshot: believed.current.now,
            limiter: Limiter(),
            tokens: believed.tokens,
            authorizer: believed.application,
            desk: Self.desk(uploads, grants, log, files.state),
            grants: known.grants.source,
            revocations: known.revocations.book,
            journal: { [journal = files.journal] in LoopJournal(accessLog: journal.access, auditLog: journal.audit) },
            tls: try ListenerTLS.context(configuration.server.tls),
            logger: logger
        )
        let metrics = MetricsRegistry(version: Version.current, startedAt: startedAt)
        for source in dataPlane.metricsSources { metrics.register(loop: source) }
        metrics.observe(accessLog: files.journal.access, auditLog: files.journal.audit)
        uploads.observe(by: metrics)
        StateFeed.observe(known.feeds, by: metrics)
        let running = RunningConfiguration(
            file: setup.file,
            reading: reading,
            configuration: configuration,
            snapshot: believed.current,
            compiler: believed.compiler,
            stores: files.stores,
            dataPlane: dataPlane,
            tokens: believed.tokens,
            application: believed.application,
            grants: known.grants.source,
            credentials: believed.credentials,
            metrics: metrics,
            logger: logger
        )
        believed.credentials.publish { await running.credentialsChanged() }
        believed.credentials.observe(by: metrics, under: believed.current)
        var sources = running.adminSources(
            startedAt: startedAt,
            auditLog: files.journal.audit,
            revocations: known.revocations.book,
            state: { [feeds = known.feeds] in feeds.map(\.check) }
        )
        sources.uploads = uploads.report
        sources.grants = grants
        sources.revocation = RevocationDesk(
            keeper: known.revocations,
            grants: files.state,
            grantKeeper: known.grants,
            snapshot: { [current = believed.current] in current.now }
        )
        let admin = try await Self.listen(dataPlane, configuration, sources, setup, logger)
        services =
            [files.stores] + uploads.services + (known.feeds as [any Service]) + [
                admin,
                ReloadService(running: running, journal: files.journal, logger: logger),
                StateUpkeep(state: files.state, running: running, logger: logger),
                StoreProbeService(
                    running: running,
                    probe: StoreProbe(group: MultiThreadedEventLoopGroup.singleton),
                    logger: logger
                ),
                KeyService(tokens: believed.tokens),
                StartingCode(),
                CredentialService(credentials: believed.credentials, current: believed.current),
                DataPlaneService(dataPlane: dataPlane, running: running),
            ]
    }

    /// Everything that the JSON API does.
    private static func desk(
        _ services: UploadServices,
        _ grants: GrantAPI,
        _ log: IssueLog,
        _ state: SQLiteState
    ) -> Desk {
        let uploads = Uploads(services.slots, log, creations: state)
        return Desk(
            [Downloads(log, random: NewKey.random).operation] + uploads.operations + grants.operations,
            events: services.events,
            version: Version.current
        )
    }

    /// The data plane serves from here on; the admin listener will, and tells then where both do.
    private static func listen(
        _ dataPlane: DataPlane,
        _ configuration: GatehouseConfiguration,
        _ sources: AdminSources,
        _ setup: Setup,
        _ logger: Logger
    ) async throws -> AdminListener {
        let server = configuration.server
        let address: SocketAddress
        do {
            address = try await dataPlane.listen(host: server.listen.host, port: server.listen.port)
        } catch {
            throw StartFailure("\(ListenFailure(at: "\(server.listen)", error))")
        }
        return try AdminListener(
            settings: AdminSettings(
                host: server.adminListen.host,
                port: server.adminListen.port,
                allowedHosts: configuration.admin.allowedHosts,
                socketPath: adminSocket(of: configuration, logger)
            ),
            sources: sources,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: logger,
            onServing: { port in
                setup.announce(port: address.port ?? 0, adminPort: port, configuration: configuration)
            }
        )
    }

    /// Where the command line reaches this instance. In a folder whose path is too long for a socket there is none: that
    /// is no reason not to serve.
    private static func adminSocket(of configuration: GatehouseConfiguration, _ logger: Logger) -> String? {
        guard let folder = configuration.state.folder else { return nil }
        let path = folder + "/gatehouse.sock"
        guard path.utf8.count <= AdminSettings.longestSocketPath else {
            logger.warning("no admin socket: its path is too long for the system", metadata: ["path": "\(path)"])
            return nil
        }
        return path
    }
}

/// Keeps the keys of identity providers fresh.
struct KeyService: Service {
    let tokens: ProviderTokens

    func run() async throws {
        await cancelWhenGracefulShutdown { await tokens.keepFresh() }
    }
}

/// Serves until the group ends, then drains.
struct DataPlaneService: Service {
    let dataPlane: DataPlane
    let running: RunningConfiguration

    func run() async throws {
        try? await gracefulShutdown()
        await dataPlane.drain(within: await running.drainTimeout)
    }
}
