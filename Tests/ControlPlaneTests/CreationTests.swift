import HTTP1
import Synchronization
import Testing
import Valet
import WireFormats

@testable import ControlPlane

@Suite("A creation that is asked for again under its key happens once")
struct CreationTests {
    private let made = Made()
    private let caller: APICaller

    init() {
        let answers = Answers()
        let creation = Creation(answers)
        let made = made
        let shape = JSONShape.object([JSONMember("id", .text(1...8)), JSONMember("shown", .boolean)])
        let operation = APIOperation(
            "paint",
            .post,
            "walls",
            summary: "Paints a wall.",
            parameters: [.idempotencyKey],
            body: .object([JSONMember("colour", .text(1...8))]),
            outcomes: [APIOutcome(201, "Painted.", shape)]
        ) { request async throws(APIFailure) in
            try await creation.once(request) { key async throws(APIFailure) in
                guard request.body.text("colour") != "none" else { throw APIFailure(.invalidArgument) }
                let id = "w\(made.count.add(1, ordering: .relaxed).newValue)"
                if let key { try? await answers.finish(key, .created(id)) }
                return APIAnswer(201, .object([("id", .string(id)), ("shown", .bool(false))]))
            } show: { id async throws(APIFailure) in
                APIAnswer(201, .object([("id", .string(id)), ("shown", .bool(true))]))
            }
        }
        caller = APICaller(desk: Desk([operation], version: "9"))
    }

    private func paint(_ colour: String, _ key: String?) async throws -> APIReply {
        let fields = key.map { [("idempotency-key", $0)] } ?? []
        return try await caller.ask(.post, "/-/v1/walls", "{\"colour\":\"\(colour)\"}", fields: fields)
    }

    @Test("The same request is shown what the first one made, another one under its key is a conflict")
    func once() async throws {
        #expect(try await paint("red", "k").body.text("id") == "w1")
        let again = try await paint("red", "k")
        #expect(again.body.text("id") == "w1")
        #expect(again.body.boolean("shown") == true)
        let other = try await paint("blue", "k")
        #expect(other.status == 409)
        #expect(other.error == "IdempotencyKeyReused")
        #expect(try await paint("red", "l").body.text("id") == "w2")
        #expect(try await paint("red", nil).body.text("id") == "w3")
    }

    @Test("What came to nothing may be tried again")
    func failed() async throws {
        #expect(try await paint("none", "k").status == 400)
        #expect(try await paint("none", "k").status == 400)
    }

    @Test("A key that is empty or too long is refused")
    func malformed() async throws {
        #expect(try await paint("red", String(repeating: "k", count: 256)).status == 400)
        #expect(try await paint("red", "").status == 400)
    }
}

private final class Made: Sendable {
    let count = Atomic<Int>(0)
}

/// As the state keeps them, without time.
private actor Answers: IdempotencyStore {
    private var kept: [IdempotencyKey: (digest: [UInt8], answer: IdempotentAnswer?)] = [:]

    func begin(
        _ key: IdempotencyKey,
        request digest: [UInt8],
        at now: Instant,
        lease: Duration
    ) async throws(StateError) -> IdempotencyOutcome {
        guard let found = kept[key] else {
            kept[key] = (digest, nil)
            return .begun
        }
        guard found.digest == digest else { return .conflict }
        return found.answer.map { .answered($0) } ?? .underWay
    }

    func finish(_ key: IdempotencyKey, _ answer: IdempotentAnswer) async throws(StateError) {
        kept[key]?.answer = answer
    }

    func cancel(_ key: IdempotencyKey) async throws(StateError) {
        if kept[key]?.answer == nil { kept[key] = nil }
    }

    func forget(begunBefore instant: Instant, limit: Int) async throws(StateError) -> Int { 0 }
}
