import HTTP1
import Pipeline
import S3API
import Testing

@Suite("What a store answers, in the client's terms")
struct StoreAnswerTests {
    private static func forward(_ call: Call = Call("GET", "/prefixed/a.txt")) throws -> Forward {
        var gate = Gate()
        return try gate.decide(call.signed()).forward()
    }

    private static func error(_ code: String, message: String = "m") -> String {
        "<Error><Code>\(code)</Code><Message>\(message)</Message><BucketName>shared</BucketName>"
            + "<Key>v2/a.txt</Key><Resource>/shared/v2/a.txt</Resource><AWSAccessKeyId>AKSTORE</AWSAccessKeyId>"
            + "<StringToSign>secret stuff</StringToSign><RequestId>theirs</RequestId></Error>"
    }

    @Test("What an SDK makes fields of its exceptions of comes with the error")
    func details() throws {
        var gate = Gate()
        let body =
            "<Error><Code>InvalidObjectState</Code><StorageClass>GLACIER</StorageClass><HostId>h</HostId></Error>"
        let reply = try gate.decide(Call("GET", "/photos/a.txt").signed()).forward().given(403, document: body).reply()
        #expect(reply.status == 403 && reply.text.contains("<StorageClass>GLACIER</StorageClass>"))
        #expect(!reply.text.contains("HostId"))
    }

    @Test("A success streams, without what is about the store's own hop")
    func success() throws {
        let answer = try Self.forward().given(
            206,
            [
                ("etag", "\"e\""), ("content-range", "bytes 0-4/10"), ("x-amz-meta-a", "1"), ("set-cookie", "a=b"),
                ("server", "store"), ("x-amz-request-id", "theirs"), ("connection", "keep-alive"),
                ("www-authenticate", "Basic"),
            ]
        )
        guard case .stream(206, let fields) = answer else {
            Issue.record("not streamed")
            return
        }
        #expect(fields.entries.map { text(fields.name($0)) } == ["etag", "content-range", "x-amz-meta-a"])
    }

    @Test(
        "What a store says about our credential is no business of the client's",
        arguments: ["InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "RequestTimeTooSkewed"]
    )
    func credential(code: String) throws {
        let reply = try Self.forward().given(403, document: Self.error(code)).reply()
        #expect(reply.status == 502)
        #expect(reply.code == "BackendAuthFailed")
        #expect(reply.reason.contains(code))
        for secret in ["AKSTORE", "secret stuff", "shared", "v2/", "theirs"] { #expect(!reply.text.contains(secret)) }
    }

    @Test("A refusal of the request itself stays one", arguments: [(403, "AccessDenied"), (404, "NoSuchKey")])
    func passedOn(status: Int, code: String) throws {
        let reply = try Self.forward().given(status, document: Self.error(code)).reply()
        #expect(reply.status == status)
        #expect(reply.code == code)
        #expect(reply.text.contains("<Key>a.txt</Key>"))
        #expect(reply.text.contains("<BucketName>prefixed</BucketName>"))
        #expect(reply.text.contains("<Resource>/prefixed/a.txt</Resource>"))
        for foreign in ["shared", "v2/", "theirs", "AKSTORE"] { #expect(!reply.text.contains(foreign)) }
    }

    @Test("A message that names what lies behind is replaced")
    func messages() throws {
        let document = Self.error("InvalidRequest", message: "bucket shared at north: no")
        #expect(try !Self.forward().given(400, document: document).reply().text.contains("north"))
    }

    @Test("A redirect is never passed on", arguments: [301, 302, 307, 308])
    func redirects(status: Int) throws {
        let answer = try Self.forward().given(
            status,
            [("location", "http://elsewhere/"), ("x-amz-bucket-region", "ap-south-1")]
        )
        guard case .reply(let reply) = answer else {
            Issue.record("passed on")
            return
        }
        #expect(reply.status == 502)
        #expect(reply.code == "BackendRedirected")
        #expect(reply.fields.first("location") == nil)
        #expect(reply.reason.contains("ap-south-1"))
        #expect(!reply.text.contains("ap-south-1") && !reply.text.contains("elsewhere"))
    }

    @Test("An API-key caller reads a store's refusal as JSON")
    func json() throws {
        var gate = Gate()
        let forward = try gate.decide(Call("GET", "/photos/a.txt").by(.alice)).forward()
        let reply = try forward.given(404, document: Self.error("NoSuchKey")).reply()
        #expect(reply.isJSON)
        #expect(reply.code == "NoSuchKey")
    }

    @Test("HEAD has its status and no body")
    func head() throws {
        guard case .reply(let reply) = try Self.forward(Call("HEAD", "/prefixed/a.txt")).given(404, framing: .none)
        else {
            Issue.record("no reply")
            return
        }
        #expect(reply.status == 404)
        #expect(reply.body.isEmpty)
    }

    @Test("When to come back and what there was of the object goes along")
    func hints() throws {
        var gate = Gate()
        let forward = try gate.decide(Call("GET", "/photos/a.txt", [("range", "bytes=99-")]).by(.alice)).forward()
        let answer = forward.given(416, [("content-range", "bytes */10"), ("set-cookie", "a=b")])
        guard case .collect(_, let then) = answer else {
            Issue.record("not read")
            return
        }
        let reply = try then(Array(Self.error("InvalidRange").utf8)).reply()
        #expect(reply.status == 416)
        #expect(reply.fields.string("content-range") == "bytes */10")
        #expect(reply.fields.first("set-cookie") == nil)
    }

    @Test("A failure inside a success is a failure")
    func lateFailure() throws {
        let copy = Call("PUT", "/photos/b.txt", [("x-amz-copy-source", "/photos/a.txt")], length: 0)
        let reply = try Self.forward(copy).given(200, document: Self.error("SlowDown")).reply()
        #expect(reply.status == 503)
    }

    @Test("What is no answer of a store is its fault", arguments: [200, 418, 500, 502])
    func nonsense(status: Int) throws {
        let copy = Call("PUT", "/photos/b.txt", [("x-amz-copy-source", "/photos/a.txt")], length: 0)
        let reply = try Self.forward(copy).given(status, document: "<html>no store</html>").reply()
        #expect((500...502).contains(reply.status))
        #expect(!reply.text.contains("no store"))
    }

    @Test(
        "A request whose effect would differ the second time is never sent twice",
        arguments: [
            (Call("GET", "/photos/a.txt"), Replay.allowed),
            (Call("GET", "/photos/a.txt", [("if-none-match", "\"e\"")]), .allowed),
            (Call("HEAD", "/photos"), .allowed),
            (Call("GET", "/photos?list-type=2"), .allowed),
            (Call("PUT", "/photos/a.txt", length: 5), .allowed),
            (Call("DELETE", "/photos/a.txt"), .allowed),
            (Call("PUT", "/photos/a.txt", [("if-none-match", "*")], length: 5), .never),
            (Call("PUT", "/photos/a.txt", [("if-match", "\"e\"")], length: 5), .never),
            (Call("DELETE", "/photos/a.txt", [("if-match", "\"e\"")]), .never),
            (Call("POST", "/photos/a.txt?uploads"), .never),
            (Call("PUT", "/photos/a.txt?partNumber=1&uploadId=u", length: 5), .allowed),
        ]
    )
    func replay(call: Call, replay: Replay) throws {
        #expect(try Self.forward(call).replay == replay)
    }

    @Test("Completing an upload is never sent twice")
    func completion() throws {
        var gate = Gate()
        let plan = try gate.decide(Call("POST", "/photos/a.txt?uploadId=u", length: 99).signed()).plan
        let parts = "<Part><PartNumber>1</PartNumber><ETag>e</ETag></Part>"
        let forward = try plan.given(body: "<CompleteMultipartUpload>\(parts)</CompleteMultipartUpload>").forward()
        #expect(forward.replay == .never)
    }
}
