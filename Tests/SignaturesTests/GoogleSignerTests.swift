import Foundation
import HTTP1
import Signatures
import Testing
import WireFormats

/// Cases of googleapis/conformance-tests and of google-cloud-storage's own signer (`Scripts/make-google-vectors`).
@Suite struct GoogleSignerTests {
    /// A URL as it was signed by Google's own code.
    struct SignedURL: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let algorithm: String
        let method: String
        let key: String
        let fields: [[String]]
        let query: [[String]]
        let lifetime: Int
        let signedAt: String
        let canonicalRequest: String
        let stringToSign: String
        let url: String

        var testDescription: String { name }
    }

    struct SignedRequest: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let method: String
        let path: String
        let query: [[String]]
        let fields: [[String]]
        let payload: String
        let signedAt: String
        let canonicalRequest: String
        let stringToSign: String
        let authorization: String

        var testDescription: String { name }
    }

    struct Published: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let method: String
        let host: String
        let path: String
        let fields: [[String]]
        let query: [[String]]
        let lifetime: Int
        let signedAt: String
        let signature: String

        var testDescription: String { name }
    }

    struct Policy: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let signedAt: String
        let policy: String
        let signature: String

        var testDescription: String { name }
    }

    private struct OwnFile: Decodable {
        let serviceAccount: String
        let accessID: String
        let secret: String
        let urls: [SignedURL]
        let requests: [SignedRequest]
    }

    private struct PublishedFile: Decodable {
        let email: String
        let privateKey: String
        let cases: [Published]
        let policies: [Policy]
    }

    private static let own = load("google", as: OwnFile.self)
    private static let published = load("google-conformance", as: PublishedFile.self)

    private static func load<File: Decodable>(_ name: String, as type: File.Type) -> File? {
        do { return try JSONDecoder().decode(type, from: vectorFile(name)) } catch {
            Issue.record("\(name).json: \(error)")
            return nil
        }
    }

    private static func rsa() throws -> GoogleSigner {
        let file = try #require(published)
        return GoogleSigner(identity: file.email, key: .rsa(try RSASigningKey(pem: Secret(file.privateKey))))
    }

    private static func hmac() throws -> GoogleSigner {
        let file = try #require(own)
        return GoogleSigner(identity: file.accessID, key: .hmac(Secret(file.secret)))
    }

    private func block(_ fields: [[String]], host: String? = nil) -> FieldBlock {
        var block = FieldBlock()
        if let host, !fields.contains(where: { $0[0] == "host" }) { block.append("host", host) }
        for field in fields { block.append(field[0].utf8, field[1].utf8) }
        return block
    }

    private func query(_ items: [[String]]) -> Query {
        var query = Query()
        for item in items { query.append(item[0].utf8, item[1].utf8) }
        return query
    }

    @Test(arguments: published?.cases ?? []) func thePublishedURLsComeOut(_ vector: Published) throws {
        let now = try #require(Timestamp.parseAmz(vector.signedAt.utf8))
        let fields = block(vector.fields, host: vector.host)
        let signed = try Self.rsa().presign(
            HTTPMethod(vector.method.utf8),
            path: Array(vector.path.utf8),
            query: query(vector.query),
            fields: fields,
            expiresIn: .seconds(vector.lifetime),
            at: now
        )
        #expect(text(signed).hasSuffix("&X-Goog-Signature=" + vector.signature))
    }

    @Test(arguments: published?.policies ?? []) func thePublishedFormsComeOut(_ vector: Policy) throws {
        let now = try #require(Timestamp.parseAmz(vector.signedAt.utf8))
        #expect(try Self.rsa().signature(ofPolicy: vector.policy, at: now) == vector.signature)
    }

    @Test(arguments: own?.urls ?? []) func urlsAreThoseOfGooglesOwnSigner(_ vector: SignedURL) throws {
        let file = try #require(Self.own)
        let isRSA = vector.algorithm == "GOOG4-RSA-SHA256"
        let path = Array("/photos/".utf8) + PercentEncoding.encode(Array(vector.key.utf8), keepSlash: .keep)
        let signer = try isRSA ? Self.rsa() : Self.hmac()
        #expect(signer.identity == (isRSA ? file.serviceAccount : file.accessID))
        let signed = try signer.presign(
            HTTPMethod(vector.method.utf8),
            path: path,
            query: query(vector.query),
            fields: block(vector.fields),
            expiresIn: .seconds(vector.lifetime),
            at: try #require(Timestamp.parseAmz(vector.signedAt.utf8))
        )
        #expect("https://storage.googleapis.com" + text(path) + "?" + text(signed) == vector.url)
    }

    @Test(arguments: own?.requests ?? []) func fieldsAreSignedAsURLsAre(_ vector: SignedRequest) throws {
        var request = OutgoingRequest(method: HTTPMethod(vector.method.utf8), path: Array(vector.path.utf8))
        query(vector.query).appendCanonical(to: &request.query)
        request.fields = block(vector.fields)
        let payload = try #require(PayloadHash(Array(vector.payload.utf8)))
        let now = try #require(Timestamp.parseAmz(vector.signedAt.utf8))
        let stages = try Self.hmac().sign(&request, payload: payload, at: now)
        #expect(text(stages.canonicalRequest) == vector.canonicalRequest)
        #expect(text(stages.stringToSign) == vector.stringToSign)
        #expect(request.fields.string("authorization") == vector.authorization)
    }

    @Test func theKeyChangesWithTheDay() throws {
        let signer = try Self.hmac()
        for day in [0, 1, 1, 0] as [Int64] {
            let now = Sample.signedAt + .seconds(day * 86_400)
            let fields = block([["host", "storage.googleapis.com"]])
            let used = try signer.presign(
                .get,
                path: Array("/b/k".utf8),
                fields: fields,
                expiresIn: .seconds(9),
                at: now
            )
            let fresh = try Self.hmac()
                .presign(.get, path: Array("/b/k".utf8), fields: fields, expiresIn: .seconds(9), at: now)
            #expect(used == fresh)
        }
    }

    @Test(arguments: [
        ("", RSASigningKey.Refusal.malformed),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", .malformed),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", .malformed),
    ])
    func whatIsNoKeyIsRefused(_ pem: String, _ refusal: RSASigningKey.Refusal) {
        #expect(throws: refusal) { try RSASigningKey(pem: Secret(pem)) }
    }

    @Test func aShortKeyIsRefused() {
        #expect(throws: RSASigningKey.Refusal.tooShort) { try RSASigningKey(pem: Secret(Self.shortKey)) }
    }

    /// 1024 bits, made for this test.
    private static let shortKey = """
        -----BEGIN RSA PRIVATE KEY-----
        MIICXQIBAAKBgQCmQcmJKR7vjL0ew3kqqyJZnbDl7UzRlvfHzg4zx2EbgWbK0MgZ
        jY/WhwtcrskftGImwO6sQh6bEhqn5QuRiqMg9CSF8Hl8WFMyz2eD1VU+xoDQh8Eu
        8lZ0PvMmRexGDovux1Sqozak28bvaq6MGxUYxmDi1KaA/STW5loYjeCq2QIDAQAB
        AoGAU7C+IJtghTmVYc0IS2BGNFJa4AMqLj8Oj7e8EniE+3GSKvoaIDLQey8Tmx4p
        BBqrZdKs0m2eNnVQkb+MqUDeiEJiYxi9jp/sassJuBhm9jwu+mu/K8wbsGQAF10v
        HFLz02RjJTw5IkMg29Qr5cYc8Q38Lsl2doO218Sd8b+du7kCQQDRx+J2vQ3MK0+p
        vbeMcQnv9+xXwJRO/+bFWjIH2q0Dsq9iOeyZYm3KHIrAMOR1x+m9gDYmycH568go
        Sdn2k1azAkEAyuMPYFcrcZPmYSWbSaDQclw0e0rWzHBL1BMRuGR+QS62eiUssynJ
        rtuFi2gdHYs1IHVNW+RpwrozyuKVDjgeQwJBAM1KNH5KSCRTBiRv+h0/yZ/CGNFP
        LlOY7baXq3owLzv9MtCHKth3kEVHZSjrL8drGXxO6a9PpbnzWO7ERr6cNS0CQQCr
        lFrsnsuewfWTMrqhCd8+17uKiUAepNl8AKR7zID5nwezRL0Ix85Ikl3eB66XzaKg
        UJObow/OHqquafCkldEBAkBHv8Jo9mmeMvPVVujCXmpLpafA7LFbp+MgTq27HMIy
        5BeRHo08P5ASuSZqShJ9HO6MuX+Wo+dwOICkLORLNaR4
        -----END RSA PRIVATE KEY-----
        """
}
