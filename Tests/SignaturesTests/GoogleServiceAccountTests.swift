import CryptoExtras
import Foundation
import Signatures
import Testing
import WireFormats

@Suite struct GoogleServiceAccountTests {
    private struct Published: Decodable {
        let email: String
        let privateKey: String
    }

    private static func file(_ changes: [String: Any?] = [:]) throws -> Secret<String> {
        let published = try JSONDecoder().decode(Published.self, from: vectorFile("google-conformance"))
        var members: [String: Any] = [
            "type": "service_account", "project_id": "p", "private_key_id": "k1", "private_key": published.privateKey,
            "client_email": published.email, "token_uri": "https://oauth2.googleapis.com/token",
        ]
        for (name, value) in changes { members[name] = value }
        return Secret(String(decoding: try JSONSerialization.data(withJSONObject: members), as: UTF8.self))
    }

    private static func publicKey() throws -> _RSA.Signing.PublicKey {
        let published = try JSONDecoder().decode(Published.self, from: vectorFile("google-conformance"))
        return try _RSA.Signing.PrivateKey(pemRepresentation: published.privateKey).publicKey
    }

    private struct Claims: Decodable {
        let iss: String
        let sub: String
        let scope: String
        let iat: Int64
        let exp: Int64
    }

    @Test func aTokenIsSignedByTheAccountAndGoodForHalfAnHourWheneverItIsAskedFor() throws {
        let account = try GoogleServiceAccount(keyFile: Self.file())
        for second in [0, 1, 1799, 1800, 3599] as [Int64] {
            let now = Sample.signedAt + .seconds(second)
            let parts = try account.accessToken(at: now).reveal().split(separator: ".").map(String.init)
            #expect(parts.count == 3)
            let claims = try JSONDecoder().decode(
                Claims.self,
                from: Data(try #require(Base64URL.decode(Array(parts[1].utf8))))
            )
            #expect(claims.iss == account.email && claims.sub == account.email)
            #expect(claims.scope == "https://www.googleapis.com/auth/devstorage.read_write")
            #expect(claims.iat < now.secondsSince1970)
            #expect(claims.exp - now.secondsSince1970 > 1700)
            #expect(claims.exp - claims.iat == 3600)
            let header = String(decoding: try #require(Base64URL.decode(Array(parts[0].utf8))), as: UTF8.self)
            #expect(header == #"{"alg":"RS256","typ":"JWT","kid":"k1"}"#)
            let signature = _RSA.Signing.RSASignature(
                rawRepresentation: Data(try #require(Base64URL.decode(Array(parts[2].utf8))))
            )
            let isSigned = try Self.publicKey()
                .isValidSignature(signature, for: Data((parts[0] + "." + parts[1]).utf8), padding: .insecurePKCS1v1_5)
            #expect(isSigned)
        }
    }

    @Test func withinHalfAnHourItIsOneToken() throws {
        let account = try GoogleServiceAccount(keyFile: Self.file())
        let start = Instant(secondsSince1970: Sample.signedAt.secondsSince1970 / 1800 * 1800)
        let first = try account.accessToken(at: start).reveal()
        #expect(try account.accessToken(at: start + .seconds(1799)).reveal() == first)
        #expect(try account.accessToken(at: start + .seconds(1800)).reveal() != first)
    }

    @Test func whatIsNoKeyFileIsRefusedForWhatItLacks() throws {
        func refusal(_ file: Secret<String>) -> GoogleServiceAccount.Refusal? {
            do throws(GoogleServiceAccount.Refusal) {
                _ = try GoogleServiceAccount(keyFile: file)
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal(Secret("")) == .malformed)
        #expect(refusal(Secret("[]")) == .malformed)
        #expect(refusal(Secret(#"{"type":"service_account","type":"service_account"}"#)) == .malformed)
        #expect(refusal(try Self.file(["type": "authorized_user"])) == .otherType)
        #expect(refusal(try Self.file(["client_email": 1])) == .missing("client_email"))
        #expect(refusal(try Self.file(["private_key": ""])) == .missing("private_key"))
        #expect(refusal(try Self.file(["private_key": "none"])) == .key(.malformed))
    }
}
