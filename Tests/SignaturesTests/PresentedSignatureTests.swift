import HTTP1
import Signatures
import Testing
import WireFormats

@Suite struct PresentedSignatureTests {
    private func find(_ authorizations: [String] = [], query: String = "") throws -> PresentedSignature? {
        var fields = FieldBlock()
        fields.append("host", "h")
        for value in authorizations { fields.append("Authorization", value) }
        let head = RequestHead(
            method: .get,
            path: [UInt8(ascii: "/")],
            query: Array(query.utf8),
            fields: fields,
            host: [UInt8(ascii: "h")]
        )
        return try PresentedSignature.find(in: head, query: Query(parsing: query.utf8))
    }

    static let credential = "Credential=K/20250615/r/s3/aws4_request"
    static let proof = "Signature=" + String(repeating: "0", count: 64)

    @Test func noSignatureIsFoundWhereThereIsNone() throws {
        for query in ["", "prefix=a&Expires=5", "x-id=GetObject"] {
            if try find(query: query) != nil { Issue.record("found one in \(query)") }
        }
    }

    @Test(arguments: [
        "\(credential), SignedHeaders=host, \(proof)", "\(credential),SignedHeaders=host,\(proof)",
        "\(proof) ,  SignedHeaders=host\t, \(credential)",
        "  \(credential), SignedHeaders=a;b;host;x-amz-date, \(proof)",
    ])
    func theParametersMayBeSpacedAndOrderedFreely(_ parameters: String) throws {
        guard case .header(let authorization) = try find(["AWS4-HMAC-SHA256 " + parameters]) else {
            Issue.record("not found")
            return
        }
        #expect(authorization.scope.accessKeyID == "K")
        #expect(authorization.signedHeaders.contains("host"))
    }

    static let malformed: [(parameters: String, defect: SignatureRefusal.Defect)] = [
        ("", .syntax),
        ("\(credential), SignedHeaders=host, \(proof),", .syntax),
        (",\(credential), SignedHeaders=host, \(proof)", .syntax),
        ("\(credential) SignedHeaders=host \(proof)", .missing(.signedHeaders)),
        ("\(credential), SignedHeaders=host, \(proof), Extra=1", .syntax),
        ("credential=K/20250615/r/s3/aws4_request, SignedHeaders=host, \(proof)", .syntax),
        ("SignedHeaders=host, \(proof)", .missing(.credential)),
        ("\(credential), \(proof)", .missing(.signedHeaders)),
        ("\(credential), SignedHeaders=host", .missing(.signature)),
        ("\(credential), \(credential), SignedHeaders=host, \(proof)", .repeated(.credential)),
        ("\(credential), SignedHeaders=host, SignedHeaders=host, \(proof)", .repeated(.signedHeaders)),
        ("\(credential), SignedHeaders=host, \(proof), \(proof)", .repeated(.signature)),
        ("Credential=, SignedHeaders=host, \(proof)", .malformed(.credential)),
        ("Credential=K, SignedHeaders=host, \(proof)", .malformed(.credential)),
        ("Credential=K/20250615/r/s3, SignedHeaders=host, \(proof)", .malformed(.credential)),
        ("Credential=/20250615/r/s3/aws4_request, SignedHeaders=host, \(proof)", .malformed(.credential)),
        ("Credential=K/2025061/r/s3/aws4_request, SignedHeaders=host, \(proof)", .malformed(.credential)),
        ("Credential=K/2025061x/r/s3/aws4_request, SignedHeaders=host, \(proof)", .malformed(.credential)),
        ("Credential=K/20250615//s3/aws4_request, SignedHeaders=host, \(proof)", .malformed(.credential)),
        ("Credential=K/20250615/r/s3/aws4_request/x, SignedHeaders=host, \(proof)", .malformed(.credential)),
        ("Credential=K K/20250615/r/s3/aws4_request, SignedHeaders=host, \(proof)", .malformed(.credential)),
        ("Credential=\u{e9}/20250615/r/s3/aws4_request, SignedHeaders=host, \(proof)", .malformed(.credential)),
        ("Credential=K/20250615/r/s3/aws4, SignedHeaders=host, \(proof)", .scopeTerminator),
        ("\(credential), SignedHeaders=, \(proof)", .malformed(.signedHeaders)),
        ("\(credential), SignedHeaders=Host, \(proof)", .malformed(.signedHeaders)),
        ("\(credential), SignedHeaders=host;, \(proof)", .malformed(.signedHeaders)),
        ("\(credential), SignedHeaders=;host, \(proof)", .malformed(.signedHeaders)),
        ("\(credential), SignedHeaders=host;;x-amz-date, \(proof)", .malformed(.signedHeaders)),
        ("\(credential), SignedHeaders=host;host, \(proof)", .malformed(.signedHeaders)),
        ("\(credential), SignedHeaders=x-amz-date;host, \(proof)", .malformed(.signedHeaders)),
        ("\(credential), SignedHeaders=host x, \(proof)", .malformed(.signedHeaders)),
        ("\(credential), SignedHeaders=host:x, \(proof)", .malformed(.signedHeaders)),
        ("\(credential), SignedHeaders=host, Signature=", .malformed(.signature)),
        ("\(credential), SignedHeaders=host, Signature=00", .malformed(.signature)),
        ("\(credential), SignedHeaders=host, \(proof)00", .malformed(.signature)),
        ("\(credential), SignedHeaders=host, Signature=" + String(repeating: "g", count: 64), .malformed(.signature)),
        ("\(credential), SignedHeaders=host, Signature=" + String(repeating: "A", count: 64), .malformed(.signature)),
    ]

    @Test(arguments: malformed.indices)
    func aMalformedHeaderIsRefused(_ index: Int) {
        let (parameters, defect) = Self.malformed[index]
        #expect(throws: SignatureRefusal.malformed(.header, defect), "\(parameters)") {
            try find(["AWS4-HMAC-SHA256 " + parameters])
        }
    }

    @Test func tooManySignedHeadersAreRefused() {
        let names = (100...200).map { "h\($0)" }.joined(separator: ";")
        #expect(throws: SignatureRefusal.malformed(.header, .malformed(.signedHeaders))) {
            try find(["AWS4-HMAC-SHA256 \(Self.credential), SignedHeaders=\(names), \(Self.proof)"])
        }
    }

    @Test(arguments: ["aws4-hmac-sha256 x", "AWS4-ECDSA-P256-SHA256 Credential=x", "AWS4-HMAC-SHA512 x", "aws K:s"])
    func otherAwsSchemesAreRefused(_ value: String) {
        #expect(throws: SignatureRefusal.malformed(.header, .unsupportedAlgorithm)) { try find([value]) }
    }

    @Test(arguments: ["", " ", "\t"])
    func anEmptyAuthorizationIsDeniedAndNotAnonymous(_ value: String) {
        #expect(throws: SignatureRefusal.emptyAuthorization) { try find([value]) }
    }

    @Test(arguments: [("Bearer abc", "Bearer"), ("Basic dXNlcg==", "Basic"), ("bearer abc", "bearer")])
    func otherSchemesAreNamed(_ value: String, _ scheme: String) throws {
        guard case .otherScheme(let name) = try find([value]) else {
            Issue.record("not recognised")
            return
        }
        #expect(name == scheme)
    }

    @Test(arguments: ["AWSAccessKeyId=K&Signature=s&Expires=5", "AWSAccessKeyId=K", "Signature=s", "signature=s"])
    func aPartOfAVersion2UrlIsRefusedAndNotAnonymous(_ query: String) {
        let refusal = #expect(throws: SignatureRefusal.self) { try find(query: query) }
        #expect(refusal?.s3Code == "AccessDenied")
    }

    @Test func version2HeadersAreRecognisedAndRefusedWithAdvice() throws {
        guard case .headerV2 = try find(["AWS KEY:c2ln"]) else {
            Issue.record("not recognised")
            return
        }
        var sample = Sample.header()
        sample.authorization = "AWS KEY:c2ln"
        expectRefusal(.signatureVersion2, sample)
        #expect(SignatureRefusal.signatureVersion2.s3Code == "InvalidRequest")
        #expect(SignatureRefusal.signatureVersion2.publicMessage.contains("AWS4-HMAC-SHA256"))
    }

    @Test func twoSignaturesAreRefused() {
        let header = "AWS4-HMAC-SHA256 \(Self.credential), SignedHeaders=host, \(Self.proof)"
        #expect(throws: SignatureRefusal.twoSignatures) { try find([header, header]) }
        #expect(throws: SignatureRefusal.twoSignatures) { try find(["Bearer a", "Bearer b"]) }
        for query in ["X-Amz-Signature=0", "X-Amz-Security-Token=t", "AWSAccessKeyId=K", "x-amz-algorithm=a"] {
            for value in [header, "Bearer abc", "AWS K:s"] {
                #expect(throws: SignatureRefusal.twoSignatures) { try find([value], query: query) }
            }
        }
        #expect(throws: SignatureRefusal.twoSignatures) { try find(query: "X-Amz-Signature=0&AWSAccessKeyId=K") }
    }

    @Test(arguments: [
        "X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Credential=x", "X-Amz-Date=x", "X-Amz-Expires=5",
        "X-Amz-SignedHeaders=host", "X-Amz-Signature=0", "X-Amz-Security-Token=t", "x-amz-signature=0",
    ])
    func aPartOfAPresignedUrlIsRefusedAndNotAnonymous(_ query: String) {
        let refusal = #expect(throws: SignatureRefusal.self) { try find(query: query) }
        #expect(refusal?.s3Code == "AuthorizationQueryParametersError")
    }

    @Test func noMessageHoldsASignatureOrASecret() {
        for (parameters, _) in Self.malformed {
            let refusal = #expect(throws: SignatureRefusal.self) { try find(["AWS4-HMAC-SHA256 " + parameters]) }
            let said = (refusal?.publicMessage ?? "") + (refusal?.reason ?? "")
            #expect(!said.contains("0000") && !said.contains("20250615"))
        }
    }
}
