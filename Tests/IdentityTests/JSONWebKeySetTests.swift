import Identity
import Testing
import WireFormats

/// 2048 bits that no key was made of: only its form matters here.
private let modulus = Base64URL.encode([UInt8](repeating: 0xA5, count: 256))
private let coordinate = Base64URL.encode([UInt8](repeating: 0x5A, count: 32))

private func rsa(_ more: String, n: String = modulus, e: String = "AQAB") -> String {
    #"{"kty":"RSA","n":"\#(n)","e":"\#(e)"\#(more.isEmpty ? "" : "," + more)}"#
}

private func ec(_ more: String) -> String {
    #"{"kty":"EC","crv":"P-256","x":"\#(coordinate)","y":"\#(coordinate)","# + more + "}"
}

private func set(_ keys: String...) throws -> JSONWebKeySet {
    try JSONWebKeySet(parsing: #"{"keys":[\#(keys.joined(separator: ","))]}"#.utf8)
}

private func token(_ header: String) throws -> SignedToken {
    let claims = #"{"iss":"i","aud":"a"}"#
    let text = Base64URL.encode(header.utf8) + "." + Base64URL.encode(claims.utf8) + ".c2ln"
    return try SignedToken(parsing: #require(BearerToken(text.utf8)))
}

@Suite("Key sets: what can verify signatures, and what a token may ask for")
struct JSONWebKeySetTests {
    @Test(
        "Keys of other kinds and uses are left out",
        arguments: [
            #"{"kty":"oct","k":"c2VjcmV0"}"#, #"{"kty":"OKP","crv":"Ed25519","x":"\#(coordinate)"}"#,
            rsa(#""use":"enc""#), rsa(#""alg":"RSA-OAEP""#), rsa(#""alg":"PS256""#), rsa(#""key_ops":["sign"]"#),
            rsa(#""kid":1"#), rsa("", n: Base64URL.encode([UInt8](repeating: 1, count: 128))), rsa("", e: "AQ"),
            rsa("", e: "AgAA"), rsa("", e: "AQAAAAAB"), rsa("", n: modulus + "="),
            ec(#""alg":"ES384""#), ec("").replacing("P-256\"", with: "P-384\"").replacing(",}", with: "}"), "7",
        ]
    )
    func leftOut(key: String) {
        #expect(throws: JSONWebKeySetError.noUsableKey) { try set(key) }
    }

    @Test("A token finds the key of its id and algorithm, and no other")
    func candidates() throws {
        let keys = try set(rsa(#""kid":"a","use":"sig""#), ec(#""kid":"b""#), rsa(#""kid":"c","alg":"RS512""#))
        #expect(keys.candidates(for: try token(#"{"alg":"RS256","kid":"a"}"#)).map(\.id) == ["a"])
        #expect(keys.candidates(for: try token(#"{"alg":"ES256","kid":"a"}"#)).isEmpty)
        #expect(keys.candidates(for: try token(#"{"alg":"RS256","kid":"c"}"#)).isEmpty)
        #expect(keys.candidates(for: try token(#"{"alg":"RS256","kid":"d"}"#)).isEmpty)
        #expect(keys.candidates(for: try token(#"{"alg":"HS256","kid":"a"}"#)).isEmpty)
        #expect(keys.candidates(for: try token(#"{"alg":"RS512"}"#)).map(\.id) == ["a", "c"])
    }

    @Test("Keys without an id serve every token that no id decides")
    func withoutID() throws {
        let keys = try set(rsa(""), ec(#""kid":"b""#))
        #expect(keys.candidates(for: try token(#"{"alg":"RS256","kid":"whatever"}"#)).count == 1)
        #expect(keys.candidates(for: try token(#"{"alg":"RS256"}"#)).count == 1)
        #expect(keys.candidates(for: try token(#"{"alg":"RS256","kid":"b"}"#)).isEmpty)
    }

    @Test("Two keys of one id are both left out, also where one of them could not be used")
    func sharedID() throws {
        let keys = try set(rsa(#""kid":"a""#), ec(#""kid":"a""#), ec(#""kid":"b""#))
        #expect(keys.keys.map(\.id) == ["b"] && keys.ambiguous == 2)
        #expect(throws: JSONWebKeySetError.ambiguous) { try set(rsa(#""kid":"a""#), #"{"kty":"oct","kid":"a"}"#) }
    }

    @Test("What is no key set is refused")
    func refused() {
        #expect(throws: JSONWebKeySetError.noKeys) { try JSONWebKeySet(parsing: "[]".utf8) }
        #expect(throws: JSONWebKeySetError.noKeys) { try JSONWebKeySet(parsing: #"{"keys":{}}"#.utf8) }
        #expect(throws: JSONWebKeySetError.self) { try JSONWebKeySet(parsing: #"{"keys":[],"keys":[]}"#.utf8) }
        #expect(throws: JSONWebKeySetError.tooLong) {
            try JSONWebKeySet(parsing: [UInt8](repeating: 0x20, count: JSONWebKeySet.longestDocument + 1))
        }
        #expect(throws: JSONWebKeySetError.tooMany) {
            try JSONWebKeySet(parsing: #"{"keys":[\#(Array(repeating: "1", count: 65).joined(separator: ","))]}"#.utf8)
        }
    }
}
