import Testing
import Valet
import WireFormats

@Suite("A creation asked for twice happens once")
struct IdempotencySuite {
    private let key = IdempotencyKey(principal: "user:alice", operation: "uploads", key: "k")
    private let lease = Duration.seconds(30)

    @Test("The same request gets the same answer, another one a conflict", arguments: StateKind.allCases)
    func answers(_ kind: StateKind) async throws {
        try await kind.withState { state in
            #expect(try await state.begin(key, request: [1], at: noon, lease: lease) == .begun)
            #expect(try await state.begin(key, request: [1], at: noon, lease: lease) == .underWay)
            #expect(try await state.begin(key, request: [2], at: noon, lease: lease) == .conflict)
            let answer = IdempotentAnswer.reply(status: 201, body: [0x7B, 0x7D])
            try await state.finish(key, answer)
            try await state.finish(key, .reply(status: 500, body: []))
            try await state.cancel(key)
            #expect(try await state.begin(key, request: [1], at: noon, lease: lease) == .answered(answer))
            #expect(try await state.begin(key, request: [2], at: noon, lease: lease) == .conflict)
        }
    }

    @Test("Keys of other callers and other operations are others", arguments: StateKind.allCases)
    func apart(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let others = [
                IdempotencyKey(principal: "user:bob", operation: "uploads", key: "k"),
                IdempotencyKey(principal: "user:alice", operation: "grants", key: "k"),
                IdempotencyKey(principal: "user:alice", operation: "uploads", key: "K"),
            ]
            for key in [key] + others {
                let outcome = try await state.begin(key, request: [1], at: noon, lease: lease)
                #expect(outcome == .begun)
            }
        }
    }

    @Test("What came to nothing, was lost or is a day old may begin again", arguments: StateKind.allCases)
    func again(_ kind: StateKind) async throws {
        try await kind.withState { state in
            func begin(_ digest: UInt8, _ seconds: Int64) async throws -> IdempotencyOutcome {
                try await state.begin(key, request: [digest], at: noon + .seconds(seconds), lease: lease)
            }
            #expect(try await begin(1, 0) == .begun)
            try await state.cancel(key)
            #expect(try await begin(2, 0) == .begun)
            #expect(try await begin(2, 29) == .underWay)
            #expect(try await begin(2, 30) == .begun)
            try await state.finish(key, .created("x"))
            #expect(try await begin(2, 86_429) == .answered(.created("x")))
            #expect(try await begin(3, 86_430) == .begun)
        }
    }

    @Test("A slot and the answer that names it are written together, once", arguments: StateKind.allCases)
    func slots(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let (first, second) = (try slot(1), try slot(2))
            #expect(try await state.begin(key, request: [1], at: noon, lease: lease) == .begun)
            let refused = try await state.insert(first, announcement(first), openLimit: 0, for: key)
            #expect(refused == .tooManyOpen)
            #expect(try await state.insert(first, announcement(first), openLimit: 9, for: key) == .inserted)
            // One that was taken for lost comes after all.
            let late = try await state.insert(second, announcement(second), openLimit: 9, for: key)
            #expect(late == .repeated(id: first.id))
            #expect(try await state.slot(second.id) == nil)
            let asked = try await state.begin(key, request: [1], at: noon, lease: lease)
            #expect(asked == .answered(.created(first.id)))
        }
    }

    @Test("Old answers are forgotten", arguments: StateKind.allCases)
    func forget(_ kind: StateKind) async throws {
        try await kind.withState { state in
            _ = try await state.begin(key, request: [1], at: noon, lease: lease)
            #expect(try await state.forget(begunBefore: noon, limit: 10) == 0)
            #expect(try await state.forget(begunBefore: noon + .nanoseconds(1), limit: 10) == 1)
            #expect(try await state.begin(key, request: [2], at: noon, lease: lease) == .begun)
        }
    }
}

@Suite("Secrets of the state")
struct SecretSuite {
    @Test("The first one of a name stays", arguments: StateKind.allCases)
    func firstStays(kind: StateKind) async throws {
        try await kind.withState { state in
            let first = try await state.secret("a", orKeep: Secret([1, 2, 3]))
            #expect(first.reveal() == [1, 2, 3])
            #expect(try await state.secret("a", orKeep: Secret([4])).reveal() == [1, 2, 3])
            #expect(try await state.secret("b", orKeep: Secret([4])).reveal() == [4])
        }
    }
}
