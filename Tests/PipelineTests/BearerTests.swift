import Identity
import Pipeline
import S3API
import Testing
import WireFormats

@Suite("Bearer tokens: verified once, templates filled from their claims")
struct BearerTests {
    private static let alice = identity("photos", ["sub": "photos", "org": "acme"])
    private static let read = Call("GET", "/photos/a.txt").with("authorization", "Bearer abc.def.ghi")

    private static func identity(_ subject: String, _ claims: [String: String]) -> TokenIdentity {
        TokenIdentity(provider: "auth", subject: subject, claims: claims, expiresAt: noon + .seconds(60))
    }

    @Test("A token that nobody has seen is verified first, and nothing is decided before")
    func unseenTokenWaits() async throws {
        var gate = Gate(tokens: Verifier(finding: .verified(Self.alice), isKnown: false))
        let first = try gate.decide(Self.read)
        guard case .wait(let make) = first.plan else {
            Issue.record("it did not wait")
            return
        }
        #expect(!first.isFinal)
        #expect(first.principal == nil)
        guard case .reconsider(let findings) = await make() else {
            Issue.record("nothing was found")
            return
        }
        let second = try gate.decide(Self.read, knowing: findings)
        #expect(second.principal == .identityProvider(name: "auth", subject: "photos"))
        guard case .forward = second.plan else {
            Issue.record("it was not forwarded")
            return
        }
        #expect(second.isFinal)
    }

    @Test("A token that is known costs no wait")
    func knownToken() throws {
        var gate = Gate(tokens: Verifier(finding: .verified(Self.alice), isKnown: true))
        guard case .forward = try gate.decide(Self.read).plan else {
            Issue.record("not forwarded")
            return
        }
    }

    @Test(
        "What a token permits is what its claims make of the templates",
        arguments: [
            ("GET", "/photos/a.txt", ["sub": "photos"], true),
            ("GET", "/docs/acme/a.txt", ["sub": "photos", "org": "acme"], false),
            ("PUT", "/docs/acme/a.txt", ["sub": "photos", "org": "acme"], true),
            ("PUT", "/docs/other/a.txt", ["sub": "photos", "org": "acme"], false),
            ("PUT", "/docs/acme/a.txt", ["sub": "photos"], false),
            ("PUT", "/docs//a.txt", ["sub": "photos", "org": ""], false),
            ("PUT", "/docs/a/b.txt", ["sub": "photos", "org": "a/b"], false),
            ("GET", "/photos/a.txt", ["sub": "*"], false),
            ("GET", "/photos/a.txt", ["sub": "{org}", "org": "photos"], false),
            ("GET", "/photos/a.txt", [:], false),
        ]
    )
    func templates(method: String, path: String, claims: [String: String], allowed: Bool) throws {
        var gate = Gate(tokens: Verifier(finding: .verified(Self.identity("x", claims)), isKnown: true))
        let call = Call(method, path, length: method == "PUT" ? 1 : nil).with("authorization", "Bearer abc")
        let decision = try gate.decide(call)
        #expect((decision.outcome == .allowed) == allowed, "\(decision.reason)")
    }

    @Test("An expired token, a stranger's and one whose issuer is away are refused with their own answers")
    func refusals() throws {
        var expired = Gate(tokens: Verifier(finding: .verified(Self.alice), isKnown: true))
        try expect(401, .invalidBearerToken, expired.decide(Self.read, at: noon + .seconds(120)))
        let forged = TokenFinding.refused(reason: "its signature is wrong", failure: "token_signature")
        var stranger = Gate(tokens: Verifier(finding: forged, isKnown: true))
        let decision = try stranger.decide(Self.read)
        try expect(401, .invalidBearerToken, decision)
        #expect(decision.failureName == "token_signature")
        var away = Gate(tokens: Verifier(finding: .unavailable(reason: "no answer"), isKnown: true))
        try expect(503, .serviceUnavailable, away.decide(Self.read))
    }
}

/// Finds what it was made with.
struct Verifier: TokenVerifier {
    let finding: TokenFinding
    let isKnown: Bool

    func known(_ token: BearerToken, under snapshot: Snapshot, at now: Instant) -> TokenFinding? {
        isKnown ? finding : nil
    }

    func verify(_ token: BearerToken, under snapshot: Snapshot, at now: Instant) async -> TokenFinding { finding }
}
