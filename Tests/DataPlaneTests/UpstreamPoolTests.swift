import NIOCore
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
            let connection = try await store.rested(in: pool)
            try await store.onLoop {
                #expect(connection.value.idleSince == store.now, "it rests by another clock than the pool's")
                pool.value.closeIdle(now: connection.value.idleSince + .milliseconds(9_999))
            }
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
                for connection in others { connection.value.reportTimeout(to: Asker()) }
                #expect(!store.isRefused(by: pool.value), "one caller's slow requests close the store for all")
                for connection in others { store.begin(on: connection.value) }
                for connection in others { connection.value.reportTimeout(to: Asker()) }
                #expect(store.isRefused(by: pool.value), "nothing was answered since they began")
            }
        }
    }
}
