import S3API
import Testing
import Valet
import WireFormats

@Suite("A store keeps what was revoked")
struct RevocationStoreSuite {
    private func revocation(
        _ subject: String = "deployer",
        _ kind: Revocation.Kind = .role,
        at: Instant = noon,
        blocked: Bool = false
    ) -> Revocation {
        Revocation(kind: kind, subject: subject, at: at, isBlocked: blocked)
    }

    @Test("The later instant counts, and a block stays until it is lifted", arguments: StateKind.allCases)
    func merging(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let first = try await state.revoke(revocation())
            #expect(first == revocation())
            let blocked = revocation(at: noon + .seconds(5), blocked: true)
            let second = try await state.revoke(blocked)
            #expect(second == blocked)
            // Earlier, and no block: neither takes anything back.
            let third = try await state.revoke(revocation())
            #expect(third == blocked)
            let lifted = try await state.unblock(.role, "deployer")
            #expect(lifted == revocation(at: noon + .seconds(5)))
            let again = try await state.unblock(.role, "deployer")
            #expect(again?.isBlocked == false)
            let nothing = try await state.unblock(.user, "deployer")
            #expect(nothing == nil)
            let all = try await state.revocations(limit: 10)
            #expect(all.count == 1)
        }
    }

    @Test("Changes come in the order of their writing, each subject as it is now", arguments: StateKind.allCases)
    func changes(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let none = try await state.revocations(since: 0, limit: 10)
            #expect(none.changed.isEmpty)
            for subject in ["a", "b", "c"] { _ = try await state.revoke(revocation(subject)) }
            let (first, cursor) = try await state.revocations(since: 0, limit: 2)
            #expect(first.map(\.subject) == ["a", "b"])
            _ = try await state.revoke(revocation("a", at: noon + .seconds(1)))
            let (rest, end) = try await state.revocations(since: cursor, limit: 10)
            #expect(rest.map(\.subject) == ["c", "a"] && rest.last?.at == noon + .seconds(1))
            let later = try await state.revocations(since: end, limit: 10)
            #expect(later.changed.isEmpty)
            _ = try await state.unblock(.role, "c")
            let newest = try await state.revocations(limit: 2)
            #expect(newest.map(\.subject) == ["a", "c"])
        }
    }

    @Test("What ends a grant is kept as long as the grant is", arguments: StateKind.allCases)
    func forgettingGivers(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let grant = Grant(
                id: "1",
                subject: .principal("user:bob"),
                bucket: try bucket("photos"),
                reach: .key(ObjectKey("a")),
                actions: ActionSet(.getObject),
                grantor: "user:alice",
                issuedAt: noon,
                expiresAt: noon + .seconds(3600)
            )
            #expect(try await state.insert(grant, for: nil) == .inserted)
            _ = try await state.revoke(revocation("user:alice", .user))
            _ = try await state.revoke(revocation("user:carol", .user))
            _ = try await state.revoke(revocation("user:alice", .role))
            #expect(try await state.forget(revokedBefore: noon + .seconds(1), limit: 100) == 2)
            #expect(try await state.revocations(limit: 10).map(\.kind) == [.user])
            _ = try await state.forget(expiredBefore: noon + .seconds(3601), limit: 100)
            #expect(try await state.forget(revokedBefore: noon + .seconds(1), limit: 100) == 1)
        }
    }

    @Test("A grant that was given after a revocation keeps nothing of it", arguments: StateKind.allCases)
    func laterGrants(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let grant = Grant(
                id: "1",
                subject: .principal("user:bob"),
                bucket: try bucket("photos"),
                reach: .key(ObjectKey("a")),
                actions: ActionSet(.getObject),
                grantor: "user:alice",
                issuedAt: noon + .seconds(1),
                expiresAt: noon + .seconds(3600)
            )
            _ = try await state.insert(grant, for: nil)
            _ = try await state.revoke(revocation("user:alice", .user))
            #expect(try await state.forget(revokedBefore: noon + .seconds(1), limit: 100) == 1)
        }
    }

    @Test("What nothing rests on any more is forgotten, blocks never", arguments: StateKind.allCases)
    func forgetting(_ kind: StateKind) async throws {
        try await kind.withState { state in
            _ = try await state.revoke(revocation("old"))
            _ = try await state.revoke(revocation("blocked", blocked: true))
            _ = try await state.revoke(revocation("new", at: noon + .seconds(10)))
            let (_, cursor) = try await state.revocations(since: 0, limit: 10)
            let forgotten = try await state.forget(revokedBefore: noon + .seconds(10), limit: 100)
            #expect(forgotten == 1)
            let left = try await state.revocations(limit: 10)
            #expect(Set(left.map(\.subject)) == ["blocked", "new"])
            // A cursor from before meets what is written afterwards.
            _ = try await state.revoke(revocation("old"))
            let anew = try await state.revocations(since: cursor, limit: 10)
            #expect(anew.changed.map(\.subject) == ["old"])
        }
    }
}
