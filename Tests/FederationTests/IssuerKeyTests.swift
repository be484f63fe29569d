import Federation
import Identity
import Testing
import WireFormats

@Suite("Issuers' keys: kept, renewed, taken back")
struct IssuerKeyTests {
    private let bench = TokenBench()
    private var issuer: PlayedIssuer { bench.issuer }

    @Test("A new key is fetched when its first token comes, once for all who wait")
    func rollover() async throws {
        let (old, new) = (try await SigningKey.es256("old"), try await SigningKey.es256("new"))
        issuer.publish(old)
        let snapshot = try snapshot(provider())
        #expect(await bench.verify(try old.token(), under: snapshot).summary == "alice")
        issuer.publish(old, new)
        issuer.isHeld = true
        let findings = await withTaskGroup(of: String.self) { tasks in
            for number in 0..<50 {
                tasks.addTask {
                    guard let token = try? new.token(claims(subject: "user\(number)")) else { return "" }
                    return await self.bench.verify(token, under: snapshot).summary
                }
            }
            tasks.addTask {
                // Those whose key is known do not wait.
                guard let token = try? old.token(claims(subject: "bob")) else { return "" }
                let finding = await self.bench.verify(token, under: snapshot).summary
                self.issuer.isHeld = false
                return finding
            }
            return await tasks.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(findings == Set((0..<50).map { "user\($0)" } + ["bob"]))
        #expect(issuer.asked.count == 2)
    }

    @Test("Invented key ids make us ask once in thirty seconds")
    func inventedIDs() async throws {
        let key = try await SigningKey.es256("a")
        issuer.publish(key)
        let snapshot = try snapshot(provider())
        _ = await bench.verify(try key.token(), under: snapshot)
        for number in 0..<20 {
            let forged = try key.token(kid: "invented\(number)")
            #expect(await bench.verify(forged, under: snapshot).summary == "unknown_key")
        }
        #expect(issuer.asked.count == 2)
        bench.pass(.seconds(30))
        _ = await bench.verify(try key.token(kid: "later"), under: snapshot)
        #expect(issuer.asked.count == 3)
    }

    @Test("While the issuer is away known keys go on, unknown ones get to hear that nobody can say")
    func issuerAway() async throws {
        let (old, new) = (try await SigningKey.es256("old"), try await SigningKey.es256("new"))
        issuer.publish(old)
        let snapshot = try snapshot(provider())
        #expect(await bench.verify(try old.token(), under: snapshot).summary == "alice")
        issuer.goAway()
        bench.pass(.seconds(7200))
        func token(_ key: SigningKey) throws -> BearerToken { try key.token(claims(expires: 90_000)) }
        #expect(await bench.verify(try token(old), under: snapshot).summary == "alice")
        #expect(await bench.verify(try token(new), under: snapshot).summary == "unavailable")
        // While it is waited out nobody asks.
        let asked = issuer.asked.count
        for _ in 0..<10 { _ = await bench.verify(try token(new), under: snapshot) }
        #expect(issuer.asked.count == asked)
        issuer.publish(old, new)
        bench.pass(.seconds(31))
        #expect(await bench.verify(try token(new), under: snapshot).summary == "alice")
    }

    @Test("Keys that could not be renewed for a day are not used any more")
    func staleKeys() async throws {
        let key = try await SigningKey.es256("a")
        issuer.publish(key)
        let snapshot = try snapshot(provider())
        _ = await bench.verify(try key.token(), under: snapshot)
        issuer.goAway()
        bench.pass(.seconds(86_401))
        let token = try key.token(claims(expires: 100_000))
        #expect(await bench.verify(token, under: snapshot).summary == "unavailable")
    }

    @Test("A slow issuer keeps nobody waiting but its own bearers")
    func slowIssuer() async throws {
        let secret = Array("0123456789abcdef0123456789abcdef".utf8)
        let fast = try provider("fast", issuer: "fast", keys: .secret(Secret(secret)))
        let snapshot = try snapshot(provider(), fast)
        issuer.isHeld = true
        let key = try await SigningKey.es256("a")
        issuer.publish(key)
        async let slow = bench.verify(try key.token(), under: snapshot)
        let quick = try await SigningKey.hs256(secret).token(claims(issuer: "fast"))
        #expect(await bench.verify(quick, under: snapshot).summary == "alice")
        issuer.isHeld = false
        #expect(try await slow.summary == "alice")
    }

    @Test("A key that the issuer took back takes its tokens along, those that were verified before too")
    func withdrawnKey() async throws {
        let (old, new) = (try await SigningKey.es256("old"), try await SigningKey.es256("new"))
        issuer.publish(old, new, maxAge: .seconds(60))
        let snapshot = try snapshot(provider())
        let token = try old.token()
        _ = await bench.verify(token, under: snapshot)
        #expect(bench.known(token, under: snapshot)?.summary == "alice")
        issuer.publish(new, maxAge: .seconds(60))
        bench.pass(.seconds(61))
        // Somebody's request has it renewed; from then on the old one is gone.
        _ = await bench.verify(try new.token(kid: "other"), under: snapshot)
        #expect(bench.known(token, under: snapshot) == nil)
        #expect(await bench.verify(token, under: snapshot).summary == "unknown_key")
    }

    @Test("Tokens without a key id are tried with every key, and a new key is looked for once")
    func withoutKeyID() async throws {
        let (one, two) = (try await SigningKey.es256(nil), try await SigningKey.es256(nil))
        issuer.publish(one)
        let snapshot = try snapshot(provider())
        #expect(await bench.verify(try one.token(), under: snapshot).summary == "alice")
        issuer.publish(one, two)
        #expect(await bench.verify(try two.token(), under: snapshot).summary == "alice")
        #expect(await bench.verify(try await SigningKey.es256(nil).token(), under: snapshot).summary == "unknown_key")
        #expect(issuer.asked.count == 2)
    }

    @Test("What is renewed is seen, and what is not")
    func conditions() async throws {
        issuer.publish(try await SigningKey.es256("a"))
        let snapshot = try snapshot(provider())
        bench.tokens.adopt(snapshot)
        _ = await bench.verify(try await SigningKey.es256("a").token(), under: snapshot)
        #expect(bench.tokens.conditions.map(\.keys) == [1])
        #expect(bench.tokens.conditions.map(\.problem) == [nil])
        issuer.goAway()
        bench.pass(.seconds(601))
        _ = await bench.verify(try await SigningKey.es256("b").token(claims(expires: 9000)), under: snapshot)
        #expect(bench.tokens.conditions.map(\.problem) == ["nobody there"])
    }
}

@Suite("Discovery")
struct DiscoveryTests {
    private let bench = TokenBench()
    private static let place = "https://auth.example.com/.well-known/openid-configuration"

    private func finding(_ document: String, issuer: String = PlayedIssuer.issuer) async throws -> String {
        let key = try await SigningKey.es256("a")
        bench.issuer.publish(key)
        bench.issuer.publish(key, at: "http://auth.example.com/jwks")
        bench.issuer.publish(key, at: "http://127.0.0.1/jwks")
        bench.issuer.answer(document, at: Self.place)
        let provider = try provider(issuer: issuer, keys: .discovery(#require(ServiceURL(issuer))))
        return await bench.verify(try key.token(claims(issuer: issuer)), under: try snapshot(provider)).summary
    }

    @Test("The document says where the keys are; a slash at the issuer's end is the issuer's")
    func proper() async throws {
        let document = #"{"issuer":"https://auth.example.com","jwks_uri":"https://auth.example.com/jwks"}"#
        #expect(try await finding(document) == "alice")
        #expect(bench.issuer.asked == [Self.place, PlayedIssuer.jwks])
    }

    @Test func slash() async throws {
        let document = #"{"issuer":"https://auth.example.com/","jwks_uri":"https://auth.example.com/jwks"}"#
        #expect(try await finding(document, issuer: "https://auth.example.com/") == "alice")
    }

    @Test(
        "A document about another issuer, or with keys in the open, is not followed",
        arguments: [
            #"{"issuer":"https://auth.example.com/","jwks_uri":"https://auth.example.com/jwks"}"#,
            #"{"issuer":"https://evil.example.com","jwks_uri":"https://auth.example.com/jwks"}"#,
            #"{"jwks_uri":"https://auth.example.com/jwks"}"#,
            #"{"issuer":"https://auth.example.com"}"#,
            #"{"issuer":"https://auth.example.com","jwks_uri":"http://auth.example.com/jwks"}"#,
            #"{"issuer":"https://auth.example.com","jwks_uri":"http://127.0.0.1/jwks"}"#,
            #"{"issuer":"https://auth.example.com","jwks_uri":"https://a@auth.example.com/jwks"}"#,
            #"{"issuer":"https://evil","issuer":"https://auth.example.com","jwks_uri":"https://auth.example.com/jwks"}"#,
            "[]", "",
        ]
    )
    func refused(document: String) async throws {
        #expect(try await finding(document) == "unavailable")
        #expect(bench.issuer.asked.allSatisfy { $0 == Self.place })
    }
}
