import S3API
import Testing
import Valet
import WireFormats

@testable import ControlPlane

@Suite("A slot is good for as long as everything that it was issued on")
struct SlotGroundsTests {
    private let store = RevocationMemory()
    private let grants = GrantMemory()

    private func areGone(_ issuer: String = "user:alice", on grounds: [UploadSlot.Ground] = []) async throws -> Bool {
        // As on an instance that has not looked at the state since.
        let keeper = RevocationKeeper(store, clock: { noon })
        return try await SlotGrounds(keeper, grants).areGone(of: try sampleSlot(issuer: issuer, on: grounds))
    }

    private func revoke(_ kind: Revocation.Kind, _ subject: String, at: Instant, block: Bool = false) async throws {
        _ = try await store.revoke(Revocation(kind: kind, subject: subject, at: at, isBlocked: block))
    }

    @Test("Its issuer's revocation ends what was issued up to then, a block everything")
    func issuer() async throws {
        #expect(try await !areGone())
        try await revoke(.user, "user:alice", at: noon - .nanoseconds(1))
        try await revoke(.user, "user:bob", at: noon)
        #expect(try await !areGone())
        try await revoke(.user, "user:alice", at: noon)
        #expect(try await areGone())
        try await revoke(.user, "key:dashboard", at: noon - .seconds(60), block: true)
        #expect(try await areGone("key:dashboard"))
    }

    @Test("A role's revocation ends what its sessions were issued, whatever is kept with the slot")
    func role() async throws {
        #expect(try await !areGone("role:deployer:ci"))
        try await revoke(.role, "deployer", at: noon)
        #expect(try await areGone("role:deployer:ci"))
        #expect(try await !areGone("role:other:ci"))
    }

    @Test(
        "So does that of its session, of the role, and of whom the session was issued to",
        arguments: [
            (UploadSlot.Ground.Kind.session, Revocation.Kind.session, "0a"), (.role, .role, "deployer"),
            (.user, .user, "key:parent"),
        ]
    )
    func session(_ kind: UploadSlot.Ground.Kind, _ revoked: Revocation.Kind, _ subject: String) async throws {
        let ground = UploadSlot.Ground(kind, subject, issuedAt: noon - .seconds(60))
        #expect(try await !areGone(on: [ground]))
        try await revoke(revoked, subject, at: noon - .seconds(61))
        #expect(try await !areGone(on: [ground]))
        // After the session was issued, and before the slot was.
        try await revoke(revoked, subject, at: noon - .seconds(30))
        #expect(try await areGone(on: [ground]))
    }

    @Test("A grant counts that is taken back or whose giver is, and not one that ends by itself")
    func grant() async throws {
        func give(_ digit: Character, by giver: String) throws -> UploadSlot.Ground {
            let id = String(repeating: digit, count: 32)
            let grant = Grant(
                id: id,
                subject: .principal("user:alice"),
                bucket: try #require(BucketName(validating: "photos")),
                reach: .prefix([]),
                actions: ActionSet(.putObject),
                grantor: giver,
                issuedAt: noon - .seconds(60),
                expiresAt: noon - .seconds(1)
            )
            grants.fill([grant])
            return UploadSlot.Ground(.grant, id, issuedAt: noon)
        }
        let (one, other) = (try give("1", by: "user:root"), try give("2", by: "user:bob"))
        #expect(try await !areGone(on: [one, other]))
        try await revoke(.user, "user:bob", at: noon - .seconds(30))
        #expect(try await !areGone(on: [one]))
        #expect(try await areGone(on: [one, other]))
        _ = try await grants.revoke(one.subject, at: noon)
        #expect(try await areGone(on: [one]))
        let unknown = UploadSlot.Ground(.grant, String(repeating: "3", count: 32), issuedAt: noon)
        #expect(try await areGone(on: [unknown]))
    }

    @Test("Where the state can't be asked, there is no answer")
    func away() async throws {
        store.goAway()
        await #expect(throws: StateError.self) { try await areGone() }
    }
}
