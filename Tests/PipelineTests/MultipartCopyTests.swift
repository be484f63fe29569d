import HTTP1
import Pipeline
import S3API
import Testing
import WireFormats

@Suite("Long objects between stores: copied as multipart uploads")
struct MultipartCopyTests {
    private static let part: Int64 = 64 << 20
    private static let begun =
        "<InitiateMultipartUploadResult><UploadId>up/1</UploadId></InitiateMultipartUploadResult>"

    /// The carriage of the first part of an object of two.
    private static func first(_ fields: [(String, String)] = [], at now: Instant = noon) throws -> Carriage {
        let create = try farCopy(fields).transfer().question()
            .next(described(part + 10, [("x-amz-meta-who", "me")])).question()
        #expect(create.request.summary == "POST north/photos/b.txt?uploads=")
        #expect(create.request.fields.string("x-amz-meta-who") == "me")
        return try create.next(StoreReply(200, [], begun, at: now)).carriage()
    }

    private static func range(_ text: String) -> [(String, String)] { [("content-range", text)] }

    private static func second(after carriage: Carriage) throws -> Carriage {
        let delivery = try carriage.delivery(206, range("bytes 0-67108863/67108874"), length: part)
        #expect(delivery.request.summary == "PUT north/photos/b.txt?partNumber=1&uploadId=up%2F1")
        return try delivery.next(StoreReply(200, [("etag", "\"p1\"")]), delivery.checksums).carriage()
    }

    private static func isAbort(_ step: TransferStep, then code: String) throws {
        let abort = try step.question()
        #expect(abort.request.summary == "DELETE north/photos/b.txt?uploadId=up%2F1")
        guard case .cleanup = abort.purpose else {
            Issue.record("the abort would not be sent once the client has left")
            return
        }
        // Whatever the store says to it.
        for reply in [StoreReply(204), StoreReply(500)] { #expect(try abort.next(reply).reply().code == code) }
        #expect(try abort.failed(TransferFailure(S3Error(.slowDown), now: noon)).reply().code == code)
    }

    @Test("One part is copied whole, one byte more is two parts")
    func threshold() throws {
        _ = try farCopy().transfer().question().next(described(Self.part)).carriage()
        _ = try farCopy().transfer().question().next(described(Self.part + 1)).question()
    }

    @Test("Part after part, then completed")
    func steps() throws {
        let first = try Self.first([("if-none-match", "*")])
        #expect(first.request.summary == "GET south/far/dir/a%20b")
        #expect(first.request.fields.string("range") == "bytes=0-67108863")
        #expect(first.request.fields.string("if-match") == "\"e\"")
        let second = try Self.second(after: first)
        #expect(second.request.fields.string("range") == "bytes=67108864-67108873")
        let delivery = try second.delivery(206, Self.range("bytes 67108864-67108873/67108874"), length: 10)
        #expect(delivery.request.summary == "PUT north/photos/b.txt?partNumber=2&uploadId=up%2F1")
        #expect(delivery.request.fields.string("if-none-match") == nil)

        let complete = try delivery.next(StoreReply(200, [("etag", "\"p2\"")]), []).question()
        #expect(complete.request.summary == "POST north/photos/b.txt?uploadId=up%2F1")
        #expect(complete.request.fields.string("if-none-match") == "*")
        let parts = try CompletionRequest(parsing: complete.body).parts
        #expect(parts.map(\.number) == [1, 2])
        #expect(parts.map(\.etag) == ["\"p1\"", "\"p2\""])
        let done = """
            <CompleteMultipartUploadResult><Location>http://north/photos/b.txt</Location><ETag>"all-2"</ETag>
            </CompleteMultipartUploadResult>
            """
        let reply = try complete.next(StoreReply(200, [], done)).reply()
        #expect(reply.text.contains("<CopyObjectResult"))
        #expect(reply.text.contains("all-2"))
        #expect(!reply.text.contains("north"))
    }

    @Test("Requests are signed when they are due: a copy may outlive a signature")
    func signatures() throws {
        let later = Instant(secondsSince1970: noon.secondsSince1970 + 3600)
        #expect(try Self.first().request.fields.string("x-amz-date") == "20250615T150640Z")
        #expect(try Self.first(at: later).request.fields.string("x-amz-date") == "20250615T160640Z")
    }

    @Test("An error told inside of a 200 is an error, white space before it or not", arguments: ["", "\n   \n"])
    func errorInside(space: String) throws {
        let second = try Self.second(after: Self.first())
        let delivery = try second.delivery(206, Self.range("bytes 67108864-67108873/67108874"), length: 10)
        let complete = try delivery.next(StoreReply(200, [("etag", "\"p2\"")]), []).question()
        let document =
            space
            + "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>InvalidPart</Code><Message>m</Message></Error>"
        try Self.isAbort(complete.next(StoreReply(200, [], document)), then: "InvalidPart")
    }

    @Test("Whatever goes wrong after it was begun takes it back")
    func aborts() throws {
        let failure = TransferFailure(S3Error(.backendTimeout), now: noon)
        let first = try Self.first()
        try Self.isAbort(first.failed(failure), then: "BackendTimeout")
        try Self.isAbort(first.left(412), then: "OperationAborted")
        try Self.isAbort(first.left(404), then: "NoSuchKey")
        // Not the range that was asked for.
        try Self.isAbort(
            first.left(206, Self.range("bytes 1-67108864/67108874"), length: Self.part),
            then: "OperationAborted"
        )
        try Self.isAbort(
            first.left(206, Self.range("bytes 0-67108863/67108875"), length: Self.part),
            then: "OperationAborted"
        )
        try Self.isAbort(first.left(200, length: Self.part), then: "OperationAborted")
        let delivery = try first.delivery(206, Self.range("bytes 0-67108863/67108874"), length: Self.part)
        let refused = "<Error><Code>EntityTooLarge</Code></Error>"
        try Self.isAbort(delivery.next(StoreReply(400, [], refused), []), then: "EntityTooLarge")
        try Self.isAbort(delivery.next(StoreReply(200), []), then: "BackendBadAnswer")
    }

    @Test("What could not be begun need not be taken back")
    func beginning() throws {
        let create = try farCopy().transfer().question().next(described(Self.part + 1)).question()
        #expect(try create.next(StoreReply(403)).reply().code == "AccessDenied")
        #expect(try create.next(StoreReply(200, [], "<html/>")).reply().status == 502)
    }
}
