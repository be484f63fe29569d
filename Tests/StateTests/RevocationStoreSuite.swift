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
            let found1 = try await state.revoke(revocation())
            #expect(found1 == revocation())
            let blocked = revocation(at: noon + .seconds(5), blocked: true)
            let found2 = try await state.revoke(blocked)
            #expect(found2 == blocked)
            // Earlier, and no block: neither takes anything back.
            let found3 = try await state.revoke(revocation())
            #expect(found3 == blocked)
            let found4 = try await state.unblock(.role, "deployer")
            #expect(found4 == revocation(at: noon + .seconds(5)))
            let found5 = try await state.unblock(.role, "deployer")
            #expect(found5?.isBlocked == false)
            let found6 = try await state.unblock(.user, "deployer")
            #expect(found6 == nil)
            let found7 = try await state.revocations(limit: 10)
            #expect(found7.count == 1)
        }
    }

    @Test("Changes come in the order of their writing, each subject as it is now", arguments: StateKind.allCases)
    func changes(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let found8 = try await state.revocations(since: 0, limit: 10)
            #expect(found8.changed.isEmpty)
            for subject in ["a", "b", "c"] { _ = try await state.revoke(revocation(subject)) }
            let (first, cursor) = try await state.revocations(since: 0, limit: 2)
            #expect(first.map(\.subject) == ["a", "b"])
            _ = try await state.revoke(revocation("a", at: noon + .seconds(1)))
            let (rest, end) = try await state.revocations(since: cursor, limit: 10)
            #expect(rest.map(\.subject) == ["c", "a"] && rest.last?.at == noon + .seconds(1))
            let found9 = try await state.revocations(since: end, limit: 10)
            #expect(found9.changed.isEmpty)
            _ = try await state.unblock(.role, "c")
            let found10 = try await state.revocations(limit: 2)
            #expect(found10.map(\.subject) == ["a", "c"])
        }
    }

    @Test("What nothing rests on any more is forgotten, blocks never", arguments: StateKind.allCases)
    func forgetting(_ kind: StateKind) async throws {
        try await kind.withState { state in
            _ = try await state.revoke(revocation("old"))
            _ = try await state.revoke(revocation("blocked", blocked: true))
            _ = try await state.revoke(revocation("new", at: noon + .seconds(10)))
            let (_, cursor) = try await state.revocations(since: 0, limit: 10)
            let found11 = try await state.forget(revokedBefore: noon + .seconds(10), limit: 100)
            #expect(found11 == 1)
            let found12 = try await state.revocations(limit: 10)
            #expect(Set(found12.map(\.subject)) == ["blocked", "new"])
            // A cursor from before meets what is written afterwards.
            _ = try await state.revoke(revocation("old"))
            let found13 = try await state.revocations(since: cursor, limit: 10)
            #expect(found13.changed.map(\.subject) == ["old"])
        }
    }
}
