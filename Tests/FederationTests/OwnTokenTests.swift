import Federation
import Identity
import JWTKit
import Samples
import Testing
import WireFormats

/// Tokens of our own, verified by what others go by: our discovery document, our keys, and nothing else.
@Suite("Our own tokens are believed by whoever has our keys")
struct OwnTokenTests {
    private let bench = TokenBench()
    private static let rsa = try? OIDCKey(pem: PEMSample.pkcs8)
    private static let p256 = try? OIDCKey(pem: ES256PrivateKey().pemRepresentation)

    private func published(_ keys: OIDCKey?...) throws -> OIDCProvider {
        let provider = OIDCProvider(issuer: PlayedIssuer.issuer, keys: try keys.map { try #require($0) })
        bench.issuer.answer(
            String(decoding: provider.discovery, as: UTF8.self),
            at: PlayedIssuer.issuer + OIDCProvider.discoveryPath
        )
        bench.issuer.answer(
            String(decoding: provider.keySet, as: UTF8.self),
            at: PlayedIssuer.issuer + OIDCProvider.keySetPath
        )
        return provider
    }

    private func mint(_ provider: OIDCProvider, audience: String = "gatehouse") throws -> BearerToken {
        let token = try provider.mint(
            subject: "s3-proxy",
            audience: audience,
            lifetime: .seconds(300),
            at: bench.now,
            jti: "0f"
        )
        return try #require(BearerToken(token.reveal().utf8))
    }

    private func verify(_ token: BearerToken) async throws -> String {
        let issuer = try #require(ServiceURL(PlayedIssuer.issuer))
        return await bench.verify(token, under: try snapshot(provider(keys: .discovery(issuer)))).summary
    }

    @Test("RSA and P-256, by discovery", arguments: [rsa, p256])
    func verified(key: OIDCKey?) async throws {
        let provider = try published(key)
        #expect(try await verify(mint(provider)) == "s3-proxy")
        #expect(try await verify(mint(provider, audience: "other")) == "token_audience")
    }

    @Test("While keys roll over, tokens of both verify, and the first signs")
    func rollover() async throws {
        let old = try published(Self.rsa)
        let during = try published(Self.p256, Self.rsa)
        #expect(try await verify(mint(old)) == "s3-proxy")
        #expect(try await verify(mint(during)) == "s3-proxy")
        #expect(try SignedToken(parsing: mint(during)).keyID == Self.p256?.id)
    }

    @Test("A token says who, for whom, from when to when, and which one it is")
    func claims() throws {
        let token = try SignedToken(parsing: mint(published(Self.rsa)))
        let now = bench.now.secondsSince1970
        #expect(
            String(decoding: token.claims.document, as: UTF8.self)
                == #"{"iss":"\#(PlayedIssuer.issuer)","sub":"s3-proxy","aud":"gatehouse","iat":\#(now),"nbf":\#(now),"#
                + #""exp":\#(now + 300),"jti":"0f"}"#
        )
        #expect(token.algorithm == .rs256 && token.keyID == Self.rsa?.id)
    }

    @Test("An issuer with a slash at its end has its keys where everybody looks for them")
    func slash() throws {
        let key = try #require(Self.rsa)
        let provider = OIDCProvider(issuer: "https://files.example.com/x/", keys: [key])
        let text = String(decoding: provider.discovery, as: UTF8.self)
        #expect(text.contains(#""issuer":"https://files.example.com/x/""#))
        #expect(text.contains(#""jwks_uri":"https://files.example.com/x/.well-known/jwks.json""#))
    }
}
