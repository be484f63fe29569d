import Hummingbird
import HummingbirdCore
import Identity
import Journal
package import Logging
package import NIOCore
import ServiceLifecycle

/// The admin listener: console, admin API, metrics and health on an address of its own, and the same on the command
/// line's Unix socket. Runs until the service group shuts down; fails if an address can't be had.
package final class AdminListener: Service {
    private let settings: AdminSettings
    private let sources: AdminSources
    private let group: any EventLoopGroup
    private let logger: Logger
    private let onServing: @Sendable (Int) async -> Void
    private let hosts: HostRules
    private let sessions = SessionStore()
    private let limit = AttemptLimit()
    private let pages: ConsolePages

    /// `onServing` is called once with the port that was taken, when requests are answered.
    package init(
        settings: AdminSettings,
        sources: AdminSources,
        group: any EventLoopGroup,
        logger: Logger,
        onServing: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) throws {
        self.settings = settings
        self.sources = sources
        self.group = group
        self.logger = logger
        self.onServing = onServing
        hosts = HostRules(settings)
        pages = try ConsolePages()
    }

    package func run() async throws {
        let network = application(
            .network(hosts),
            address: .hostname(settings.host, port: settings.port)
        ) { [hosts, settings, onServing] channel in
            let port = channel.localAddress?.port ?? settings.port
            hosts.bound(to: port)
            await onServing(port)
        }
        guard let path = settings.socketPath else { return try await serve(network) }
        let socket = try AdminSocket(path: path, random: sources.random)
        defer { socket.remove() }
        let local = application(.socket, address: .unixDomainSocket(path: socket.bindingPath)) { [logger] _ in
            do {
                try socket.publish()
            } catch {
                logger.error("the admin socket is not available", metadata: ["error": "\(error)"])
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await self.serve(network) }
            tasks.addTask { try await local.run() }
            do {
                while try await tasks.next() != nil {}
            } catch {
                tasks.cancelAll()
                throw error
            }
        }
    }

    private func serve(_ network: some ApplicationProtocol) async throws {
        do {
            try await network.run()
        } catch let error as IOError {
            // Once it listens, trouble with a connection is that connection's.
            let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
            throw ListenFailure(at: "\(host):\(settings.port)", error)
        }
    }

    private func application(
        _ side: AdminGate.Side,
        address: BindAddress,
        serving: @escaping @Sendable (any Channel) async -> Void
    ) -> some ApplicationProtocol {
        Application(
            router: router(side),
            server: .http1(
                configuration: .init(
                    idleTimeout: .seconds(75),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 8 * 1024,
                        maxHeaderListSize: 32 * 1024,
                        maxHeaderFieldCount: 100
                    )
                )
            ),
            configuration: ApplicationConfiguration(
                address: address,
                availableConnectionsDelegate: MaximumAvailableConnections(256)
            ),
            onServerRunning: serving,
            eventLoopGroupProvider: .shared(group),
            logger: logger
        )
    }

    private func router(_ side: AdminGate.Side) -> Router<AdminContext> {
        let router = Router(context: AdminContext.self, options: .autoGenerateHeadEndpoints)
        let gate = AdminGate(side: side, sources: sources, sessions: sessions, limit: limit)
        router.add(middleware: HardeningHeaders(sources))
        router.add(middleware: gate)
        AdminRoutes(sources: sources).add(to: router)
        ExplainRoute(sources: sources).add(to: router)
        if let desk = sources.revocation { SessionRoutes(sources: sources, desk: desk).add(to: router) }
        GrantRoutes(sources: sources, pages: pages).add(to: router)
        LoginRoutes(sources: sources, sessions: sessions, gate: gate, pages: pages).add(to: router)
        router.get("/") { [sources, pages] _, context in
            let status = await AdminStatus(sources)
            return AdminReply.html(pages.overview(status, await sources.uploads?.funnel, caller: context.caller))
        }
        return router
    }
}
