import NIOCore
import Testing

@testable import DataPlane

@Suite("On which connection a request goes out that can't go out again")
struct LivelyConnectionTests {
    @Test("One that served a moment ago serves it")
    func afterAMoment() async throws {
        try await PlayedStore.serving { store in
            let pool = store.pool()
            let connection = try await store.rested(in: pool)
            try await store.onLoop {
                store.pass(UpstreamPool.liveliness - .milliseconds(500))
                #expect(store.ask(pool.value, for: .lively).connection === connection.value)
                #expect(pool.value.open == 1)
            }
        }
    }

    @Test("One whose end is in the socket, though nobody has read it, does not")
    func endIsUnread() async throws {
        try await PlayedStore.serving { store in
            let pool = store.pool()
            let first = try await store.rested(in: pool)
            try await store.onLoop {
                store.endConnections()
                #expect(first.value.isUsable, "the end was read: nothing is shown")
                let user = store.ask(pool.value, for: .lively)
                #expect(user.waitsForUpstream && pool.value.idleCount == 0)
            }
            try await store.until { store.kept.value.users.last?.connection != nil }
            try await store.onLoop { #expect(store.kept.value.users.last?.connection !== first.value) }
        }
    }

    @Test("One that has rested for longer does not, and stays for others")
    func restedForLong() async throws {
        try await PlayedStore.serving { store in
            let pool = store.pool()
            let connection = try await store.rested(in: pool)
            try await store.onLoop {
                store.pass(UpstreamPool.liveliness + .seconds(5))
                let careful = store.ask(pool.value, for: .lively)
                #expect(careful.waitsForUpstream && pool.value.open == 2)
                #expect(store.ask(pool.value).connection === connection.value)
            }
        }
    }

    @Test(
        "Where there may be no more, what has rested longest is closed for a new one",
        arguments: [
            UpstreamPool.Choice.lively, .new,
        ]
    )
    func limit(choice: UpstreamPool.Choice) async throws {
        try await PlayedStore.serving { store in
            let pool = store.pool(limit: 2)
            let (first, second) = (try await store.leased(pool), try await store.leased(pool))
            try await store.serveOnce(on: first, of: pool)
            try await store.serveOnce(on: second, of: pool)
            try await store.onLoop {
                store.pass(UpstreamPool.liveliness + .seconds(5))
                _ = store.ask(pool.value, for: choice)
                #expect(pool.value.open == 2 && pool.value.idleCount == 1)
                #expect(!first.value.isUsable && second.value.isUsable)
            }
            try await store.until { store.kept.value.users.last?.connection != nil }
            try await store.onLoop { #expect(pool.value.open == 2) }
        }
    }

    @Test("One that comes back while it waits serves it, unless it has ended meanwhile", arguments: [false, true])
    func waiting(hasEnded: Bool) async throws {
        try await PlayedStore.serving { store in
            let pool = store.pool(limit: 1)
            let connection = try await store.rested(in: pool)
            try await store.onLoop {
                #expect(store.ask(pool.value).connection === connection.value)
                let user = store.ask(pool.value, for: .lively)
                #expect(user.waitsForUpstream)
                if hasEnded { store.endConnections() }
                pool.value.take(back: connection.value)
                #expect((user.connection === connection.value) != hasEnded)
            }
            try await store.until { store.kept.value.users.last?.connection != nil }
        }
    }
}
