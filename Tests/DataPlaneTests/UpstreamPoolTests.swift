import Backends
import HTTP1
import Logging
import NIOCore
import NIOPosix
import Pipeline
import Samples
import Testing

@testable import DataPlane

@Suite("The pool of one loop's connections to one store")
struct UpstreamPoolTests {
    @Test("The connection that was given back last is the next to be used")
    func lastInFirstOut() async throws {
        try await PlayedStore.serving { store in
            let pool = store.pool()
            let first = try await store.leased(pool)
            let second = try await store.leased(pool)
            try await store.onLoop {
                pool.value.take(back: first.value)
                pool.value.take(back: second.value)
                #expect(pool.value.idleCount == 2 && pool.value.open == 2)
            }
            let next = try await store.leased(pool)
            try await store.onLoop { #expect(next.value === second.value) }
            let last = try await store.leased(pool)
            try await store.onLoop { #expect(last.value === first.value) }
        }
    }

    @Test("What has rested for the idle timeout is closed, and what has not is kept")
    func idleTimeout() async throws {
        try await PlayedStore.serving { store in
            let pool = store.pool(idleTimeout: .seconds(10))
            let connection = try await store.leased(pool)
            try await store.onLoop {
                store.begin(on: connection.value)
                connection.value.send(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n"))
                connection.value.flush()
            }
            try await store.until { pool.value.idleCount == 1 }
            try await store.onLoop { pool.value.closeIdle(now: connection.value.idleSince + .milliseconds(9_999)) }
            try await store.onLoop { #expect(connection.value.isUsable) }
            try await store.onLoop { pool.value.closeIdle(now: connection.value.idleSince + .seconds(10)) }
            try await store.until { pool.value.open == 0 && pool.value.idleCount == 0 }
        }
    }

    @Test("So many wait and no more, and none for ever")
    func queue() async throws {
        try await PlayedStore.serving { store in
            let pool = store.pool(limit: 1)
            _ = try await store.leased(pool)
            try await store.onLoop {
                let waiting = (0..<UpstreamPool.queueLimit).map { _ in Asker() }
                let beyond = Asker()
                store.kept.value.users += waiting + [beyond]
                for user in waiting { pool.value.lease(to: user) }
                #expect(waiting.allSatisfy { $0.waitsForUpstream })
                pool.value.lease(to: beyond)
                #expect(beyond.isToldToSlowDown)
                pool.value.closeIdle(now: store.now + UpstreamPool.queuePatience - .seconds(1))
                #expect(waiting.allSatisfy { $0.waitsForUpstream })
                pool.value.closeIdle(now: store.now + UpstreamPool.queuePatience)
                #expect(waiting.allSatisfy { $0.isToldToSlowDown })
            }
        }
    }

    @Test("A store that is left alone is asked once in each pause, until an answer comes")
    func breaker() async throws {
        try await PlayedStore.serving { store in
            let pool = store.pool()
            let refused: @Sendable () -> Bool = { store.isRefused(by: pool.value) }
            try await store.onLoop {
                for _ in 1..<Breaker.threshold { pool.value.exchangeFailed() }
                #expect(!refused())
                pool.value.exchangeFailed()
                #expect(refused())
                store.pass(Breaker.pause)
                #expect(!refused(), "nobody would ever find out that it is back")
                #expect(refused(), "all come at once")
                pool.value.exchangeAnswered()
                #expect(!refused() && !refused())
            }
        }
    }

    @Test("Slow exchanges, however many, close no store that answered others since they began")
    func slowExchanges() async throws {
        try await PlayedStore.serving { store in
            let pool = store.pool(limit: 64)
            var slow: [NIOLoopBound<UpstreamConnection>] = []
            for _ in 0..<Breaker.threshold { slow.append(try await store.leased(pool)) }
            let quick = try await store.leased(pool)
            let others = slow
            try await store.onLoop {
                for connection in others { store.begin(on: connection.value) }
                store.begin(on: quick.value)
                quick.value.send(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n"))
                quick.value.flush()
            }
            try await store.until { pool.value.idleCount == 1 }
            try await store.onLoop {
                for connection in others { connection.value.reportTimeout() }
                #expect(!store.isRefused(by: pool.value), "one caller's slow requests close the store for all")
                for connection in others { store.begin(on: connection.value) }
                for connection in others { connection.value.reportTimeout() }
                #expect(store.isRefused(by: pool.value), "nothing was answered since they began")
            }
        }
    }
}

/// Somebody who wants a connection, and hears what came of it.
private final class Asker: UpstreamUser {
    private(set) var connection: UpstreamConnection?
    private(set) var unavailable: UpstreamPool.Unavailable?
    var told: ((Result<UpstreamConnection, UpstreamPool.Unavailable>) -> Void)?

    var isToldToSlowDown: Bool { if case .queueFull = unavailable { true } else { false } }
    var isRefused: Bool { if case .broken = unavailable { true } else { false } }

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

/// A store on a loop of its own that answers everything with an empty 200, and pools of connections to it.
private struct PlayedStore: Sendable {
    final class Kept {
        var users: [Asker] = []
        /// What the pools' clock shows.
        var now = NIODeadline.now()
    }

    private let loop: any EventLoop
    private let port: Int
    /// Pools hold whom they serve by weak references.
    let kept: NIOLoopBound<Kept>

    static func serving(_ body: @Sendable (PlayedStore) async throws -> Void) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Answering()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let loop = group.next()
        let kept = try await loop.submit { NIOLoopBound(Kept(), eventLoop: loop) }.get()
        try await body(PlayedStore(loop: loop, port: server.localAddress?.port ?? 0, kept: kept))
        try await group.shutdownGracefully()
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
        let user = Asker()
        kept.value.users.append(user)
        pool.lease(to: user)
        return user.isRefused
    }

    /// An exchange of which nothing has been sent yet. On the loop.
    func begin(on connection: UpstreamConnection) {
        let user = Asker()
        kept.value.users.append(user)
        connection.begin(user, method: .get)
    }

    func onLoop(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await loop.submit(body).get()
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
