import Crypto
import Foundation
import Signatures
import Testing
import WireFormats

@Suite("How forms are signed")
struct FormSignatureTests {
    private struct Published: Decodable {
        let policy: String
        let credential: String
        let secret: String
        let signature: String
    }

    private static let signedAt = Timestamp.parseAmz(Array("20151229T000000Z".utf8)) ?? Instant(secondsSince1970: 0)

    /// The fields of AWS's example, and its secret.
    private static func published() throws -> (fields: [String: String], secret: Secret<String>) {
        let form = try JSONDecoder().decode(Published.self, from: vectorFile("post-policy"))
        let fields = [
            "policy": form.policy, "x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-credential": form.credential,
            "x-amz-date": "20151229T000000Z", "x-amz-signature": form.signature,
        ]
        return (fields, Secret(form.secret))
    }

    private static func version2(policy: String = "cG9saWN5", secret: String = "secret") -> [String: String] {
        let key = SymmetricKey(data: Array(secret.utf8))
        let code = HMAC<Insecure.SHA1>.authenticationCode(for: Array(policy.utf8), using: key)
        return ["policy": policy, "awsaccesskeyid": "AKFORM", "signature": Base64.encode(code)]
    }

    /// Why these fields are not believed; nil: they are.
    private static func refusal(
        of fields: [String: String],
        _ secret: Secret<String>,
        expiration: Instant = signedAt + .seconds(3600),
        now: Instant = signedAt,
        region: String = "us-east-1"
    ) throws -> SignatureRefusal? {
        do {
            let found = try FormSignature { name in fields[name].map { Array($0.utf8) } }
            try #require(found).verify(secret: secret, expiration: expiration, now: now, region: region)
            return nil
        } catch let refusal as SignatureRefusal {
            return refusal
        }
    }

    @Test("The form that AWS published verifies, under its key and no other")
    func published() throws {
        let (fields, secret) = try Self.published()
        #expect(try Self.refusal(of: fields, secret) == nil)
        #expect(try Self.refusal(of: fields, secret, region: "*") == nil)
        let found = try FormSignature { name in fields[name].map { Array($0.utf8) } }
        #expect(found?.accessKeyID == "AKIAIOSFODNN7EXAMPLE")
        #expect(found?.policy == fields["policy"].map { Array($0.utf8) })
        #expect(try Self.refusal(of: fields, Secret("another")) == .signatureMismatch)
        #expect(
            try Self.refusal(of: fields, secret, region: "eu-west-1") == .wrongRegion(.form, expected: "eu-west-1")
        )
    }

    @Test(
        "One byte other than what was signed is another form",
        arguments: ["policy", "x-amz-signature", "x-amz-credential"]
    )
    func changed(name: String) throws {
        var (fields, secret) = try Self.published()
        let value = try #require(fields[name])
        fields[name] = (value.hasPrefix("A") ? "B" : "A") + value.dropFirst()
        let isKey = name == "x-amz-credential"
        // Another access key id is looked up, and has another secret.
        #expect(try Self.refusal(of: fields, isKey ? Secret("of that key") : secret) == .signatureMismatch)
    }

    @Test(
        "What begins like a signature and is incomplete is refused, and never taken for a form without one",
        arguments: ["policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"]
    )
    func incomplete(name: String) throws {
        var (fields, secret) = try Self.published()
        fields[name] = nil
        let refusal = try #require(try Self.refusal(of: fields, secret))
        guard case .malformed(.form, .missing) = refusal else {
            Issue.record("\(refusal)")
            return
        }
    }

    @Test(
        "What can't be read is refused",
        arguments: [
            ("x-amz-algorithm", "AWS4-HMAC-SHA1"), ("x-amz-date", "2015-12-29"), ("x-amz-date", "20151230T000000Z"),
            ("x-amz-credential", "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/sts/aws4_request"),
            ("x-amz-credential", "AKIAIOSFODNN7EXAMPLE"), ("x-amz-signature", "00"), ("x-amz-signature", ""),
        ]
    )
    func unreadable(name: String, value: String) throws {
        var (fields, secret) = try Self.published()
        fields[name] = value
        #expect(try Self.refusal(of: fields, secret) != nil)
    }

    @Test("Two signatures are refused, and where there is none there is none")
    func twoOrNone() throws {
        let (fields, secret) = try Self.published()
        let both = fields.merging(Self.version2()) { first, _ in first }
        #expect(try Self.refusal(of: both, secret) == .twoSignatures)
        #expect(try FormSignature { _ in nil } == nil)
        // A policy or a session's token alone claims one.
        for name in ["policy", "x-amz-security-token"] {
            #expect(try Self.refusal(of: [name: "x"], secret) != nil)
        }
    }

    @Test("A form is good for a week from its signing, and not before it")
    func time() throws {
        let (fields, secret) = try Self.published()
        let week = Duration.seconds(7 * 86_400)
        #expect(try Self.refusal(of: fields, secret, now: Self.signedAt + week) == nil)
        #expect(try Self.refusal(of: fields, secret, now: Self.signedAt + week + .seconds(1)) == .expired)
        #expect(try Self.refusal(of: fields, secret, now: Self.signedAt - .seconds(900)) == nil)
        #expect(try Self.refusal(of: fields, secret, now: Self.signedAt - .seconds(901)) == .notYetValid)
    }

    @Test("Version 2 verifies by its policy's bytes, and is held to the same week")
    func version2() throws {
        let fields = Self.version2()
        let secret = Secret("secret")
        #expect(try Self.refusal(of: fields, secret) == nil)
        #expect(try Self.refusal(of: fields, Secret("another")) == .signatureMismatch)
        #expect(try Self.refusal(of: fields.merging(["policy": "cG9saWN6"]) { $1 }, secret) == .signatureMismatch)
        #expect(try Self.refusal(of: fields.merging(["signature": "=x"]) { $1 }, secret) == .signatureMismatch)
        let late = Self.signedAt + .seconds(7 * 86_400 + 901)
        #expect(try Self.refusal(of: fields, secret, expiration: late) == .malformed(.form, .expiresOutOfRange))
        for name in ["policy", "awsaccesskeyid", "signature"] {
            var fields = fields
            fields[name] = nil
            #expect(try Self.refusal(of: fields, secret) != nil, "\(name)")
        }
    }
}
