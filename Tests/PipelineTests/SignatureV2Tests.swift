import Crypto
import HTTP1
import Identity
import Pipeline
import S3API
import Testing
import WireFormats

@Suite("URLs signed with version 2")
struct SignatureV2Tests {
    /// A bucket that anonymous callers may read: where a failed credential could be mistaken for none.
    private static let open = Call("GET", "/public/a.txt")

    @Test("They name their caller, and the log says how it was known")
    func principal() throws {
        var gate = Gate()
        let decision = try gate.decide(Self.open.presignedV2(by: .reader))
        #expect(decision.outcome == .allowed)
        #expect(decision.principal == .key("akreader"))
        #expect(decision.reason.hasSuffix("; sigv2 presigned"))
        let denied = try gate.decide(Call("PUT", "/photos/a.txt", length: 3).presignedV2(by: .reader))
        #expect(denied.outcome == .denied && denied.reason.hasSuffix("; sigv2 presigned"))
        #expect(try gate.decide(Self.open.presigned(by: .reader)).reason.contains("sigv2") == false)
    }

    @Test("A bucket in the host is part of what is signed")
    func virtualHost() throws {
        var gate = Gate()
        let call = Call("GET", "/a%20b.txt").on(host: "Photos.s3.example.com:443")
        #expect(try gate.decide(call.presignedV2(bucket: "photos")).outcome == .allowed)
        let other = try gate.decide(call.presignedV2(bucket: "photos").on(host: "docs.s3.example.com"))
        try expect(403, .signatureDoesNotMatch, other)
    }

    @Test(
        "Nothing of version 2 becomes an anonymous request",
        arguments: [
            (Self.open.presignedV2(secret: "wrong"), 403, S3Error.Code.signatureDoesNotMatch, "signature_mismatch"),
            (Self.open.presignedV2(by: .disabled), 403, .invalidAccessKeyID, "disabled_access_key"),
            (Self.open.presignedV2(by: .expired), 403, .invalidAccessKeyID, "expired_access_key"),
            (Self.open.presignedV2(expires: noon - .seconds(1)), 403, .accessDenied, "expired_signature"),
            (
                Self.open.presignedV2(expires: noon + .seconds(605_701)), 400, .authorizationQueryParametersError,
                "malformed_signature"
            ),
            (Call("GET", "/public/a.txt?AWSAccessKeyId=AKFULL"), 403, .accessDenied, "malformed_signature"),
            (Call("GET", "/public/a.txt?Signature=a"), 403, .accessDenied, "malformed_signature"),
            (
                Self.open.presignedV2().with("x-amz-security-token", "t"), 400, .invalidToken,
                "session_token_unsupported"
            ),
            (Self.open.presignedV2().adding("x-amz-security-token=t"), 400, .invalidToken, "session_token_unsupported"),
            (Self.open.presignedV2().by(.root), 400, .invalidRequest, "two_credentials"),
            (Self.open.presignedV2().with("authorization", "Bearer a"), 400, .invalidArgument, "two_credentials"),
            (Self.open.presignedV2().adding("X-Amz-Signature=0"), 400, .invalidArgument, "two_credentials"),
            (Self.open.presignedV2().adding("Expires=9"), 403, .accessDenied, "malformed_signature"),
            (Self.open.presignedV2().adding("acl"), 403, .signatureDoesNotMatch, "signature_mismatch"),
            (Self.open.with("authorization", "AWS AKFULL:c2ln"), 400, .invalidRequest, "signature_version_2"),
        ]
    )
    func refusals(call: Call, status: Int, code: S3Error.Code, label: String) throws {
        var gate = Gate()
        let decision = try gate.decide(call)
        try expect(status, code, decision)
        #expect(decision.outcome == .unauthenticated)
        #expect(decision.principal == nil)
        #expect(decision.failureName == label)
    }

    @Test("Where it is switched off a good signature is refused with advice, also on a public bucket")
    func switchedOff() throws {
        var gate = Gate()
        gate.server = ServerSettings(acceptsSigV2: false)
        let decision = try gate.decide(Self.open.presignedV2())
        try expect(400, .invalidRequest, decision)
        #expect(decision.failureName == "signature_version_2")
        #expect(try decision.reply().text.contains("AWS4-HMAC-SHA256"))
    }

    @Test("A URL for GET is good for no other method", arguments: ["HEAD", "PUT", "DELETE", "POST"])
    func method(method: String) throws {
        var call = Call("GET", "/photos/a.txt").presignedV2()
        call.method = method
        if method == "PUT" { call.framing = .length(1) }
        var gate = Gate()
        // The answer to HEAD has no body that could name a code.
        try expect(403, method == "HEAD" ? nil : .signatureDoesNotMatch, try gate.decide(call))
    }

    @Test("What an SDK repeats in the URL goes to the store once")
    func movedFields() throws {
        var gate = Gate()
        let plain = Call(
            "PUT",
            "/photos/a.txt?x-amz-meta-one=a%20b&x-amz-storage-class=COLD&content-type=image%2Fpng",
            length: 1
        )
        let fields = [("x-amz-storage-class", "COLD"), ("x-amz-meta-one", "a b"), ("Content-Type", "image/png")]
        let both = fields.reduce(plain) { $0.with($1.0, $1.1) }
            .presignedV2(contentType: "image/png", amz: "x-amz-meta-one:a b\nx-amz-storage-class:COLD\n")
        let sent = try gate.decide(both).forward().request.fields
        #expect(sent.count(of: "x-amz-meta-one") == 1 && sent.string("x-amz-meta-one") == "a b")
        #expect(sent.count(of: "x-amz-storage-class") == 1 && sent.count(of: "content-type") == 1)
        // Without a version 2 signature such a parameter is nobody's.
        try expect(501, .notImplemented, try gate.decide(Call("GET", "/photos/a.txt?content-type=a").presigned()))
    }
}

extension Call {
    func adding(_ parameter: String) -> Call {
        var call = self
        call.query = (query.map { $0 + "&" } ?? "") + parameter
        return call
    }

    /// Signed with version 2; `amz` are the canonical lines of its fields.
    func presignedV2(
        by key: Key = .full,
        secret: String? = nil,
        expires: Instant = noon + .seconds(3600),
        bucket: String? = nil,
        contentType: String = "",
        amz: String = ""
    ) -> Call {
        let seconds = String((expires.nanosecondsSince1970 / 1_000_000_000))
        let resource = (bucket.map { "/" + $0 } ?? "") + path
        let signed = "\(method)\n\n\(contentType)\n\(seconds)\n\(amz)\(resource)"
        let code = HMAC<Insecure.SHA1>.authenticationCode(
            for: Array(signed.utf8),
            using: SymmetricKey(data: Array((secret ?? key.secret).utf8))
        )
        let signature = text(PercentEncoding.encode(Base64.encode(code).utf8, keepSlash: .encode))
        return adding("AWSAccessKeyId=\(key.rawValue)&Signature=\(signature)&Expires=\(seconds)")
    }
}
