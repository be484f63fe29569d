import Backends
import Dispatch
import HTTP1
import Logging
import NIOCore
import NIOPosix
import Pipeline
import Samples
import Synchronization
import Testing

@testable import DataPlane

/// A store on a thread of its own that answers everything with an empty 200, and pools of connections to it on another.
struct PlayedStore: Sendable {
    final class Kept {
        var users: [Asker] = []
        /// What the pools' clock shows.
        var now = NIODeadline.now()
    }

    private let loop: any EventLoop
    private let port: Int
    private let taken: Taken
    /// Pools hold whom they serve by weak references.
    let kept: NIOLoopBound<Kept>

    static func serving(_ body: @Sendable (PlayedStore) async throws -> Void) async throws {
        let storeGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let taken = Taken()
        let server = try await ServerBootstrap(group: storeGroup)
            .childChannelInitializer { channel in
                taken.channels.withLock { $0.append(channel) }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answering())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let kept = try await loop.submit { NIOLoopBound(Kept(), eventLoop: loop) }.get()
        try await body(PlayedStore(loop: loop, port: server.localAddress?.port ?? 0, taken: taken, kept: kept))
        try await group.shutdownGracefully()
        try await storeGroup.shutdownGracefully()
    }

    /// The store's ends of all connections.
    private final class Taken: Sendable {
        let channels = Mutex<[any Channel]>([])
    }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let answer = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        }
    }

    func pool(limit: Int = 8, idleTimeout: Duration = .seconds(60)) -> NIOLoopBoundBox<UpstreamPool> {
        let endpoint = Endpoint(address: .tcp(host: "127.0.0.1", port: port), transport: .plain, authority: "played")
        let upstream = Upstream(name: "played", endpoint: endpoint, idleTimeout: idleTimeout)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let kept = kept
        let pool = UpstreamPool(
            upstream: upstream,
            eventLoop: loop,
            limit: limit,
            logger: logger,
            clock: { kept.value.now }
        )
        return NIOLoopBoundBox.makeBoxSendingValue(pool, eventLoop: loop)
    }

    /// On the loop.
    var now: NIODeadline { kept.value.now }

    /// Lets time pass for the pools. On the loop.
    func pass(_ time: TimeAmount) {
        kept.value.now = kept.value.now + time
    }

    /// Whether somebody who asks now hears that the store is left alone. On the loop.
    func isRefused(by pool: UpstreamPool) -> Bool {
        ask(pool).isRefused
    }

    /// An exchange of which nothing has been sent yet. On the loop.
    func begin(on connection: UpstreamConnection) {
        let user = Asker()
        kept.value.users.append(user)
        connection.begin(user, method: .get)
    }

    /// A connection that rests in the pool after an exchange.
    func rested(in pool: NIOLoopBoundBox<UpstreamPool>) async throws -> NIOLoopBound<UpstreamConnection> {
        let connection = try await leased(pool)
        try await serveOnce(on: connection, of: pool)
        return connection
    }

    /// One exchange, after which the connection rests.
    func serveOnce(
        on connection: NIOLoopBound<UpstreamConnection>,
        of pool: NIOLoopBoundBox<UpstreamPool>
    ) async throws {
        let store = self
        let idle = try await loop.submit {
            store.begin(on: connection.value)
            connection.value.send(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n"))
            connection.value.flush()
            return pool.value.idleCount
        }.get()
        try await until { pool.value.idleCount == idle + 1 }
    }

    func onLoop(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await loop.submit(body).get()
    }

    /// Somebody who asks now. On the loop.
    func ask(_ pool: UpstreamPool, for choice: UpstreamPool.Choice = .any) -> Asker {
        let user = Asker()
        kept.value.users.append(user)
        pool.lease(to: user, choice)
        return user
    }

    /// The store ends all connections, in the time of one turn of the loop: it cannot have come to read of it. On the loop.
    func endConnections() {
        let closing = DispatchGroup()
        for channel in taken.channels.withLock({ $0 }) {
            closing.enter()
            channel.close().whenComplete { _ in closing.leave() }
        }
        closing.wait()
    }

    func leased(_ pool: NIOLoopBoundBox<UpstreamPool>) async throws -> NIOLoopBound<UpstreamConnection> {
        let (loop, kept) = (loop, kept)
        return try await loop.flatSubmit {
            let promise = loop.makePromise(of: NIOLoopBound<UpstreamConnection>.self)
            let user = Asker()
            kept.value.users.append(user)
            user.told = {
                promise.completeWith($0.map { NIOLoopBound($0, eventLoop: loop) }.mapError { $0 as any Error })
            }
            pool.value.lease(to: user)
            return promise.futureResult
        }.get()
    }

    func until(_ condition: @escaping @Sendable () -> Bool) async throws {
        #expect(try await eventually { try await loop.submit(condition).get() }, "it never came to that")
    }
}

/// Somebody who wants a connection, and hears what came of it.
final class Asker: UpstreamUser {
    private(set) var connection: UpstreamConnection?
    private(set) var unavailable: UpstreamPool.Unavailable?
    var told: ((Result<UpstreamConnection, UpstreamPool.Unavailable>) -> Void)?

    var isToldToSlowDown: Bool { if case .queueFull = unavailable { true } else { false } }
    var isRefused: Bool { if case .broken = unavailable { true } else { false } }

    var caller: Breaker.Caller { .address([]) }
    var waitsForUpstream: Bool { connection == nil && unavailable == nil }
    var takesAnswerBytes: Bool { true }
    var hasSentWholeRequest: Bool { true }

    func upstreamReady(_ upstream: UpstreamConnection) {
        connection = upstream
        told?(.success(upstream))
    }

    func upstreamUnavailable(_ reason: UpstreamPool.Unavailable) {
        unavailable = reason
        told?(.failure(reason))
    }

    func upstreamTakesBytes() {}
    func upstreamAnswered(_ head: ResponseHead) {}
    func upstreamSent(_ bytes: ByteBuffer) {}
    func flushAnswer() {}
    func upstreamEnded() {}
    func upstreamLost(_ loss: UpstreamConnection.Loss, from upstream: UpstreamConnection) {}
}
