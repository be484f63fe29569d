import Foundation
import HTTP1
import Signatures
import Testing
import WireFormats

/// A URL that botocore presigned with version 2, as kept in `Vectors/botocore-v2.json`.
struct VectorV2: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    var method: String
    var target: String
    var fields: [[String]]
    var bucket: String?
    let accessKeyID: String
    let secret: String
    var now: Int64
    let stringToSign: String
    let signature: String

    var testDescription: String { name }

    static let botocore = load()

    private struct File: Decodable { let cases: [VectorV2] }

    private static func load() -> [VectorV2] {
        do { return try JSONDecoder().decode(File.self, from: vectorFile("botocore-v2")).cases } catch {
            Issue.record("botocore-v2.json: \(error)")
            return []
        }
    }

    static func named(_ name: String) throws -> VectorV2 {
        try #require(botocore.first { $0.name == name })
    }

    func replacing(_ text: String, with other: String) -> VectorV2 {
        var copy = self
        copy.target = target.replacing(text, with: other)
        return copy
    }

    func adding(_ query: String) -> VectorV2 {
        var copy = self
        copy.target += "&" + query
        return copy
    }

    private func read() throws -> (RequestHead, Query) {
        var block = FieldBlock()
        for field in fields { block.append(field[0].utf8, field[1].utf8) }
        let raw = target.firstIndex(of: "?").map { Array(target[$0...].dropFirst().utf8) }
        let head = RequestHead(
            method: HTTPMethod(method.utf8),
            path: Array(target.prefix { $0 != "?" }.utf8),
            query: raw,
            fields: block,
            host: Array(block.first("host") ?? [])
        )
        return (head, try Query(parsing: raw ?? []))
    }

    func presented() throws -> PresignedQueryV2 {
        let (head, query) = try read()
        guard case .presignedV2(let presigned) = try PresentedSignature.find(in: head, query: query) else {
            throw NotPresigned()
        }
        return presigned
    }

    struct NotPresigned: Error {}

    func text() throws -> String {
        let (head, query) = try read()
        return SignaturesTests.text(
            try SigV2.stringToSign(try presented(), head: head, query: query, bucket: bucket)
        )
    }

    @discardableResult
    func verify(secret: String? = nil) throws -> VerifiedSignatureV2 {
        let (head, query) = try read()
        return try SigV2.verify(
            try presented(),
            head: head,
            query: query,
            bucket: bucket,
            secret: Secret(secret ?? self.secret),
            now: Instant(secondsSince1970: now)
        )
    }
}

@Suite("Presigned URLs of version 2")
struct SignatureV2Tests {
    @Test("What botocore signs verifies, and the text signed is the same", arguments: VectorV2.botocore)
    func botocore(vector: VectorV2) throws {
        let verified = try vector.verify()
        #expect(verified.expiresAt == Instant(secondsSince1970: vector.now + 3600))
        #expect(verified.payload == .unsigned)
        // botocore signs a bucket's path with a slash that it does not send.
        let text = try vector.text()
        let isBucket = vector.bucket == nil && vector.stringToSign.hasSuffix("\n/photos/")
        #expect(isBucket ? text + "/" == vector.stringToSign : text.utf8.elementsEqual(vector.stringToSign.utf8))
        #expect(throws: SignatureRefusal.signatureMismatch) { try vector.verify(secret: "another") }
    }

    @Test("Of the vectors there are enough")
    func count() { #expect(VectorV2.botocore.count >= 50) }

    @Test("A URL is good for one method, key, version, time and set of fields")
    func tampering() throws {
        let good = try VectorV2.named("path: version")
        var head = good
        head.method = "HEAD"
        var typed = good
        typed.fields.append(["Content-Type", "text/html"])
        var digest = good
        digest.fields.append(["Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="])
        var field = good
        field.fields.append(["x-amz-acl", "public-read"])
        var virtual = good
        virtual.bucket = "other"
        for spoiled in [
            head, typed, digest, field, virtual, good.replacing("/photos/k", with: "/photos/l"),
            good.replacing("3%2FL4", with: "4%2FL4"), good.replacing("versionId=3%2FL4kqtJ%2Bl%3D%3D&", with: ""),
            good.replacing("Expires=1750003600", with: "Expires=1750003601"), good.adding("x-amz-acl=public-read"),
            good.adding("X-Amz-Meta-A=b"),
        ] {
            #expect(throws: SignatureRefusal.signatureMismatch, "\(spoiled.target)") { try spoiled.verify() }
        }
    }

    @Test(
        "What lies beside an object is not opened by adding a parameter",
        arguments: [
            "acl", "tagging", "attributes", "legal-hold", "retention", "torrent", "uploads", "uploadId=x",
            "versionId=null", "partNumber=1", "response-content-type=text/html", "response-expires=0", "restore",
            "select&select-type=2", "policy", "policyStatus", "encryption", "versions", "delete",
        ]
    )
    func subresources(added: String) throws {
        let good = try VectorV2.named("path: get key 0")
        #expect(throws: SignatureRefusal.signatureMismatch) { try good.adding(added).verify() }
    }

    @Test("A key's encoding may be rewritten on the way, the key may not")
    func encodings() throws {
        let good = try VectorV2.named("path: get key 11")
        #expect(good.target.contains("%2A%28%21%29%27"))
        try good.replacing("%2A%28%21%29%27", with: "*(!)'").verify()
        #expect(throws: SignatureRefusal.signatureMismatch) {
            try good.replacing("%2A%28%21%29%27", with: "*(!)").verify()
        }
        #expect(throws: SignatureRefusal.malformedPath) { try good.replacing("%2A", with: "%2").verify() }
    }

    @Test("One value that could be read as two parameters is refused")
    func ambiguity() throws {
        let good = try VectorV2.named("path: overrides")
        for value in ["x%26versionId=3", "x%26acl", "x%0Ay", "%26acl=%26"] {
            #expect(throws: SignatureRefusal.ambiguousParameter, "\(value)") {
                try good.replacing("no-cache", with: value).verify()
            }
        }
        // One that can't be is signed as any other.
        #expect(throws: SignatureRefusal.signatureMismatch) {
            try good.replacing("no-cache", with: "x%26y").verify()
        }
    }

    @Test("A field in the head and in the query is one where they agree, and else a refusal")
    func fieldsInBothPlaces() throws {
        let good = try VectorV2.named("path: put with metadata in both places")
        var other = good
        other.fields = good.fields.map { $0[0] == "x-amz-acl" ? [$0[0], "public-read"] : $0 }
        #expect(throws: SignatureRefusal.repeatedHeader("x-amz-acl")) { try other.verify() }
        #expect(throws: SignatureRefusal.repeatedHeader("x-amz-acl")) {
            try good.adding("X-Amz-Acl=private").verify()
        }
        #expect(throws: SignatureRefusal.ambiguousParameter) {
            try good.adding("x-amz-meta-x=a%0Ax-amz-meta-y:b").verify()
        }
        #expect(throws: SignatureRefusal.ambiguousParameter) { try good.adding("x-amz-meta-x%3Ay=b").verify() }
    }

    @Test(
        "It is good up to its expiry, and an expiry lies at most a week and the clocks' difference ahead",
        arguments: [
            (1_750_003_600, nil), (1_750_003_601, SignatureRefusal.expired),
            (1_750_003_600 - 604_800 - 900, nil),
            (1_750_003_600 - 604_800 - 901, .malformed(.queryV2, .expiresOutOfRange)),
            (0, .malformed(.queryV2, .expiresOutOfRange)),
        ] as [(Int64, SignatureRefusal?)]
    )
    func time(now: Int64, refusal: SignatureRefusal?) throws {
        var vector = try VectorV2.named("path: put")
        vector.now = now
        if let refusal {
            #expect(throws: refusal) { try vector.verify() }
        } else {
            try vector.verify()
        }
    }

    static let malformed: [(query: String, refusal: SignatureRefusal)] = [
        ("AWSAccessKeyId=K&Signature=\(proof)", .malformed(.queryV2, .missing(.expires))),
        ("AWSAccessKeyId=K&Expires=5", .malformed(.queryV2, .missing(.signature))),
        ("Signature=\(proof)&Expires=5", .malformed(.queryV2, .missing(.accessKeyID))),
        ("awsaccesskeyid=K&Signature=\(proof)&Expires=5", .malformed(.queryV2, .missing(.accessKeyID))),
        ("AWSAccessKeyId=K&signature=\(proof)&Expires=5", .malformed(.queryV2, .missing(.signature))),
        (
            "AWSAccessKeyId=K&AWSAccessKeyId=K&Signature=\(proof)&Expires=5",
            .malformed(.queryV2, .repeated(.accessKeyID))
        ),
        (
            "AWSAccessKeyId=K&Signature=\(proof)&Signature=\(proof)&Expires=5",
            .malformed(.queryV2, .repeated(.signature))
        ),
        ("AWSAccessKeyId=K&Signature=\(proof)&Expires=5&Expires=6", .malformed(.queryV2, .repeated(.expires))),
        ("AWSAccessKeyId=&Signature=\(proof)&Expires=5", .malformed(.queryV2, .malformed(.accessKeyID))),
        ("AWSAccessKeyId=a%20b&Signature=\(proof)&Expires=5", .malformed(.queryV2, .malformed(.accessKeyID))),
        (
            "AWSAccessKeyId=\(String(repeating: "k", count: 129))&Signature=\(proof)&Expires=5",
            .malformed(.queryV2, .malformed(.accessKeyID))
        ),
        ("AWSAccessKeyId=K&Signature=&Expires=5", .malformed(.queryV2, .malformed(.signature))),
        ("AWSAccessKeyId=K&Signature=AAAA&Expires=5", .malformed(.queryV2, .malformed(.signature))),
        (
            "AWSAccessKeyId=K&Signature=AAAAAAAAAAAAAAAAAAAAAAAAAAB%3D&Expires=5",
            .malformed(.queryV2, .malformed(.signature))
        ),
        (
            "AWSAccessKeyId=K&Signature=++++++++++++++++++++++++++A%3D&Expires=5",
            .malformed(.queryV2, .malformed(.signature))
        ),
        ("AWSAccessKeyId=K&Signature=\(proof)&Expires=", .malformed(.queryV2, .malformed(.expires))),
        ("AWSAccessKeyId=K&Signature=\(proof)&Expires=-5", .malformed(.queryV2, .malformed(.expires))),
        ("AWSAccessKeyId=K&Signature=\(proof)&Expires=%2B5", .malformed(.queryV2, .malformed(.expires))),
        ("AWSAccessKeyId=K&Signature=\(proof)&Expires=05", .malformed(.queryV2, .malformed(.expires))),
        ("AWSAccessKeyId=K&Signature=\(proof)&Expires=5.0", .malformed(.queryV2, .malformed(.expires))),
        ("AWSAccessKeyId=K&Signature=\(proof)&Expires=9999999999999", .malformed(.queryV2, .malformed(.expires))),
        ("AWSAccessKeyId=K&Signature=\(proof)&Expires=5&X-Amz-Signature=0", .twoSignatures),
        ("AWSAccessKeyId=K&Signature=\(proof)&Expires=5&X-Amz-Date=0", .twoSignatures),
        (
            "AWSAccessKeyId=K&Signature=\(proof)&Expires=5&x-amz-security-token=a&X-Amz-Security-Token=b",
            .malformed(.queryV2, .repeated(.securityToken))
        ),
    ]

    private static let proof = "AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D"

    @Test("Parameters that are missing, doubled, misspelt or mixed are refused", arguments: malformed.indices)
    func parameters(index: Int) throws {
        var vector = try VectorV2.named("path: put")
        vector.target = "/photos/k?" + Self.malformed[index].query
        #expect(throws: Self.malformed[index].refusal, "\(vector.target)") { try vector.presented() }
    }

    @Test("A session token is told from a signature of version 4")
    func token() throws {
        let vector = try VectorV2.named("path: put").adding("x-amz-security-token=abc")
        #expect(text(try vector.presented().securityToken ?? []) == "abc")
        #expect(throws: SignatureRefusal.signatureMismatch) { try vector.verify() }
    }

    @Test("Signed chunks have nothing to continue from; a stated hash counts")
    func payload() throws {
        let good = try VectorV2.named("path: put")
        #expect(throws: SignatureRefusal.malformedContentSHA256) {
            try good.adding("x-amz-content-sha256=STREAMING-AWS4-HMAC-SHA256-PAYLOAD").verify()
        }
        #expect(throws: SignatureRefusal.malformedContentSHA256) {
            try good.adding("x-amz-content-sha256=nonsense").verify()
        }
    }
}
