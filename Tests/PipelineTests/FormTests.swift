import Backends
import Crypto
import HTTP1
import Identity
import NIOCore
import Pipeline
import S3API
import Signatures
import Testing
import WireFormats

/// A form's request and what it holds, decided as the data plane does: fields first, then the rest.
private struct FormCall {
    var fields: [(String, String)]
    var file = Array("content".utf8)
    var path = "/photos"
    var head: [(String, String)] = []
    var spoiledEnd = false

    static let boundary = "b0und4ry"

    static func policy(_ conditions: String, expires: String = "2025-06-15T16:00:00Z") -> String {
        Base64.encode(#"{"expiration": "\#(expires)", "conditions": [\#(conditions)]}"#.utf8)
    }

    /// Signed with version 4.
    static func v4(
        _ fields: [(String, String)] = [("key", "a.txt")],
        _ conditions: String = #"{"bucket": "photos"}, ["starts-with", "$key", ""]"#,
        by key: Key = .full,
        secret: String? = nil,
        date: String = "20250615T150640Z",
        expires: String = "2025-06-15T16:00:00Z"
    ) throws -> FormCall {
        let credential = "\(key.rawValue)/\(date.prefix(8))/us-east-1/s3/aws4_request"
        let own =
            #"["starts-with", "$x-amz-algorithm", ""], ["starts-with", "$x-amz-credential", ""], ["starts-with", "$x-amz-date", ""]"#
        let policy = policy(conditions + ", " + own, expires: expires)
        let signer = SigV4Signer(accessKeyID: key.rawValue, secret: Secret(secret ?? key.secret), region: "us-east-1")
        let signedAt = try #require(Timestamp.parseAmz(Array(date.utf8)))
        return FormCall(
            fields: fields + [
                ("policy", policy), ("x-amz-algorithm", "AWS4-HMAC-SHA256"), ("x-amz-credential", credential),
                ("x-amz-date", date), ("x-amz-signature", signer.signature(ofPolicy: policy, at: signedAt)),
            ]
        )
    }

    /// Signed with version 2.
    static func v2(by key: Key = .full, expires: String = "2025-06-15T16:00:00Z") -> FormCall {
        let policy = policy(#"{"bucket": "photos"}, {"key": "a.txt"}"#, expires: expires)
        let code = HMAC<Insecure.SHA1>.authenticationCode(
            for: Array(policy.utf8),
            using: SymmetricKey(data: Array(key.secret.utf8))
        )
        return FormCall(
            fields: [
                ("key", "a.txt"), ("policy", policy), ("AWSAccessKeyId", key.rawValue),
                ("signature", Base64.encode(code)),
            ]
        )
    }

    func with(_ name: String, _ value: String) -> FormCall {
        var call = self
        call.fields.append((name, value))
        return call
    }

    func without(_ name: String) -> FormCall {
        var call = self
        call.fields.removeAll { $0.0 == name }
        return call
    }

    func inHead(_ name: String, _ value: String) -> FormCall {
        var call = self
        call.head.append((name, value))
        return call
    }

    var body: [UInt8] {
        var body: [UInt8] = []
        for (name, value) in fields {
            body += Array(
                "--\(Self.boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8
            )
        }
        body += Array("--\(Self.boundary)\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n".utf8)
        return body + file + Array("\r\n--\(Self.boundary)--\(spoiledEnd ? "xx" : "\r\n")".utf8)
    }

    func decide(_ gate: inout Gate) throws -> (decision: Decision, rest: ArraySlice<UInt8>) {
        let body = body
        let type = "multipart/form-data; boundary=" + Self.boundary
        let call = Call("POST", path, head + [("content-type", type)], length: Int64(body.count))
        let first = try gate.decide(call)
        guard case .readForm(var reader, var findings) = first.plan else { return (first, []) }
        #expect(!first.isFinal)
        var rest = body[...]
        while !rest.isEmpty {
            let piece = rest.prefix(20_000)
            rest = rest.dropFirst(piece.count)
            if let form = try reader.take(ByteBuffer(bytes: piece)) {
                findings.form = form
                return (try gate.decide(call, knowing: findings), rest)
            }
        }
        findings.form = try reader.finish()
        return (try gate.decide(call, knowing: findings), [])
    }
}

@Suite("Forms of browsers")
struct FormTests {
    @Test("A form is a PutObject of its file by who signed it")
    func putObject() throws {
        var gate = Gate()
        let fields = [("key", "a b.txt"), ("Content-Type", "image/png"), ("x-amz-meta-one", "1")]
        let conditions =
            #"{"bucket": "prefixed"}, ["starts-with", "$key", ""], {"Content-Type": "image/png"}, {"x-amz-meta-one": "1"}"#
        var call = try FormCall.v4(fields, conditions)
        call.path = "/prefixed"
        let (decision, _) = try call.decide(&gate)
        #expect(decision.principal == .key("akfull"))
        #expect(decision.operationName == "post_object")
        #expect(decision.key == ObjectKey("a b.txt"))
        #expect(decision.reason.hasSuffix("; sigv4 form"))
        let forward = try decision.forward()
        #expect(forward.request.method == .put)
        #expect(forward.target == "/shared/v2/a%20b.txt")
        let sent = forward.request.fields
        #expect(sent.string("content-type") == "image/png" && sent.string("x-amz-meta-one") == "1")
        #expect(sent.string("content-length") == "7")
        #expect(sent.count(of: "content-type") == 1)
        for name in ["policy", "x-amz-signature", "x-amz-algorithm", "x-amz-credential", "key"] {
            let isThere = sent.entries.contains { text(sent.name($0)) == name }
            #expect(!isThere, "\(name) went to the store")
        }
        guard case .bytes(let content) = forward.body else { throw OtherPlan() }
        #expect(content == Array("content".utf8))
    }

    @Test("A form's file goes with the exchange that takes it, after the one that looks whether it may")
    func conditionalAtGoogle() throws {
        var gate = Gate()
        let name = try #require(BucketName(validating: "genuine"))
        let backend = GoogleBackend(bucketName: "genuine", credential: .anonymous)
        let upstream = Upstream(name: "genuine", endpoint: backend.endpoint)
        gate.otherBuckets = [Bucket(name: name, backend: backend, upstream: upstream, kind: .gcs, hardening: [])]
        var call = try FormCall.v4(
            [("key", "a.txt"), ("success_action_status", "201")],
            #"["starts-with", "$key", ""], ["starts-with", "$success_action_status", ""], {"bucket": "genuine"}"#
        )
        call.path = "/genuine"
        let looking = try call.inHead("if-match", "\"e\"").decide(&gate).decision.forward()
        #expect(looking.request.method == .head)
        guard case .collect(_, let then) = looking.given(200, [("etag", "\"e\""), ("x-goog-generation", "7")]) else {
            throw OtherPlan()
        }
        let writing = try then([]).forward()
        #expect(writing.request.method == .put && writing.document == "content")
        #expect(writing.request.fields.string("x-goog-if-generation-match") == "7")
        guard case .reply(let reply) = writing.given(200, [("etag", "\"f\"")]) else { throw OtherPlan() }
        #expect(reply.status == 201 && reply.text.contains("<PostResponse>"))
    }

    @Test("Version 2 is one too, where it is not switched off")
    func version2() throws {
        var gate = Gate()
        let (decision, _) = try FormCall.v2().decide(&gate)
        #expect(decision.outcome == .allowed && decision.reason.hasSuffix("; sigv2 form"))
        gate.server = ServerSettings(acceptsSigV2: false)
        let (refused, _) = try FormCall.v2().decide(&gate)
        try expect(400, .invalidRequest, refused)
        #expect(refused.failureName == "signature_version_2")
    }

    fileprivate static func spoiled() throws -> [(FormCall, Int, S3Error.Code)] {
        let good = try FormCall.v4()
        return [
            (try .v4(secret: "wrong"), 403, .signatureDoesNotMatch), (try .v4(by: .disabled), 403, .invalidAccessKeyID),
            (try .v4(by: .reader), 403, .accessDenied), (try .v4(by: .models), 403, .accessDenied),
            (try .v4(date: "20250607T150640Z"), 403, .accessDenied),
            (try .v4(date: "20250615T153640Z"), 403, .accessDenied),
            (try .v4(expires: "2025-06-15T15:00:00Z"), 403, .accessDenied),
            (.v2(expires: "2025-06-23T16:00:00Z"), 400, .invalidArgument),
            (good.without("x-amz-signature"), 400, .invalidArgument), (good.without("policy"), 400, .invalidArgument),
            (good.without("x-amz-date"), 400, .invalidArgument), (good.without("key"), 400, .invalidArgument),
            // Even where the policy would forbid it anyhow.
            (try .v4([], #"{"bucket": "photos"}, ["starts-with", "$key", "foo"]"#), 400, .invalidArgument),
            (good.without("x-amz-signature").with("x-amz-signature", "x"), 403, .signatureDoesNotMatch),
            (FormCall.v2().without("signature").with("signature", "=UUU"), 403, .signatureDoesNotMatch),
            (good.with("signature", "x"), 400, .invalidArgument), (good.with("acl", "private"), 403, .accessDenied),
            (good.with("bucket", "docs"), 400, .invalidArgument),
            (good.with("x-amz-security-token", "t"), 400, .invalidToken),
            (good.inHead("x-api-key", User.root.rawValue), 400, .invalidArgument),
            (good.inHead("authorization", "Bearer a"), 400, .invalidArgument),
            (good.inHead("x-amz-acl", "public-read"), 400, .invalidRequest),
            (good.inHead("x-amz-meta-a", "b"), 400, .invalidRequest),
            (good.inHead("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="), 400, .invalidRequest),
            (FormCall(fields: [("key", "a")]), 403, .accessDenied),
            (FormCall(fields: [("key", "a")], path: "/public"), 403, .accessDenied),
            (try .v4([("key", "a/../b")]), 400, .invalidURI), (try .v4([("key", "")]), 400, .invalidArgument),
        ]
    }

    @Test("Whatever is wrong with one is a refusal, and nothing goes to a store")
    func refusals() throws {
        for (index, (call, status, code)) in try Self.spoiled().enumerated() {
            var gate = Gate()
            let (decision, _) = try call.decide(&gate)
            let reply = try decision.reply()
            #expect(reply.status == status && reply.code == code.name, "\(index): \(reply.text)")
            #expect(decision.outcome != .allowed)
        }
    }

    @Test("A long file streams, and what ends otherwise than reckoned is never all sent", arguments: [false, true])
    func streams(spoiledEnd: Bool) throws {
        var gate = Gate()
        var call = try FormCall.v4()
        call.file = (0..<150_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        call.spoiledEnd = spoiledEnd
        let (decision, rest) = try call.decide(&gate)
        let forward = try decision.forward()
        #expect(forward.request.fields.string("content-length") == "150000")
        guard case .stream(.some(var verifier)) = forward.body else { throw OtherPlan() }
        var sent: [UInt8] = []
        let result = Result {
            var rest = rest
            while !rest.isEmpty {
                for piece in try verifier.take(ByteBuffer(bytes: rest.prefix(30_001))) {
                    sent += piece.readableBytesView
                }
                rest = rest.dropFirst(30_001)
            }
            for piece in try verifier.finish() { sent += piece.readableBytesView }
        }
        if spoiledEnd {
            #expect(throws: S3Error.self) { try result.get() }
            #expect(sent.count <= 150_000 - 16_384)
        } else {
            try result.get()
            #expect(sent == call.file)
        }
    }

    @Test("A file that is not what the form's checksum says never gets to the store whole", arguments: [7, 150_000])
    func checksums(length: Int) throws {
        let file = (0..<length).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let conditions =
            #"{"bucket": "photos"}, ["starts-with", "$key", ""], ["starts-with", "$x-amz-checksum-crc32", ""]"#
        let right = Base64.encode(Checksum.of(file, .crc32))
        for (told, isRight) in [(right, true), ("AAAAAA==", false)] {
            var gate = Gate()
            var call = try FormCall.v4([("key", "a"), ("x-amz-checksum-crc32", told)], conditions)
            call.file = file
            let (decision, rest) = try call.decide(&gate)
            guard case .forward(let forward) = decision.plan, case .stream(.some(var verifier)) = forward.body else {
                #expect(length == 7, "a long file streams")
                if !isRight { try expect(400, .badDigest, decision) } else { _ = try decision.forward() }
                continue
            }
            var sent = try verifier.take(ByteBuffer(bytes: rest)).reduce(0) { $0 + $1.readableBytes }
            if isRight {
                sent += try verifier.finish().reduce(0) { $0 + $1.readableBytes }
                #expect(sent == length)
            } else {
                #expect(throws: S3Error.self) { try verifier.finish() }
                #expect(sent < length)
            }
        }
    }

    @Test("A form copies nothing, whatever its fields say")
    func noCopies() throws {
        var gate = Gate()
        let conditions =
            #"{"bucket": "far"}, ["starts-with", "$key", ""], ["starts-with", "$x-amz-copy-source", ""]"#
        var call = try FormCall.v4([("key", "a"), ("x-amz-copy-source", "/docs/secret")], conditions)
        call.path = "/far"
        call.file = []
        try expect(501, .notImplemented, try call.decide(&gate).decision)
    }

    @Test("A form that came whole in one piece is as good as one that came in many")
    func onePiece() throws {
        var gate = Gate()
        var call = try FormCall.v4()
        call.file = [UInt8](repeating: 7, count: 90_000)
        let body = call.body
        let type = "multipart/form-data; boundary=" + FormCall.boundary
        let request = Call("POST", "/photos", [("content-type", type)], length: Int64(body.count))
        guard case .readForm(var reader, var findings) = try gate.decide(request).plan else { throw OtherPlan() }
        findings.form = try reader.take(ByteBuffer(bytes: body))
        let forward = try gate.decide(request, knowing: findings).forward()
        guard case .stream(.some(var verifier)) = forward.body else { throw OtherPlan() }
        #expect(try verifier.finish().reduce(0) { $0 + $1.readableBytes } == 90_000)
    }

    @Test("Answers are what the form asks for, and lead nowhere but to web pages")
    func answers() throws {
        var gate = Gate()
        let conditions =
            #"{"bucket": "photos"}, ["starts-with", "$key", ""], ["starts-with", "$success_action_redirect", ""]"#
        let good = try FormCall.v4(
            [("key", "a&b"), ("success_action_redirect", "HTTPS://app.example/x?y#z")],
            conditions
        )
        let answer = try good.decide(&gate).decision.forward().given(200, [("etag", "\"e\"")], framing: .length(0))
        guard case .reply(let reply) = answer else { throw OtherPlan() }
        #expect(reply.status == 303)
        #expect(reply.fields.string("location") == "HTTPS://app.example/x?y&bucket=photos&key=a%26b&etag=%22e%22#z")
        for url in ["javascript:alert(1)", "https://", "https://a b", "//host", "https://a\r\nx: y"] {
            let bad = try FormCall.v4([("key", "a"), ("success_action_redirect", url)], conditions)
            try expect(400, .invalidArgument, try bad.decide(&gate).decision)
        }
    }

    @Test("Without an announced length there is no form")
    func chunked() throws {
        var gate = Gate()
        let call = Call("POST", "/photos", [("content-type", "multipart/form-data; boundary=a")]).with(
            framing: .chunked
        )
        try expect(411, .missingContentLength, try gate.decide(call))
    }
}
