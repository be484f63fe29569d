import Admission
import ControlPlane
import Identity
import Synchronization
import Testing
import Valet
import WireFormats

@Suite("What is revoked is what requests are decided by")
struct RevocationKeeperTests {
    private static let noon = Instant(secondsSince1970: 1_800_000_000)
    private let store = RevocationMemory()

    private func keeper() -> RevocationKeeper { RevocationKeeper(store, clock: { Self.noon }) }

    @Test("It holds here at once, and elsewhere after the next look")
    func instances() async throws {
        let (here, there) = (keeper(), keeper())
        let made = try await here.revoke(.role, "deployer", block: false)
        #expect(made.at == Self.noon && !made.isBlocked)
        #expect(here.book.current.ends(.role("deployer"), issuedAt: Self.noon))
        #expect(!here.book.current.ends(.role("deployer"), issuedAt: Self.noon + .nanoseconds(1)))
        #expect(there.book.current.isEmpty)
        try await there.refresh()
        #expect(there.book.current.ends(.role("deployer"), issuedAt: Self.noon))
    }

    @Test("A principal is found as the logs write it, and a block holds until it is lifted")
    func principals() async throws {
        let keeper = keeper()
        _ = try await keeper.revoke(.user, "idp:auth:a:b", block: true)
        let subject = RevocationTable.Subject.principal(.identityProvider(name: "auth", subject: "a:b"))
        #expect(keeper.book.current.blocks(subject))
        #expect(keeper.book.current.ends(subject, issuedAt: Self.noon + .seconds(1)))
        _ = try await keeper.unblock(.user, "idp:auth:a:b")
        #expect(!keeper.book.current.blocks(subject) && keeper.book.current.ends(subject, issuedAt: Self.noon))
        #expect(try await keeper.unblock(.user, "user:nobody") == nil)
    }

    @Test("Without the state nothing is revoked, and nobody is told that it was")
    func away() async {
        store.goAway()
        await #expect(throws: StateError.self) { try await keeper().revoke(.role, "deployer", block: false) }
    }

    @Test("What nothing rests on any more leaves the memory; blocks stay")
    func forgetting() async throws {
        let clock = Mutex(Self.noon)
        let keeper = RevocationKeeper(store, clock: { clock.withLock { $0 } })
        _ = try await keeper.revoke(.session, "a", block: false)
        _ = try await keeper.revoke(.role, "deployer", block: true)
        keeper.forgetOld { _ in false }
        #expect(keeper.book.current.count == 2)
        clock.withLock { $0 = Self.noon + Revocation.remembered + .seconds(1) }
        keeper.forgetOld { _ in false }
        #expect(keeper.book.current.count == 1 && keeper.book.current.blocks(.role("deployer")))
    }

    @Test("What somebody gave stays ended for as long as it is there")
    func forgettingGivers() async throws {
        let clock = Mutex(Self.noon)
        let keeper = RevocationKeeper(store, clock: { clock.withLock { $0 } })
        _ = try await keeper.revoke(.user, "user:alice", block: false)
        clock.withLock { $0 = Self.noon + .seconds(3650 * 86_400) }
        keeper.forgetOld { $0 == .user("alice") }
        #expect(keeper.book.current.ends(.principal(.user("alice")), issuedAt: Self.noon))
        keeper.forgetOld { $0 == .user("bob") }
        #expect(keeper.book.current.isEmpty)
    }
}
