import Admission
import AsyncHTTPClient
import ControlPlane
import DataPlane
import Federation
import Foundation
import Journal
import Logging
import NIOCore
import NIOPosix
import SQLiteState
import ServiceLifecycle
import Settings
import UnixSignals
import Valet
import WireFormats

/// The composition root: one running gateway, from its configuration to its end.
enum Instance {
    struct Options: Sendable {
        let config: String?
        let listen: ListenAddress?
        let adminListen: ListenAddress?
        /// Nil: where the configuration says.
        let data: String?
        let loops: Int
        let json: Bool
    }

    static func run(_ options: Options) async throws {
        let startedAt = Clock.now()
        let logger = makeLogger()
        let setup = try Setup(options)
        let (reading, read) = setup.file.read()
        for problem in reading.problems { StandardError.write("\(problem)") }
        guard let configuration = read else {
            throw StartFailure("\(setup.file.path) has \(reading.errors.count) error(s); nothing was started")
        }

        for left in LeftBehind.found(by: configuration, at: setup.file.path) {
            logger.warning(
                "a file lies in the working directory, where earlier builds kept it, and is not used: move it",
                metadata: ["from": "\(left.there)", "to": "\(left.here)"]
            )
        }
        let journal = try JournalFiles(configuration)
        let state = try compiled { try SQLiteState(configuration.state.place) }
        let stores = try EmbeddedStores(configuration, logger: logger)
        let limiter = Limiter()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: options.loops)
        let credentials = StoreCredentials(
            HTTPExchangeTransport(client: Self.client),
            surroundings: .ofProcess,
            logger: logger
        )
        let compiler = SnapshotCompiler(
            stores: stores.places,
            urlKeys: try await .kept(in: state),
            sessionKeys: try await .kept(in: state),
            credentials: credentials
        )
        let snapshot = try compiled { try compiler.compile(configuration, generation: 1) }
        let tokens = ProviderTokens(source: HTTPDocumentSource(client: Self.client), clock: Clock.now, logger: logger)
        tokens.adopt(snapshot)
        let application = Application(client: Self.client)
        let current = CurrentSnapshot(snapshot)
        let staleness = configuration.state.maxStaleness
        let grants = GrantKeeper(state, maxStaleness: staleness, clock: Clock.now)
        let revocations = RevocationKeeper(state, maxStaleness: staleness, clock: Clock.now)
        let uploads = UploadServices(
            state: state,
            revocations: revocations,
            current: current,
            queue: configuration.uploads.queue,
            auditLog: journal.audit,
            logger: logger
        )
        do {
            try await grants.refresh()
            try await revocations.refresh()
        } catch {
            throw StartFailure("the state can't be used: \(error)")
        }
        let issues = IssueLog(journal.audit, grants: state)
        let grantAPI = GrantAPI(state, keeper: grants, log: issues, random: NewKey.random)
        let dataPlane = try await DataPlane(
            group: group,
            snapshot: snapshot,
            limiter: limiter,
            tokens: tokens,
            authorizer: application,
            desk: desk(uploads, grantAPI, issues, state),
            grants: grants.source,
            revocations: revocations.book,
            journal: { LoopJournal(accessLog: journal.access, auditLog: journal.audit) },
            tls: try compiled { try ListenerTLS.context(configuration.server.tls) },
            logger: logger
        )
        let metrics = MetricsRegistry(version: Version.current, startedAt: startedAt)
        for source in dataPlane.metricsSources { metrics.register(loop: source) }
        metrics.observe(accessLog: journal.access, auditLog: journal.audit)
        uploads.observe(by: metrics)
        let feeds = [
            StateFeed(
                of: .grants,
                maxStaleness: staleness,
                logger: logger,
                refresh: { () async throws(StateError) in try await grants.refresh() },
                forget: { grants.forgetExpired() }
            ),
            StateFeed(
                of: .revocations,
                maxStaleness: staleness,
                logger: logger,
                refresh: { () async throws(StateError) in try await revocations.refresh() },
                forget: {
                    let given = grants.book.current
                    revocations.forgetOld { given.count(givenBy: $0) > 0 }
                }
            ),
        ]
        StateFeed.observe(feeds, by: metrics)

        let running = RunningConfiguration(
            file: setup.file,
            reading: reading,
            configuration: configuration,
            snapshot: current,
            compiler: compiler,
            stores: stores,
            dataPlane: dataPlane,
            tokens: tokens,
            application: application,
            grants: grants.source,
            credentials: credentials,
            metrics: metrics,
            logger: logger
        )
        credentials.publish { await running.credentialsChanged() }
        credentials.observe(by: metrics, under: current)
        var sources = running.adminSources(
            startedAt: startedAt,
            auditLog: journal.audit,
            revocations: revocations.book,
            state: { feeds.map(\.check) }
        )
        sources.uploads = uploads.report
        sources.grants = grantAPI
        sources.revocation = RevocationDesk(
            keeper: revocations,
            grants: state,
            grantKeeper: grants,
            snapshot: { current.now }
        )
        let address = try await listen(dataPlane, at: configuration.server.listen)
        let admin = try AdminListener(
            settings: AdminSettings(
                host: configuration.server.adminListen.host,
                port: configuration.server.adminListen.port,
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
        let services: [any Service] =
            [stores] + uploads.services + (feeds as [any Service]) + [
                admin,
                ReloadService(running: running, journal: journal, logger: logger),
                StateUpkeep(state: state, running: running, logger: logger),
                StoreProbeService(
                    running: running,
                    probe: StoreProbe(group: MultiThreadedEventLoopGroup.singleton),
                    logger: logger
                ),
                KeyService(tokens: tokens),
                StartingCode(),
                CredentialService(credentials: credentials, current: current),
                DataPlaneService(dataPlane: dataPlane, running: running),
            ]
        let serviceGroup = ServiceGroup(
            services: services,
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        do {
            try await serviceGroup.run()
        } catch {
            await uploads.close()
            await journal.close()
            await state.close()
            throw StartFailure("\(error)")
        }
        await uploads.close()
        await journal.close()
        await state.close()
        stores.removeSockets()
        try await group.shutdownGracefully()
    }

    /// Asks identity providers; lives as long as the process, however that ends.
    private static let client = HTTPClient(
        eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
        configuration: HTTPDocumentSource.configuration
    )

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

    private static func listen(_ dataPlane: DataPlane, at address: ListenAddress) async throws -> SocketAddress {
        do {
            return try await dataPlane.listen(host: address.host, port: address.port)
        } catch {
            throw StartFailure("\(ListenFailure(at: "\(address)", error))")
        }
    }

    private static func compiled<Value>(_ make: () throws -> Value) throws -> Value {
        do { return try make() } catch { throw StartFailure("\(error)") }
    }

    private static func makeLogger() -> Logger {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: "gatehouse")
        logger.logLevel = .notice
        return logger
    }
}

/// The wall clock.
enum Clock {
    @Sendable static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(nanosecondsSince1970: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
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
