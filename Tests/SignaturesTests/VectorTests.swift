import Foundation
import HTTP1
import Signatures
import Testing
import WireFormats

@Suite struct VectorTests {
    @Test func theVectorsAreThere() {
        #expect(Vector.aws.count == 7)
        #expect(Vector.botocore.count == 400)
    }

    @Test(arguments: Vector.aws + Vector.botocore)
    func everyStageIsAsTheOracleHasIt(_ vector: Vector) throws {
        let head = vector.head()
        let query = try Query(parsing: vector.rawQuery ?? [])
        let presented = try #require(try PresentedSignature.find(in: head, query: query))
        let stages = try SigV4.stages(presented, head: head, query: query, host: head.host)
        #expect(text(stages.canonicalRequest) == vector.canonicalRequest)
        #expect(text(stages.stringToSign) == vector.stringToSign)
        #expect(presented.accessKeyID == vector.accessKeyID)

        let verified = try vector.verify()
        #expect(verified.signedAt == (try vector.instant()))
        #expect((verified.expiresAt == nil) != vector.isPresigned)
        #expect(try presented.securityToken(in: head) == vector.sessionToken.map { Array($0.utf8) })
    }

    @Test(arguments: Vector.aws + Vector.botocore)
    func anotherSecretIsRefused(_ vector: Vector) throws {
        let head = vector.head()
        let query = try Query(parsing: vector.rawQuery ?? [])
        let presented = try #require(try PresentedSignature.find(in: head, query: query))
        var keys = SigningKeyCache()
        #expect(throws: SignatureRefusal.signatureMismatch) {
            try SigV4.verify(
                presented,
                head: head,
                query: query,
                hosts: [head.host],
                secret: Secret(vector.secret + "x"),
                now: vector.instant(),
                keys: &keys
            )
        }
        #expect(keys.count == 0)
    }

    /// Clients differ in what they leave raw and in the case of their digits; the key is the same, so is the signature.
    @Test(arguments: Vector.botocore)
    func theSpellingOfThePathOnTheWireDoesNotMatter(_ vector: Vector) throws {
        let lowerCase = respelled(vector.path) { _, high, low in [UInt8(ascii: "%"), lowered(high), lowered(low)] }
        let raw = respelled(vector.path) { byte, high, low in
            "!$&'()*+,;=:@".utf8.contains(byte) || byte >= 0x80 ? [byte] : [UInt8(ascii: "%"), high, low]
        }
        let everything = try PercentEncoding.decode(vector.path).flatMap { byte -> [UInt8] in
            byte == UInt8(ascii: "/") ? [byte] : [UInt8(ascii: "%")] + Array(Hex.encode([byte]).utf8)
        }
        for path in [lowerCase, raw, everything] {
            #expect(throws: Never.self) { try vector.verify(head: vector.head(path: path)) }
        }
    }

    @Test(arguments: Vector.botocore.filter { !$0.isPresigned })
    func ourSignerGivesTheSameAuthorization(_ vector: Vector) throws {
        let added: Set<String> = ["authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"]
        var request = OutgoingRequest(
            method: HTTPMethod(vector.method.utf8),
            path: vector.path,
            query: vector.rawQuery ?? []
        )
        for field in vector.fields where !added.contains(field[0].lowercased()) {
            request.fields.append(field[0].lowercased().utf8, field[1].utf8)
        }
        let stated = try #require(vector.head().fields.first("x-amz-content-sha256"))
        let payload = try #require(PayloadHash(stated))
        let stages = vector.signer.sign(
            &request,
            payload: payload,
            at: try vector.instant(),
            alsoSigning: ["range", "content-type"]
        )
        #expect(text(stages.canonicalRequest) == vector.canonicalRequest)
        #expect(text(stages.stringToSign) == vector.stringToSign)
        let expected = try #require(vector.fields.first { $0[0] == "Authorization" })
        #expect(request.fields.string("authorization") == expected[1])
        #expect(request.fields.string("x-amz-date") == vector.signedAt)
        #expect(request.fields.string("x-amz-security-token") == vector.sessionToken)
    }

    @Test(arguments: (Vector.aws + Vector.botocore).filter(\.isPresigned))
    func ourPresignerGivesTheSameSignature(_ vector: Vector) throws {
        var fields = FieldBlock()
        for field in vector.fields { fields.append(field[0].lowercased().utf8, field[1].utf8) }
        let query = try Query(parsing: vector.rawQuery ?? [])
        let expires = try #require(query.first("X-Amz-Expires").flatMap { Int(text($0)) })
        let signed = vector.signer.presign(
            HTTPMethod(vector.method.utf8),
            path: vector.path,
            query: try Query(parsing: vector.ownQuery),
            fields: fields,
            expiresIn: .seconds(expires),
            at: try vector.instant()
        )
        #expect(text(signed.suffix(64)) == vector.signature)
    }

    private func respelled(_ path: [UInt8], _ escape: (UInt8, UInt8, UInt8) -> [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < path.count {
            if path[index] == UInt8(ascii: "%"), let byte = Hex.decode(path[(index + 1)...(index + 2)])?.first {
                result += escape(byte, path[index + 1], path[index + 2])
                index += 3
            } else {
                result.append(path[index])
                index += 1
            }
        }
        return result
    }
}
