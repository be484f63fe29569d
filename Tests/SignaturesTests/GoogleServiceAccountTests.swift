import CryptoExtras
import Foundation
import HTTP1
import Signatures
import Testing
import WireFormats

@Suite struct GoogleServiceAccountTests {
    private struct Published: Decodable {
        let email: String
        let privateKey: String
    }

    private static func published() throws -> Published {
        try JSONDecoder().decode(Published.self, from: vectorFile("google-conformance"))
    }

    private static func account() throws -> GoogleServiceAccount {
        let published = try published()
        return try GoogleServiceAccount(
            email: published.email,
            keyID: "k1",
            privateKey: Secret(published.privateKey)
        )
    }

    private struct Claims: Decodable {
        let iss: String
        let scope: String
        let aud: String
        let iat: Int64
        let exp: Int64
    }

    @Test func anAssertionIsForOneTokenServiceAndSignedByTheAccount() throws {
        let account = try Self.account()
        let assertion = try account.assertion(
            for: "https://www.googleapis.com/auth/devstorage.read_write",
            to: "https://oauth2.googleapis.com/token",
            lifetime: .seconds(300),
            at: Sample.signedAt
        )
        let parts = assertion.reveal().split(separator: ".").map(String.init)
        try #require(parts.count == 3)
        let header = String(decoding: try #require(Base64URL.decode(Array(parts[0].utf8))), as: UTF8.self)
        #expect(header == #"{"alg":"RS256","typ":"JWT","kid":"k1"}"#)
        let claims = try JSONDecoder().decode(
            Claims.self,
            from: Data(try #require(Base64URL.decode(Array(parts[1].utf8))))
        )
        #expect(claims.iss == account.email)
        #expect(claims.scope == "https://www.googleapis.com/auth/devstorage.read_write")
        #expect(claims.aud == "https://oauth2.googleapis.com/token")
        #expect(claims.iat == Sample.signedAt.secondsSince1970)
        #expect(claims.exp - claims.iat == 300)
        let signature = _RSA.Signing.RSASignature(
            rawRepresentation: Data(try #require(Base64URL.decode(Array(parts[2].utf8))))
        )
        let key = try _RSA.Signing.PrivateKey(pemRepresentation: try Self.published().privateKey).publicKey
        #expect(
            key.isValidSignature(signature, for: Data((parts[0] + "." + parts[1]).utf8), padding: .insecurePKCS1v1_5)
        )
    }

    @Test func aURLThatIsSignedElsewhereIsTheOneThatIsSignedHere() throws {
        let account = try Self.account()
        let key = try _RSA.Signing.PrivateKey(pemRepresentation: try Self.published().privateKey)
        var query = Query()
        query.append("response-content-type".utf8, "text/plain; charset=utf-8".utf8)
        var fields = FieldBlock()
        fields.append("x-goog-if-generation-match", "0")
        fields.append("host", "storage.googleapis.com")
        let path = Array("/bucket/a%20b".utf8)
        let unsigned = UnsignedGoogleURL(
            .put,
            path: path,
            query: query,
            fields: fields,
            account: account.email,
            expiresIn: .seconds(600),
            at: Sample.signedAt
        )
        let signature = try key.signature(for: Data(unsigned.text), padding: .insecurePKCS1v1_5).rawRepresentation
        let here = try account.signer.presign(
            .put,
            path: path,
            query: query,
            fields: fields,
            expiresIn: .seconds(600),
            at: Sample.signedAt
        )
        #expect(unsigned.query(signedBy: Array(signature)) == here)
    }

    @Test(arguments: ["", "none", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
    func whatIsNoKeySignsNothing(_ pem: String) {
        #expect(throws: RSASigningKey.Refusal.malformed) {
            try GoogleServiceAccount(email: "a@b.example", keyID: "k", privateKey: Secret(pem))
        }
    }
}
