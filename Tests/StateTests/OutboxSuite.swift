import Testing
import Valet
import WireFormats

@Suite("An outbox keeps events until they were heard")
struct OutboxSuite {
    @Test("An event is as it was when it happened, for each of those to be told", arguments: StateKind.allCases)
    func content(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let issued = try slot()
            try await state.insert(issued, to: ["one", "two"])
            let completed = try issued.completed(with: object, at: noon)
            let event = SlotEvent(random: bytes(9), completed, at: noon + .seconds(1))
            _ = try await state.replace(with: completed, Announcement(event, to: ["one"]))
            let entries = try await state.claim(at: noon + .seconds(1), lease: .seconds(30), limit: 10)
            #expect(entries.map(\.target) == ["one", "two", "one"])
            #expect(entries.map(\.event.slot) == [issued, issued, completed])
            #expect(entries.last?.event == event)
            #expect(entries[0].event.id == entries[1].event.id)
            #expect(entries.allSatisfy { $0.attempts == 1 && $0.lastFailure.isEmpty })
        }
    }

    @Test("Nobody is given what somebody else has, until the lease ends", arguments: StateKind.allCases)
    func lease(_ kind: StateKind) async throws {
        try await kind.withState { state in
            for number in 0..<10 { try await state.insert(try slot(number), to: ["hook"]) }
            let claimed = try await withThrowingTaskGroup(of: [OutboxEntry].self) { group in
                for _ in 0..<5 {
                    group.addTask { try await state.claim(at: noon, lease: .seconds(30), limit: 3) }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(claimed.count == 10 && Set(claimed.map(\.id)).count == 10)
            #expect(try await state.claim(at: noon + .seconds(29), lease: .seconds(30), limit: 10).isEmpty)
            let again = try await state.claim(at: noon + .seconds(30), lease: .seconds(30), limit: 100)
            #expect(Set(again.map(\.id)) == Set(claimed.map(\.id)))
            #expect(again.allSatisfy { $0.attempts == 2 })
        }
    }

    @Test("What was delivered is gone; what failed comes again when it is due", arguments: StateKind.allCases)
    func outcome(_ kind: StateKind) async throws {
        try await kind.withState { state in
            try await state.insert(try slot(1), to: ["a", "b"])
            let entries = try await state.claim(at: noon, lease: .seconds(30), limit: 10)
            let first = try #require(entries.first)
            let second = try #require(entries.last)
            try await state.delivered(first.id)
            try await state.delivered(first.id)
            try await state.failed(second.id, reason: "503", next: noon + .seconds(60))
            #expect(try await state.backlog() == OutboxBacklog(waiting: 1, dead: 0))
            #expect(try await state.claim(at: noon + .seconds(59), lease: .seconds(30), limit: 10).isEmpty)
            let again = try await state.claim(at: noon + .seconds(60), lease: .seconds(30), limit: 10)
            #expect(again.map(\.id) == [second.id])
            #expect(again.first?.lastFailure == "503" && again.first?.attempts == 2)
            try await state.failed(second.id, reason: "410", next: nil)
            #expect(try await state.backlog() == OutboxBacklog(waiting: 0, dead: 1))
            #expect(try await state.claim(at: noon + .seconds(9999), lease: .seconds(30), limit: 10).isEmpty)
            let dead = try await state.deadLetters(limit: 10)
            #expect(dead.map(\.id) == [second.id] && dead.first?.lastFailure == "410")
        }
    }

    @Test("A refusal of any length is kept in bounds", arguments: StateKind.allCases)
    func longReason(_ kind: StateKind) async throws {
        try await kind.withState { state in
            try await state.insert(try slot(), to: ["hook"])
            let entry = try #require(try await state.claim(at: noon, lease: .seconds(1), limit: 1).first)
            try await state.failed(entry.id, reason: String(repeating: "x", count: 100_000), next: nil)
            #expect(try #require(try await state.deadLetters(limit: 1).first).lastFailure.count <= 500)
        }
    }
}
