import Federation
import Identity
import JWTKit
import Samples
import Testing
import WireFormats

@Suite("Tokens: proper ones are verified, every forged one is refused")
struct ForgedTokenTests {
    private let bench = TokenBench()

    @Test("Every algorithm of the list verifies", arguments: [.rs256, .rs384, .rs512] as [SignatureAlgorithm])
    func rsa(algorithm: SignatureAlgorithm) async throws {
        let key = try await SigningKey.rsa(algorithm, "a")
        bench.issuer.publish(key)
        #expect(await bench.verify(try key.token(), under: try snapshot(provider())).summary == "alice")
    }

    @Test("Elliptic keys and shared secrets verify")
    func others() async throws {
        let (p256, p384) = (try await SigningKey.es256("a"), try await SigningKey.es384("b"))
        bench.issuer.publish(p256, p384)
        let asymmetric = try snapshot(provider())
        #expect(await bench.verify(try p256.token(), under: asymmetric).summary == "alice")
        #expect(await bench.verify(try p384.token(), under: asymmetric).summary == "alice")

        let secret = Array("0123456789abcdef0123456789abcdef".utf8)
        let symmetric = try snapshot(provider(keys: .secret(Secret(secret))), generation: 2)
        #expect(await bench.verify(try await SigningKey.hs256(secret).token(), under: symmetric).summary == "alice")
        let other = try await SigningKey.hs256(Array(secret.reversed())).token()
        #expect(await bench.verify(other, under: symmetric).summary == "token_signature")
    }

    @Test("Whose tokens are for bearers exchanges nothing, and whose are for sessions knows no bearers")
    func uses() async throws {
        let key = try await SigningKey.rsa(.rs256, "a")
        bench.issuer.publish(key)
        let token = try key.token()
        func findings(_ uses: Set<IdentityProvider.Use>, generation: Int) async throws -> [String] {
            let provider = IdentityProvider(
                name: "auth",
                issuer: PlayedIssuer.issuer,
                audiences: ["gatehouse"],
                uses: uses,
                keys: .url(try #require(ServiceURL(PlayedIssuer.jwks)))
            )
            let snapshot = try snapshot(provider, generation: generation)
            return [
                await bench.verify(token, under: snapshot).summary,
                await bench.tokens.verify(forSession: token, under: snapshot, at: bench.now).summary,
            ]
        }
        #expect(try await findings([.bearer], generation: 2) == ["alice", "unknown_issuer"])
        #expect(try await findings([.sts], generation: 3) == ["unknown_issuer", "alice"])
        #expect(try await findings([.bearer, .sts], generation: 4) == ["alice", "alice"])
        let forged = try await SigningKey.rsa(.rs384, "b").token()
        let both = try snapshot(provider(), generation: 5)
        #expect(await bench.tokens.verify(forSession: forged, under: both, at: bench.now).summary == "unknown_issuer")
    }

    @Test("The public key as an HMAC secret is the wrong kind of key, in every spelling")
    func publicKeyAsSecret() async throws {
        let key = try await SigningKey.rsa(.rs256, "a")
        bench.issuer.publish(key)
        let pem = try Insecure.RSA.PrivateKey(pem: PEMSample.pkcs8).publicKey.pemRepresentation
        for secret in [pem, pem + "\n", key.published] {
            let forged = try await SigningKey.hs256(Array(secret.utf8), "a").token()
            #expect(await bench.verify(forged, under: try snapshot(provider())).summary == "token_algorithm")
        }
    }

    @Test("Where a secret is shared, no public key is accepted")
    func algorithmOfTheProvider() async throws {
        let forged = try await SigningKey.es256("a").token()
        let shared = try snapshot(provider(keys: .secret(Secret(Array(repeating: 7, count: 32)))))
        #expect(await bench.verify(forged, under: shared).summary == "token_algorithm")
    }

    @Test("Another's key under the issuer's key id, and claims changed after signing")
    func forged() async throws {
        let key = try await SigningKey.es256("a")
        bench.issuer.publish(key)
        let snapshot = try snapshot(provider())
        let foreign = try await SigningKey.es256("a").token()
        #expect(await bench.verify(foreign, under: snapshot).summary == "token_signature")

        let alice = String(decoding: try key.token().bytes, as: UTF8.self).split(separator: ".")
        let root = Base64URL.encode(claims(subject: "root").utf8)
        let changed = try #require(BearerToken("\(alice[0]).\(root).\(alice[2])".utf8))
        #expect(await bench.verify(changed, under: snapshot).summary == "token_signature")
    }

    @Test("A key for one algorithm verifies no other")
    func algorithmOfTheKey() async throws {
        let key = try await SigningKey.rsa(.rs256, "a")
        let restricted = key.published.replacing("{", with: #"{"alg":"RS512","#)
        bench.issuer.answer(#"{"keys":[\#(restricted)]}"#, at: PlayedIssuer.jwks)
        #expect(await bench.verify(try key.token(), under: try snapshot(provider())).summary == "unknown_key")
    }

    @Test("Keys that a token brings along, or says where to find, are not looked at")
    func keysOfTheToken() async throws {
        bench.issuer.publish(try await SigningKey.es256("a"))
        let own = try await SigningKey.es256("mine")
        bench.issuer.publish(own, at: "https://evil.example.com/jwks")
        let header =
            #","jku":"https://evil.example.com/jwks","x5u":"https://evil.example.com/jwks","jwk":\#(own.published)"#
        let token = try own.token(header: header)
        #expect(await bench.verify(token, under: try snapshot(provider())).summary == "unknown_key")
        #expect(Set(bench.issuer.asked) == [PlayedIssuer.jwks])
    }

    @Test("One provider's key signs nothing for another")
    func otherProvidersKey() async throws {
        let (own, other) = (try await SigningKey.es256("a"), try await SigningKey.es256("b"))
        bench.issuer.publish(own)
        bench.issuer.publish(other, at: "https://other.example.com/jwks")
        let second = try provider(
            "other",
            issuer: "https://other.example.com",
            keys: .url(#require(ServiceURL("https://other.example.com/jwks")))
        )
        let both = try snapshot(provider(), second)
        #expect(await bench.verify(try other.token(), under: both).summary == "unknown_key")
        let proper = try other.token(claims(issuer: "https://other.example.com"))
        #expect(await bench.verify(proper, under: both).summary == "alice")
    }

    @Test("Issuers nobody configured are not asked")
    func strangers() async throws {
        let token = try await SigningKey.es256("a").token(claims(issuer: "https://evil.example.com"))
        #expect(await bench.verify(token, under: try snapshot(provider())).summary == "unknown_issuer")
        let expired = try await SigningKey.es256("a").token(claims(expires: -61))
        #expect(await bench.verify(expired, under: try snapshot(provider())).summary == "expired_token")
        #expect(bench.issuer.asked.isEmpty)
    }

    @Test("A key that is none verifies nothing, and takes no other with it")
    func brokenKey() async throws {
        let key = try await SigningKey.es256("a")
        let zero = Base64URL.encode([UInt8](repeating: 0, count: 32))
        let off = #"{"kty":"EC","crv":"P-256","kid":"off","x":"\#(zero)","y":"\#(zero)"}"#
        bench.issuer.answer(#"{"keys":[\#(off),\#(key.published)]}"#, at: PlayedIssuer.jwks)
        let snapshot = try snapshot(provider())
        #expect(await bench.verify(try key.token(), under: snapshot).summary == "alice")
        #expect(await bench.verify(try key.token(kid: "off"), under: snapshot).summary == "token_signature")
    }
}
