import Admission
import HTTP1
import Identity
import Pipeline
import S3API
import Testing
import WireFormats

@Suite("URLs for the bearers of tokens")
struct TokenURLTests {
    private static let identity = TokenIdentity(
        provider: "auth",
        subject: "photos",
        claims: ["sub": "photos", "org": "acme", "email": "a@example.com"],
        expiresAt: noon + .seconds(60)
    )

    private static func url(via: URLWish.Via, asking lifetime: Duration = .seconds(3600)) async throws -> SignedURL {
        let desk = Signing(via: via, lifetime: lifetime)
        var gate = Gate(tokens: KnownToken(identity: identity), desk: desk)
        let call = Call("POST", "/-/v1/x", length: 2).with("authorization", "Bearer abc.def.ghi")
        guard case .wait(let make) = try gate.decide(call).plan.given(body: "{}") else { throw Unsigned() }
        _ = await make()
        guard let url = await desk.url else { throw Unsigned() }
        return url
    }

    @Test("A URL ends with the token, and says so")
    func capped() async throws {
        let url = try await Self.url(via: .store)
        #expect(url.via == .store)
        #expect(url.cappedBy == .callerCredential)
        #expect(url.expiresAt == noon + .seconds(60))
        #expect(try await Self.url(via: .store, asking: .seconds(30)).cappedBy == nil)
    }

    @Test("A URL through Gatehouse has its bearer's rights, and nothing of the token can be read in it")
    func throughGatehouse() async throws {
        let url = try await Self.url(via: .gatehouse)
        let target = String(url.url.drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" })
        #expect(!target.contains("acme") && !target.contains("example.com%2540"))
        var gate = Gate()
        let used = try gate.decide(Call("GET", target))
        #expect(used.principal == Self.identity.principal)
        #expect(used.outcome == .allowed)
        #expect(try gate.decide(Call("GET", target), at: noon + .seconds(61)).outcome == .unauthenticated)
        #expect(try gate.decide(Call("HEAD", target)).outcome == .unauthenticated)
    }
}

private struct Unsigned: Error {}

/// Signs what it is asked for, whatever that is.
private actor Signing: APIDesk {
    nonisolated let document: [UInt8] = []
    private let via: URLWish.Via
    private let lifetime: Duration
    private(set) var url: SignedURL?

    init(via: URLWish.Via, lifetime: Duration) {
        self.via = via
        self.lifetime = lifetime
    }

    func answer(_ call: APICall) async -> Reply {
        if let bucket = BucketName(validating: "photos") {
            let wish = URLWish(
                .get,
                ActionSet(.getObject),
                bucket: bucket,
                key: ObjectKey("a.txt"),
                lifetime: lifetime,
                via: via
            )
            url = try? call.caller.url(for: wish, random: Array(0..<28), at: call.now)
        }
        return Reply(status: 200)
    }
}

private struct KnownToken: TokenVerifier {
    let identity: TokenIdentity

    func known(_ token: BearerToken, under snapshot: Snapshot, at now: Instant) -> TokenFinding? { .verified(identity) }

    func verify(_ token: BearerToken, under snapshot: Snapshot, at now: Instant) async -> TokenFinding {
        .verified(identity)
    }
}
