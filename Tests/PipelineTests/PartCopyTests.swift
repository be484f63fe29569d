import HTTP1
import Pipeline
import S3API
import Testing
import WireFormats

@Suite("UploadPartCopy between stores")
struct PartCopyTests {
    private static func part(_ fields: [(String, String)] = []) -> Call {
        farCopy(fields, to: "/photos/b.txt?partNumber=3&uploadId=up")
    }

    @Test("The source is read under the request's conditions and becomes the part")
    func whole() throws {
        let carriage = try Self.part([("x-amz-copy-source-if-match", "\"x\"")]).transfer().carriage()
        #expect(carriage.request.summary == "GET south/far/dir/a%20b")
        #expect(carriage.request.fields.string("if-match") == "\"x\"")
        let source = [("content-length", "9"), ("x-amz-meta-who", "me"), ("content-type", "text/a")]
        let delivery = try carriage.delivery(200, source, length: 9)
        #expect(delivery.request.summary == "PUT north/photos/b.txt?partNumber=3&uploadId=up")
        #expect(delivery.length == 9)
        #expect(delivery.request.fields.string("x-amz-meta-who") == nil)
        #expect(delivery.request.fields.string("content-type") == nil)
        let reply = try delivery.next(StoreReply(200, [("etag", "\"p\"")]), []).reply()
        #expect(reply.text.contains("<CopyPartResult"))
        #expect(reply.text.contains("<ETag>&quot;p&quot;</ETag>"))
    }

    @Test("A range is asked for, and only that range is taken")
    func range() throws {
        let carriage = try Self.part([("x-amz-copy-source-range", "bytes=10-19")]).transfer().carriage()
        #expect(carriage.request.fields.string("range") == "bytes=10-19")
        let told = [("content-range", "bytes 10-19/100")]
        #expect(try carriage.delivery(206, told, length: 10).length == 10)
        for (status, fields, length): (Int, [(String, String)], Int64) in [
            (206, [("content-range", "bytes 10-14/15")], 5), (206, [("content-range", "bytes 11-20/100")], 10),
            (206, [], 10), (200, [("content-length", "100")], 100), (416, [], 0),
        ] {
            #expect(try carriage.left(status, fields, length: length).reply().code == "InvalidArgument")
        }
    }

    @Test(
        "Ranges that are none reach no store",
        arguments: [
            "bytes=0-", "bytes=-1", "bytes=2-1", "0-1", "bytes=0-1,3-4", "bytes=+0-1", "bytes=0-1 ", "BYTES=0-1",
        ]
    )
    func badRanges(text: String) throws {
        var gate = Gate()
        try expect(400, .invalidArgument, gate.decide(Self.part([("x-amz-copy-source-range", text)]).by(.root)))
    }

    @Test("A part is at most 5 GiB")
    func tooLarge() throws {
        var gate = Gate()
        let range = Self.part([("x-amz-copy-source-range", "bytes=0-5368709120")])
        try expect(400, .invalidRequest, gate.decide(range.by(.root)))
        let whole = try Self.part().transfer().carriage()
        let length: Int64 = (5 << 30) + 1
        #expect(
            try whole.left(200, [("content-length", String(length))], length: length).reply().code == "InvalidRequest"
        )
    }

    @Test("A part is no larger than an object may be")
    func largerThanAnObject() throws {
        var gate = Gate()
        gate.server = Gate.settings(maxObjectSize: 100)
        let carriage = try gate.decide(Self.part().by(.root)).transfer().carriage()
        #expect(try carriage.left(200, [("content-length", "101")], length: 101).reply().code == "EntityTooLarge")
        _ = try carriage.delivery(200, [("content-length", "100")], length: 100)
    }

    @Test("A condition that does not hold fails the copy", arguments: [304, 412])
    func conditions(status: Int) throws {
        #expect(try Self.part().transfer().carriage().left(status).reply().code == "PreconditionFailed")
    }

    @Test("The source's own error is read")
    func sourceRefuses() throws {
        let carriage = try Self.part().transfer().carriage()
        guard case .leave(let then) = carriage.begin(.made(403, length: 10), noon) else {
            Issue.record("it is delivered")
            return
        }
        let document = "<Error><Code>InvalidObjectState</Code><Message>archived</Message></Error>"
        #expect(try then(StoreReply(403, [], document)).reply().code == "InvalidObjectState")
    }
}
