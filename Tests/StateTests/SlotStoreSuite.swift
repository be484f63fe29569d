import S3API
import Testing
import Valet
import WireFormats

@Suite("A store keeps slots")
struct SlotStoreSuite {
    @Test("A slot comes back as it was written, to the last byte", arguments: StateKind.allCases)
    func roundTrip(_ kind: StateKind) async throws {
        let nasty = ObjectKey([0x61, 0x2F, 0x2F, 0xCC, 0x81, 0x2B, 0x25, 0x32, 0x46, 0x20, 0x27, 0x22])
        let full = UploadSlot(
            random: bytes(7),
            issuer: "idp:auth:Zoë\u{301} '--",
            bucket: try bucket("my-data.x"),
            key: nasty,
            contentType: "text/plain; charset=\"utf-8\"",
            size: 5 << 40,
            sha256: Array(repeating: 0xFF, count: 32),
            metadata: ["a": "é\u{0}\n", "": "\""],
            mode: .multipart,
            landing: .quarantine(ObjectKey([0xFF, 0x00])),
            prior: .object(etag: "\"old\"", versionID: "v1"),
            mayOverwrite: true,
            isOnce: false,
            multipart: UploadSlot.Multipart(uploadID: "u'1", partSize: 5 << 20),
            issuedAt: noon,
            expiresAt: noon + .nanoseconds(1)
        )
        let found = FoundObject(
            etag: "\"e\"",
            size: 0,
            contentType: "",
            versionID: "null",
            sha256: Array(repeating: 1, count: 32)
        )
        let ended = try full.rejected(for: .checksumMismatch, found: found, at: noon + .seconds(1))
        try await kind.withState { state in
            #expect(try await state.slot(full.id) == nil)
            #expect(try await state.insert(full) == .inserted)
            #expect(try await state.slot(full.id) == full)
            #expect(try await state.replace(with: ended) == .replaced)
            #expect(try await state.slot(full.id) == ended)
            let plain = try slot(8)
            try await state.insert(plain)
            #expect(try await state.slot(plain.id) == plain)
            #expect(try await state.slot("' OR 1=1 --") == nil)
        }
    }

    @Test("A slot written twice is there once", arguments: StateKind.allCases)
    func twice(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let one = try slot()
            #expect(try await state.insert(one, to: ["hook"]) == .inserted)
            #expect(try await state.insert(one, to: ["hook"]) == .inserted)
            #expect(try await state.funnel().reached == [.init(.issued): 1])
            #expect(try await state.backlog() == OutboxBacklog(waiting: 1, dead: 0))
        }
    }

    @Test("What a slot was issued on is kept with it", arguments: StateKind.allCases)
    func grounds(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let grounds = UploadSlot.Ground.Kind.allCases.map {
                UploadSlot.Ground($0, "a\"b:\($0)", issuedAt: noon - .nanoseconds(1))
            }
            for (number, grounds) in [grounds, []].enumerated() {
                let kept = try slot(number, grounds: grounds)
                try await state.insert(kept)
                #expect(try await state.slot(kept.id) == kept)
                #expect(try await state.replace(with: kept.revoked(at: noon)) == .replaced)
                let ended = try #require(try await state.slot(kept.id))
                #expect(ended.state == .aborted && ended.cause == .revoked && ended.grounds == grounds)
            }
        }
    }

    @Test("Nobody has more open slots than allowed, however many ask at once", arguments: StateKind.allCases)
    func openLimit(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let outcomes = try await withThrowingTaskGroup(of: SlotInsertion.self) { group in
                for number in 0..<20 { group.addTask { try await state.insert(try slot(number), limit: 5) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count { $0 == .inserted } == 5)
            #expect(outcomes.count { $0 == .tooManyOpen } == 15)
            #expect(try await state.countOpen(of: "user:alice", upTo: 4) == 4)
            #expect(try await state.countOpen(of: "user:alice", upTo: 100) == 5)
            #expect(try await state.insert(try slot(30, issuer: "user:bob"), limit: 5) == .inserted)
            // One that ended makes room.
            let open = try await state.overdue(since: noon + .seconds(1000), inBucketsBut: [], limit: 1)
            let first = try #require(open.first { $0.issuer == "user:alice" })
            #expect(try await state.replace(with: first.aborted(at: noon)) == .replaced)
            #expect(try await state.insert(try slot(31), limit: 5) == .inserted)
            #expect(try await state.insert(try slot(32), limit: 5) == .tooManyOpen)
        }
    }

    @Test("Of completions that race one wins, and its event alone is told", arguments: StateKind.allCases)
    func race(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let open = try slot()
            try await state.insert(open)
            let outcomes = try await withThrowingTaskGroup(of: SlotReplacement.self) { group in
                for number in 0..<16 {
                    group.addTask {
                        let next =
                            number % 2 == 0
                            ? try open.completed(with: object, at: noon) : try open.expired(at: noon)
                        return try await state.replace(with: next, announcement(next, number, to: ["hook"]))
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count { $0 == .replaced } == 1)
            let now = try #require(try await state.slot(open.id))
            #expect(outcomes.count { $0 == .conflict(now) } == 15)
            let told = try await state.claim(at: noon, lease: .seconds(30), limit: 10)
            #expect(told.map(\.event.kind) == [now.state])
            #expect(try await state.funnel().open == 0)
        }
    }

    @Test("A slot that is gone, or was never there, can't be replaced", arguments: StateKind.allCases)
    func unknown(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let next = try slot().completed(with: object, at: noon)
            #expect(try await state.replace(with: next, to: ["hook"]) == .conflict(nil))
            #expect(try await state.backlog().waiting == 0)
        }
    }

    @Test("Open slots are found by where their object lands", arguments: StateKind.allCases)
    func landing(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let key = ObjectKey("a")
            let direct = try slot(1, key: key)
            let other = try slot(2, key: key)
            let quarantined = try slot(3, key: key, landing: .quarantine(ObjectKey("q/3")))
            for slot in [direct, other, quarantined] { try await state.insert(slot) }
            #expect(try await state.openSlots(landingAt: key, in: try bucket()) == [direct, other])
            #expect(try await state.openSlots(landingAt: ObjectKey("q/3"), in: try bucket()) == [quarantined])
            #expect(try await state.openSlots(landingAt: key, in: try bucket("elsewhere")).isEmpty)
            try await state.replace(with: try direct.completed(with: object, at: noon))
            #expect(try await state.openSlots(landingAt: key, in: try bucket()) == [other])
        }
    }

    @Test("Overdue are those that are open and that nothing can come to any more", arguments: StateKind.allCases)
    func overdue(_ kind: StateKind) async throws {
        try await kind.withState { state in
            for number in [3, 1, 2, 4] {
                try await state.insert(try slot(number, expiresAt: noon + .seconds(Int64(number))))
            }
            let second = try #require(try await state.slot(try slot(2).id))
            try await state.replace(with: try second.expired(at: noon))
            let first = try #require(try await state.slot(try slot(1).id))
            func overdue(_ limit: Int, _ others: Set<BucketName> = []) async throws -> [ObjectKey] {
                // The fourth may still be coming.
                let instant = first.lastArrival + .seconds(3)
                return try await state.overdue(since: instant, inBucketsBut: others, limit: limit).map(\.key)
            }
            #expect(try await overdue(10) == [ObjectKey("1.png"), ObjectKey("3.png")])
            #expect(try await overdue(1) == [ObjectKey("1.png")])
            #expect(try await overdue(10, [first.bucket]).isEmpty)
            #expect(try await overdue(10, [try bucket("elsewhere")]).count == 2)
            let early = first.expiresAt + .seconds(UploadSlot.arrivalSeconds.lowerBound)
            #expect(try await state.overdue(since: early, inBucketsBut: [], limit: 10).isEmpty)
        }
    }

    @Test("What slots left behind is asked for until it is cleared", arguments: StateKind.allCases)
    func uncleared(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let quarantined = try slot(landing: .quarantine(ObjectKey("q")))
            let late = quarantined.lastArrival + .seconds(9)
            func uncleared(_ instant: Instant, rejected: Instant? = nil) async throws -> [UploadSlot] {
                try await state.uncleared(
                    before: instant,
                    rejectedBefore: rejected ?? instant,
                    inBucketsBut: [],
                    limit: 10
                )
            }
            try await state.insert(quarantined)
            #expect(try await uncleared(late).isEmpty)
            let expired = try quarantined.expired(at: noon)
            try await state.replace(with: expired)
            #expect(try await uncleared(noon).isEmpty)
            #expect(try await uncleared(quarantined.lastArrival).isEmpty)
            #expect(try await uncleared(late) == [expired])
            #expect(try await uncleared(late, rejected: noon) == [expired])
            #expect(
                try await state.uncleared(
                    before: late,
                    rejectedBefore: late,
                    inBucketsBut: [quarantined.bucket],
                    limit: 10
                ).isEmpty
            )
            #expect(try await state.forget(finishedBefore: late, limit: 10) == 0)
            #expect(try await state.replace(with: expired.cleared(), nil) == .replaced)
            #expect(try await uncleared(late).isEmpty)
            #expect(try await state.forget(finishedBefore: late, limit: 10) == 1)
        }
    }

    @Test(
        "What was rejected and is kept stands before nothing else that is to be cleared",
        arguments: StateKind.allCases
    )
    func rejectedAreKept(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let kept = try slot(1, landing: .quarantine(ObjectKey("q/1")))
            let other = try slot(2, landing: .quarantine(ObjectKey("q/2")))
            for slot in [kept, other] { try await state.insert(slot) }
            try await state.replace(with: try kept.rejected(for: .sizeMismatch, found: nil, at: noon))
            let expired = try other.expired(at: noon + .seconds(1))
            try await state.replace(with: expired)
            let late = kept.lastArrival + .seconds(60)
            let found = try await state.uncleared(before: late, rejectedBefore: noon, inBucketsBut: [], limit: 1)
            #expect(found == [expired])
        }
    }

    @Test("Slots are forgotten when they have ended long ago and everybody was told", arguments: StateKind.allCases)
    func forget(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let slots = try (0..<4).map { try slot($0) }
            for slot in slots { try await state.insert(slot) }
            for index in 0..<3 {
                let end = noon + .seconds(Int64(index))
                try await state.replace(
                    with: try slots[index].completed(with: object, at: end),
                    to: index == 0 ? ["hook"] : []
                )
            }
            // The first is still to be told of, the third ended too late, the fourth is open.
            #expect(try await state.forget(finishedBefore: noon + .seconds(2), limit: 10) == 1)
            #expect(try await state.slot(slots[1].id) == nil)
            let told = try #require(try await state.claim(at: noon, lease: .seconds(1), limit: 1).first)
            try await state.failed(told.id, reason: "gone", next: nil)
            #expect(try await state.forget(finishedBefore: noon + .seconds(9), limit: 1) == 1)
            #expect(try await state.slot(slots[0].id) == nil)
            #expect(try await state.deadLetters(limit: 10).isEmpty)
            #expect(try await state.forget(finishedBefore: noon + .seconds(9), limit: 10) == 1)
            #expect(try await state.slot(slots[3].id) == slots[3])
            #expect(try await state.funnel().reached == [.init(.issued): 4, .init(.completed): 3])
        }
    }

    @Test("The funnel counts steps and causes, and each step once", arguments: StateKind.allCases)
    func funnel(_ kind: StateKind) async throws {
        try await kind.withState { state in
            #expect(try await state.funnel() == SlotFunnel(reached: [:]))
            for number in 0..<3 { try await state.insert(try slot(number)) }
            let started = try slot(0).started()
            try await state.replace(with: started)
            let begun = try started.started(multipart: UploadSlot.Multipart(uploadID: "u", partSize: 1))
            try await state.replace(with: begun)
            let rejected = try begun.rejected(for: .sizeMismatch, found: object, at: noon)
            try await state.replace(with: rejected)
            try await state.replace(with: try rejected.cleared())
            try await state.replace(with: try slot(1).expired(at: noon))
            let funnel = try await state.funnel()
            #expect(
                funnel.reached == [
                    .init(.issued): 3, .init(.started): 1, .init(.rejected, .sizeMismatch): 1,
                    .init(.expired, .timeout): 1,
                ]
            )
            #expect(funnel.open == 1)
        }
    }
}
