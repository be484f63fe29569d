import HTTP1
import Identity
import Pipeline
import S3API
import Signatures
import Testing
import WireFormats

@Suite("One credential, checked, or none at all")
struct AuthenticationTests {
    /// A bucket that anonymous callers may read: where a failed credential could be mistaken for none.
    private static let open = Call("GET", "/public/a.txt")

    @Test("Who is asking, by each kind of credential")
    func principals() throws {
        var gate = Gate()
        #expect(try gate.decide(Self.open).principal == .anonymous)
        #expect(try gate.decide(Self.open.by(.root)).principal == .user("root"))
        #expect(try gate.decide(Self.open.signed(by: .reader)).principal == .key("akreader"))
        #expect(try gate.decide(Self.open.presigned(by: .reader)).principal == .key("akreader"))
    }

    @Test(
        "A credential that fails is refused where anonymous callers are served",
        arguments: [
            (Self.open.with("x-api-key", "wrong"), 401, S3Error.Code.invalidAPIKey, "unknown_api_key"),
            (Self.open.with("x-api-key", ""), 401, .invalidAPIKey, "unknown_api_key"),
            (Self.open.signed(secret: "wrong"), 403, .signatureDoesNotMatch, "signature_mismatch"),
            (Self.open.signed(by: .disabled), 403, .invalidAccessKeyID, "disabled_access_key"),
            (Self.open.signed(by: .expired), 403, .invalidAccessKeyID, "expired_access_key"),
            (Self.open.signed(region: "eu-north-1"), 400, .authorizationHeaderMalformed, "wrong_region"),
            (Self.open.with("authorization", "Bearer e30.e30.e30"), 401, .invalidBearerToken, "unknown_issuer"),
            (Self.open.with("authorization", "Bearer"), 403, .accessDenied, "unknown_scheme"),
            (Self.open.with("authorization", "Bearer a b"), 403, .accessDenied, "unknown_scheme"),
            (Self.open.with("authorization", "Basic YTpi"), 403, .accessDenied, "unknown_scheme"),
            (Self.open.with("authorization", String(repeating: "x", count: 99)), 403, .accessDenied, "unknown_scheme"),
            (Self.open.with("authorization", ""), 403, .accessDenied, "malformed_signature"),
            (Self.open.with("authorization", "AWS AKFULL:c2ln"), 400, .invalidRequest, "signature_version_2"),
            (Self.open.with("x-amz-security-token", "t"), 400, .invalidToken, "session_token_unsupported"),
            (
                Self.open.with("x-amz-security-token", "t").signed(), 400, .invalidToken,
                "session_token_unsupported"
            ),
        ]
    )
    func failedIsNotAnonymous(call: Call, status: Int, code: S3Error.Code, label: String) throws {
        var gate = Gate()
        let decision = try gate.decide(call)
        try expect(status, code, decision)
        #expect(decision.outcome == .unauthenticated)
        #expect(decision.principal == nil)
        #expect(decision.failureName == label)
    }

    @Test(
        "Two credentials are refused, even where each is good",
        arguments: [
            Self.open.signed().by(.root),
            Self.open.presigned().by(.root),
            Self.open.by(.root).by(.root),
            Self.open.by(.root).by(.alice),
            Self.open.by(.root).with("authorization", "Bearer abc"),
            Self.open.by(.root).with("x-amz-security-token", "t"),
            Self.open.with("authorization", "Bearer a.b.c").with("x-amz-security-token", "t"),
            Self.open.presigned().signed(),
            Self.open.signed().with("authorization", "AWS4-HMAC-SHA256 x"),
        ]
    )
    func twoCredentials(call: Call) throws {
        var gate = Gate()
        let decision = try gate.decide(call)
        #expect(try decision.reply().status == 400)
        #expect(decision.outcome == .unauthenticated)
        #expect(decision.failureName == "two_credentials")
    }

    @Test("A signed request is good for 15 minutes either way, not for ever", arguments: [-901, -900, 900, 901])
    func freshness(age: Int64) throws {
        var gate = Gate()
        let decision = try gate.decide(Self.open.signed(), at: noon + .seconds(age))
        if abs(age) <= 900 {
            #expect(decision.outcome == .allowed)
        } else {
            try expect(403, .requestTimeTooSkewed, decision)
        }
    }

    @Test("A presigned URL is good until it says, whatever its age", arguments: [(3_600, true), (3_601, false)])
    func presignedLifetime(age: Int64, good: Bool) throws {
        var gate = Gate()
        let call = Call("GET", "/photos/a.txt").presigned(expiresIn: .seconds(3600))
        let decision = try gate.decide(call, at: noon + .seconds(age))
        #expect(decision.outcome == (good ? .allowed : .unauthenticated))
        if !good { try expect(403, .accessDenied, decision) }
    }

    @Test("A URL signed for one method is good for no other", arguments: ["HEAD", "PUT", "DELETE"])
    func presignedMethod(method: String) throws {
        var call = Call("GET", "/photos/a.txt").presigned()
        call.method = method
        if method == "PUT" { call.framing = .length(1) }
        var gate = Gate()
        let decision = try gate.decide(call)
        #expect(decision.outcome == .unauthenticated)
        #expect(try decision.reply().status == 403)
    }

    @Test("The secret's spelling of what was signed is binding: path, query, host, fields")
    func tampering() throws {
        let good = Call("GET", "/photos/a.txt?versionId=1", [("x-amz-meta-a", "1")]).signed()
        var other = good
        other.path = "/photos/b.txt"
        var version = good
        version.query = "versionId=2"
        var field = good
        field.fields = field.fields.map { $0.0 == "x-amz-meta-a" ? ($0.0, "2") : $0 }
        var missing = good
        missing.fields.removeAll { $0.0 == "x-amz-meta-a" }
        let spoiled = [
            other, version, field, missing, good.on(host: "elsewhere.example.com"), good.with("x-amz-acl", "private"),
            good.with("x-amz-meta-a", "1"), good.with("x-amz-date", "20250615T151640Z"),
        ]
        var gate = Gate()
        #expect(try gate.decide(good).outcome == .allowed)
        for call in spoiled {
            let decision = try gate.decide(call)
            #expect(decision.outcome == .unauthenticated)
            #expect((400...403).contains(try decision.reply().status))
        }
    }

    @Test("The right region is named to who signed for another, and any is accepted for *")
    func region() throws {
        var gate = Gate()
        let call = Self.open.signed(region: "eu-north-1")
        #expect(try gate.decide(call).reply().text.contains("<Region>us-east-1</Region>"))
        gate.server = Gate.settings(region: "*")
        #expect(try gate.decide(call).outcome == .allowed)
    }

    @Test("What the client is told of a key that is no good does not say why")
    func keysAreNotProbed() throws {
        var gate = Gate()
        let texts = try [Key.disabled, .expired].map { try gate.decide(Self.open.signed(by: $0)).reply().text }
        #expect(Set(texts).count == 1)
        let unknown = Self.open.signed()
        let call = Call(
            "GET",
            "/public/a.txt",
            unknown.fields.map { ($0.0, $0.1.replacing("AKFULL", with: "AKNOBODY")) }
        )
        #expect(try gate.decide(call).reply().text == texts.first)
    }
}
