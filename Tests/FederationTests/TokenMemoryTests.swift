import Federation
import Identity
import Testing
import WireFormats

@Suite("What is remembered of tokens")
struct TokenMemoryTests {
    private let bench = TokenBench()

    @Test("A verified token is known until it ends, under the configuration it was verified under")
    func verified() async throws {
        let key = try await SigningKey.es256("a")
        bench.issuer.publish(key)
        let (first, second) = (try snapshot(provider()), try snapshot(provider(), generation: 2))
        let token = try key.token()
        #expect(bench.known(token, under: first) == nil)
        _ = await bench.verify(token, under: first)
        #expect(bench.known(token, under: first)?.summary == "alice")
        #expect(bench.known(token, under: second) == nil)
        bench.pass(.seconds(659))
        #expect(bench.known(token, under: first)?.summary == "alice")
        bench.pass(.seconds(1))
        #expect(bench.known(token, under: first)?.summary == "expired_token")
    }

    @Test("Known is the whole token: another signature on the same claims is another token")
    func wholeToken() async throws {
        let key = try await SigningKey.es256("a")
        bench.issuer.publish(key)
        let snapshot = try snapshot(provider())
        let token = try key.token()
        _ = await bench.verify(token, under: snapshot)
        let stripped = String(decoding: token.bytes.prefix { $0 != UInt8(ascii: "~") }.dropLast(4), as: UTF8.self)
        #expect(bench.known(try #require(BearerToken(stripped.utf8)), under: snapshot) == nil)
    }

    @Test("A refusal is remembered for moments, one that may change is not")
    func refused() async throws {
        let key = try await SigningKey.es256("a")
        bench.issuer.publish(key)
        let snapshot = try snapshot(provider())
        let forged = try await SigningKey.es256("a").token()
        _ = await bench.verify(forged, under: snapshot)
        #expect(bench.known(forged, under: snapshot)?.summary == "token_signature")
        bench.pass(.seconds(5))
        #expect(bench.known(forged, under: snapshot) == nil)
        let unknown = try key.token(kid: "b")
        _ = await bench.verify(unknown, under: snapshot)
        #expect(bench.known(unknown, under: snapshot) == nil)
    }

    @Test("Without identity providers every token is a stranger's at once")
    func noProviders() async throws {
        let token = try await SigningKey.es256("a").token()
        #expect(bench.known(token, under: try snapshot())?.summary == "unknown_issuer")
    }
}
