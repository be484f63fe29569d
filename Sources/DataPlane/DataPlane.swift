package import Admission
package import Journal
package import Logging
package import NIOCore
package import NIOPosix
package import NIOSSL
package import Pipeline
import Synchronization
import WireFormats

/// The public listener: accepts connections, spreads them over the event loops, and ends them in an orderly way.
package final class DataPlane: Sendable {
    /// Connections that the kernel has completed are accepted after the end was asked for until none came for so long.
    private static let backlogGrace = Duration.milliseconds(50)
    /// And no longer than this, because others keep coming.
    private static let longestBacklog = Duration.seconds(1)

    private let loops: [NIOLoopBound<LoopContext>]
    private let group: MultiThreadedEventLoopGroup
    private let counts = SharedCounts()
    private let logger: Logger
    private let listener = Mutex<(any Channel)?>(nil)
    private let draining = Atomic<Bool>(false)

    /// - Parameters:
    ///   - group: one event loop for each core that shall serve.
    ///   - journal: makes a loop its share of the journal; called once on each.
    package init(
        group: MultiThreadedEventLoopGroup,
        snapshot: Snapshot,
        limiter: Limiter,
        tokens: any TokenVerifier = NoTokens(),
        authorizer: any Authorizer = NoAuthorizer(),
        desk: (any APIDesk)? = nil,
        grants: GrantSource? = nil,
        revocations: RevocationBook? = nil,
        journal: @escaping @Sendable () -> LoopJournal,
        tls: NIOSSLContext?,
        logger: Logger
    ) async throws {
        self.group = group
        self.logger = logger
        let eventLoops = Array(group.makeIterator())
        let counts = self.counts
        var loops: [NIOLoopBound<LoopContext>] = []
        for eventLoop in eventLoops {
            let bound = eventLoop.submit {
                let context = LoopContext(
                    eventLoop: eventLoop,
                    loopCount: eventLoops.count,
                    snapshot: snapshot,
                    limiter: limiter,
                    tokens: tokens,
                    authorizer: authorizer,
                    desk: desk,
                    grants: grants,
                    revocations: revocations,
                    journal: journal(),
                    shared: counts,
                    logger: logger
                )
                context.listenerTLS = tls
                context.start()
                return NIOLoopBound(context, eventLoop: eventLoop)
            }
            loops.append(try await bound.get())
        }
        self.loops = loops
    }

    // MARK: - Listening

    /// Binds and begins to accept. An address in use is an error: two instances never share a port silently.
    package func listen(host: String, port: Int) async throws -> SocketAddress {
        let byLoop = Dictionary(uniqueKeysWithValues: loops.map { (ObjectIdentifier($0.eventLoop), $0) })
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.recvAllocator, value: ReadSizes.client)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.writeBufferWaterMark, value: ReadSizes.waterMark)
            .childChannelOption(.allowRemoteHalfClosure, value: false)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let loop = byLoop[ObjectIdentifier(channel.eventLoop)]?.value else {
                        throw ChannelError.operationUnsupported
                    }
                    try Self.prepare(channel, on: loop)
                }
            }
            .bind(host: host, port: port)
            .get()
        listener.withLock { $0 = channel }
        guard let address = channel.localAddress else { throw ChannelError.unknownLocalAddress }
        return address
    }

    private static func prepare(_ channel: any Channel, on loop: LoopContext) throws {
        let counts = loop.shared
        let open = counts.openConnections.add(1, ordering: .relaxed).newValue
        // Counted out by the channel's own end: one that dies before it is active has no other.
        channel.closeFuture.assumeIsolated().whenComplete { _ in
            counts.openConnections.subtract(1, ordering: .relaxed)
        }
        guard open <= loop.snapshot.server.maxConnections else {
            loop.logger.notice("connection refused: max_connections are open")
            throw ChannelError.ioOnClosedChannel
        }
        let peer = channel.remoteAddress.flatMap(IPAddress.init(peer:))
        let tls = loop.listenerTLS
        let connection = ClientConnection(loop: loop, facts: ConnectionFacts(peer: peer, isSecure: tls != nil))
        let pipeline = channel.pipeline.syncOperations
        if loop.snapshot.server.proxyProtocol {
            guard let peer, loop.snapshot.server.trustedProxies.contains(where: { $0.contains(peer) }) else {
                throw ChannelError.ioOnClosedChannel
            }
            try pipeline.addHandler(PreambleHandler(logger: loop.logger) { connection.facts.peer = $0 })
        }
        if let tls {
            try pipeline.addHandler(PlainTextHandler())
            try pipeline.addHandler(NIOSSLServerHandler(context: tls))
        }
        try pipeline.addHandler(connection)
    }

    // MARK: - While running

    /// Puts a new snapshot in force, on each loop between two events.
    package func publish(_ snapshot: Snapshot, tls: NIOSSLContext?) {
        for loop in loops {
            loop.eventLoop.execute {
                loop.value.adopt(snapshot)
                if loop.value.listenerTLS != nil, let tls { loop.value.listenerTLS = tls }
            }
        }
    }

    /// One closure for each loop that hops onto it and copies what it counted.
    package var metricsSources: [@Sendable () async -> LoopMetrics] {
        loops.map { loop in
            { (try? await loop.eventLoop.submit { loop.value.collectMetrics() }.get()) ?? LoopMetrics() }
        }
    }

    // MARK: - The end

    /// The end was asked for.
    package var isDraining: Bool { draining.load(ordering: .relaxed) }

    /// Stops accepting, lets requests under way finish for at most `timeout`, then closes what is left.
    package func drain(within timeout: Duration) async {
        let deadline = ContinuousClock.now + timeout
        draining.store(true, ordering: .relaxed)
        await onEachLoop { $0.beginDraining() }
        await acceptBacklog()
        if let channel = listener.withLock({ $0 }) { try? await channel.close().get() }
        while counts.openConnections.load(ordering: .relaxed) > 0, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(20))
        }
        await onEachLoop { $0.closeAll() }
        await onEachLoop { $0.journal.flush() }
    }

    /// Connections that the kernel has already completed for us are clients too.
    private func acceptBacklog() async {
        let latest = ContinuousClock.now + Self.longestBacklog
        var accepted: UInt64
        repeat {
            accepted = await acceptedConnections
            try? await Task.sleep(for: Self.backlogGrace)
        } while await acceptedConnections != accepted && ContinuousClock.now < latest
    }

    private var acceptedConnections: UInt64 {
        get async {
            var sum: UInt64 = 0
            for loop in loops {
                sum += (try? await loop.eventLoop.submit { loop.value.journal.metrics.connectionsAccepted }.get()) ?? 0
            }
            return sum
        }
    }

    private func onEachLoop(_ work: @escaping @Sendable (LoopContext) -> Void) async {
        for loop in loops {
            try? await loop.eventLoop.submit { work(loop.value) }.get()
        }
    }
}

extension IPAddress {
    /// The address of a TCP peer; nil for a Unix socket.
    init?(peer: SocketAddress) {
        guard let text = peer.ipAddress else { return nil }
        self.init(text)
    }
}
