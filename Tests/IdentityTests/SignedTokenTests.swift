import Identity
import Testing
import WireFormats

private let now = Instant(secondsSince1970: 1_800_000_000)

private func token(
    _ claims: String,
    header: String = #"{"alg":"RS256","kid":"k1"}"#,
    signature: String = "c2ln"
) throws -> BearerToken {
    let text = Base64URL.encode(header.utf8) + "." + Base64URL.encode(claims.utf8) + "." + signature
    return try #require(BearerToken(text.utf8))
}

private func claims(_ more: String = "") -> String {
    #"{"iss":"https://auth.example.com","sub":"alice","aud":"gatehouse","exp":1800000600"# + more + "}"
}

private func provider(
    _ name: String = "auth",
    audiences: Set<String> = ["gatehouse"],
    uses: Set<IdentityProvider.Use> = [.bearer],
    claim: String = "sub"
) -> IdentityProvider {
    IdentityProvider(
        name: name,
        issuer: "https://auth.example.com",
        audiences: audiences,
        uses: uses,
        keys: .secret(Secret(Array(repeating: 7, count: 32))),
        principalClaim: claim
    )
}

private func identity(
    _ claims: String,
    _ providers: [IdentityProvider] = [provider()]
) throws -> TokenIdentity {
    let parsed = try SignedToken(parsing: token(claims))
    return try providers.provider(of: parsed.claims, for: .bearer).identity(of: parsed)
}

extension IdentityProvider {
    fileprivate func identity(of token: SignedToken) throws -> TokenIdentity {
        try token.claims.identity(for: self, at: now)
    }
}

@Suite("Tokens are taken apart strictly, whoever signed them")
struct SignedTokenTests {
    @Test("What a proper token says, to the byte that is signed")
    func properToken() throws {
        let bearer = try token(claims())
        let parsed = try SignedToken(parsing: bearer)
        #expect(parsed.algorithm == .rs256 && parsed.keyID == "k1")
        #expect(parsed.signature == Array("sig".utf8))
        #expect(Array(parsed.signedBytes) == bearer.bytes.dropLast(".c2ln".utf8.count))
        let alice = try parsed.claims.identity(for: provider(), at: now)
        #expect(alice.principal.description == "idp:auth:alice")
        #expect(alice.claims["aud"] == "gatehouse")
        #expect(alice.expiresAt == Instant(secondsSince1970: 1_800_000_600))
    }

    @Test(
        "Headers that are refused",
        arguments: [
            (#"{"alg":"none"}"#, TokenRefusal.algorithm), (#"{"alg":"None"}"#, .algorithm),
            (#"{"alg":"rs256"}"#, .algorithm), (#"{"alg":"HS512"}"#, .algorithm), (#"{"alg":"PS256"}"#, .algorithm),
            (#"{"alg":"EdDSA"}"#, .algorithm), (#"{"kid":"k1"}"#, .malformed), (#"{"alg":["RS256"]}"#, .malformed),
            (#"{"alg":"none","alg":"RS256"}"#, .malformed), (#"{"alg":"RS256","\u0061lg":"none"}"#, .malformed),
            (#"{"alg":"RS256","crit":["exp"]}"#, .extensions), (#"{"alg":"RS256","crit":[]}"#, .extensions),
            (#"{"alg":"RS256","b64":false}"#, .extensions), (#"{"alg":"RS256","typ":"logout+jwt"}"#, .extensions),
            (#"{"alg":"RS256","kid":7}"#, .malformed), (#"{"alg":"RS256"} "x""#, .malformed), ("[]", .malformed),
            ("", .malformed),
        ]
    )
    func headers(header: String, refusal: TokenRefusal) throws {
        #expect(throws: refusal) { try SignedToken(parsing: token(claims(), header: header)) }
    }

    @Test("Types of access tokens are accepted in any case", arguments: ["JWT", "jwt", "at+jwt", "application/at+JWT"])
    func types(type: String) throws {
        _ = try SignedToken(parsing: token(claims(), header: #"{"alg":"RS256","typ":"\#(type)"}"#))
    }

    @Test("An unsigned token is refused for its algorithm, one without a signature for its form")
    func withoutSignature() throws {
        #expect(throws: TokenRefusal.algorithm) {
            try SignedToken(parsing: token(claims(), header: #"{"alg":"none"}"#, signature: ""))
        }
        #expect(throws: TokenRefusal.malformed) { try SignedToken(parsing: token(claims(), signature: "")) }
    }

    @Test(
        "Spellings that are not canonical are refused: padding, other alphabets, unused bits, other numbers of parts",
        arguments: [
            { (text: String) in text + "=" }, { $0.replacing("c2ln", with: "c2lnAB") },
            { $0.replacing("c2ln", with: "c2+n") }, { $0 + "." }, { $0 + ".c2ln" },
            { $0.split(separator: ".").dropLast().joined(separator: ".") }, { $0.replacing(".", with: "..") },
            { "~" + $0 }, { _ in "..." },
        ] as [@Sendable (String) -> String]
    )
    func spellings(change: @Sendable (String) -> String) throws {
        let text = String(decoding: try token(claims()).bytes, as: UTF8.self)
        let changed = try #require(BearerToken(change(text).utf8))
        #expect(throws: TokenRefusal.malformed) { try SignedToken(parsing: changed) }
    }

    @Test("A member that is given twice is refused, however it is spelled")
    func duplicates() throws {
        for more in [#","sub":"bob""#, #","\u0073ub":"bob""#, #","x":{"a":1,"a":2}"#, #","aud":"other""#] {
            #expect(throws: TokenRefusal.malformed) { try SignedToken(parsing: token(claims(more))) }
        }
        // Two spellings of one letter in Unicode: one name for whoever looks it up.
        let spelled = claims(",\"caf\u{E9}\":\"a\",\"cafe\u{301}\":\"b\"")
        #expect(throws: TokenRefusal.malformed) { try identity(spelled) }
    }

    @Test("Tokens longer than a header should be are not read")
    func huge() {
        #expect(BearerToken(Array(repeating: UInt8(ascii: "a"), count: BearerToken.maximumLength + 1)) == nil)
    }
}

@Suite("Claims: who, from whom, for whom, until when")
struct TokenClaimsTests {
    @Test(
        "Claims that are refused",
        arguments: [
            (#"{"iss":"https://auth.example.com","sub":"a","aud":"gatehouse"}"#, TokenRefusal.claims("exp")),
            (claims().replacing("1800000600", with: #""1800000600""#), .claims("exp")),
            (claims().replacing("1800000600", with: "1e300"), .claims("exp")),
            (claims().replacing("1800000600", with: "-1"), .expired),
            (claims().replacing("1800000600", with: "1799999940"), .expired),
            (claims(#","nbf":1800000061"#), .notYetValid), (claims(#","iat":1800000061"#), .notYetValid),
            (claims(#","nbf":true"#), .claims("nbf")),
            (claims().replacing("https://auth.example.com", with: "https://auth.example.com/"), .unknownIssuer),
            (claims().replacing("https://auth.example.com", with: "https://AUTH.example.com"), .unknownIssuer),
            (claims().replacing("\"https://auth.example.com\"", with: "null"), .claims("iss")),
            (claims().replacing(#","aud":"gatehouse""#, with: ""), .claims("aud")),
            (claims().replacing(#""aud":"gatehouse""#, with: #""aud":"other""#), .otherAudience),
            (claims().replacing(#""aud":"gatehouse""#, with: #""aud":[]"#), .otherAudience),
            (claims().replacing(#""aud":"gatehouse""#, with: #""aud":["gatehouse",1]"#), .claims("aud")),
            (claims().replacing(#""aud":"gatehouse""#, with: #""aud":"gatehouse other""#), .otherAudience),
            (claims().replacing(#""sub":"alice","#, with: ""), .claims("sub")),
            (claims().replacing("alice", with: ""), .claims("sub")),
            (claims().replacing("\"alice\"", with: "17"), .claims("sub")),
            (claims().replacing("alice", with: "a\\u000ab"), .claims("sub")),
            (claims().replacing("alice", with: "a\u{85}b"), .claims("sub")),
            (claims().replacing("alice", with: String(repeating: "a", count: 257)), .claims("sub")),
        ]
    )
    func refused(text: String, refusal: TokenRefusal) {
        #expect(throws: refusal) { try identity(text) }
    }

    @Test("Clocks may differ by a minute, audiences come as one or as many, times with fractions")
    func accepted() throws {
        _ = try identity(claims(#","nbf":1800000060,"iat":1800000060"#))
        _ = try identity(claims().replacing(#""aud":"gatehouse""#, with: #""aud":["other","gatehouse"]"#))
        let fraction = try identity(claims().replacing("1800000600", with: "1800000600.75"))
        #expect(fraction.expiresAt == Instant(secondsSince1970: 1_800_000_600))
    }

    @Test("Any claim may name the principal; it must be there")
    func principalClaim() throws {
        let mail = provider(claim: "email")
        #expect(try identity(claims(#","email":"a@b""#), [mail]).principal.description == "idp:auth:a@b")
        #expect(throws: TokenRefusal.claims("email")) { try identity(claims(), [mail]) }
    }

    @Test("Of two providers with one issuer the audience tells; a token for both is refused")
    func twoProviders() throws {
        let both = [provider("one", audiences: ["one"]), provider("two", audiences: ["two"])]
        let second = claims().replacing(#""aud":"gatehouse""#, with: #""aud":"two""#)
        #expect(try identity(second, both).provider == "two")
        let shared = claims().replacing(#""aud":"gatehouse""#, with: #""aud":["one","two"]"#)
        #expect(throws: TokenRefusal.ambiguousAudience) { try identity(shared, both) }
    }

    @Test("A provider whose tokens are for sessions alone is nobody's bearer")
    func otherUse() {
        #expect(throws: TokenRefusal.unknownIssuer) { try identity(claims(), [provider(uses: [.sts])]) }
    }
}
