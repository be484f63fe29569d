import HTTP1
import Pipeline
import S3API
import Testing

@Suite("max_object_size holds for the sum of an upload's parts")
struct CompletionSizeTests {
    private static let call = Call("POST", "/prefixed/a.bin?uploadId=up%2F1", length: 200)

    private static func completion(_ parts: [(Int, String)]) -> String {
        "<CompleteMultipartUpload>"
            + parts.map { "<Part><PartNumber>\($0.0)</PartNumber><ETag>\($0.1)</ETag></Part>" }.joined()
            + "</CompleteMultipartUpload>"
    }

    private static func listing(_ parts: [(Int, String, Int64)], next: Int? = nil) -> String {
        "<ListPartsResult>"
            + parts.map {
                "<Part><PartNumber>\($0.0)</PartNumber><ETag>\($0.1)</ETag><Size>\($0.2)</Size></Part>"
            }.joined()
            + "<IsTruncated>\(next != nil)</IsTruncated>"
            + (next.map { "<NextPartNumberMarker>\($0)</NextPartNumberMarker>" } ?? "") + "</ListPartsResult>"
    }

    /// The first question to the store after a completion of parts 1 to 3.
    private static func question(
        limit: Int64 = 100,
        _ call: Call = call,
        parts: [(Int, String)] = [(1, "\"e1\""), (2, "e2"), (3, "&quot;e3&quot;")]
    ) throws -> Forward {
        var gate = Gate()
        gate.server = Gate.settings(maxObjectSize: limit)
        return try gate.decide(call.signed()).plan.given(body: completion(parts)).forward()
    }

    @Test("The store is asked for the parts first")
    func asksFirst() throws {
        let forward = try Self.question()
        #expect(forward.request.method == .get)
        #expect(forward.target == "/shared/v2/a.bin?uploadId=up%2F1")
        #expect(forward.replay == .allowed)
        #expect(forward.request.fields.string("authorization")?.contains("AKSTORE/") == true)
    }

    @Test("What the store wants to know of encryption goes with the question")
    func customerKeys() throws {
        let fields = [
            ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
            ("x-amz-server-side-encryption-customer-key", "a2V5"),
            ("x-amz-server-side-encryption-customer-key-md5", "bWQ1"),
        ]
        let forward = try Self.question(limit: 100, Call("POST", "/prefixed/a.bin?uploadId=u", fields, length: 200))
        for (name, value) in fields {
            let sent = forward.request.fields
            #expect(sent.entries.contains { text(sent.name($0)) == name && text(sent.value($0)) == value })
        }
    }

    @Test(
        "The sum of the named parts decides, not what else was uploaded",
        arguments: [Int64(100): nil, 99: S3Error.Code.entityTooLarge]
    )
    func sum(limit: Int64, refusal: S3Error.Code?) throws {
        let listing = Self.listing([(1, "\"e1\"", 50), (2, "\"e2\"", 30), (3, "\"e3\"", 20), (4, "\"e4\"", 999)])
        let plan = try Self.question(limit: limit).given(200, document: listing)
        guard let refusal else {
            let completion = try plan.forward()
            #expect(completion.request.method == .post)
            #expect(completion.target == "/shared/v2/a.bin?uploadId=up%2F1")
            #expect(completion.document?.contains("<PartNumber>3</PartNumber>") == true)
            #expect(completion.replay == .never)
            return
        }
        let reply = try plan.reply()
        #expect(reply.status == 400)
        #expect(reply.code == refusal.name)
    }

    @Test("Sizes that no sum could hold are too large, not small")
    func overflow() throws {
        let listing = Self.listing([(1, "\"e1\"", .max), (2, "\"e2\"", .max), (3, "\"e3\"", .max)])
        #expect(try Self.question().given(200, document: listing).reply().code == "EntityTooLarge")
    }

    @Test("Pages are followed as far as there are parts to find")
    func pages() throws {
        let second = try Self.question().given(
            200,
            document: Self.listing([(1, "\"e1\"", 50), (2, "\"e2\"", 50)], next: 2)
        ).forward()
        #expect(second.target == "/shared/v2/a.bin?part-number-marker=2&uploadId=up%2F1")
        let over = try second.given(200, document: Self.listing([(3, "\"e3\"", 1)]))
        #expect(try over.reply().code == "EntityTooLarge")
        let fits = try second.given(200, document: Self.listing([(3, "\"e3\"", 0)], next: 3))
        #expect(try fits.forward().request.method == .post)
    }

    @Test(
        "A part that the store lists otherwise, or not, is not guessed at",
        arguments: [[(1, "\"e1\"", 5), (2, "\"other\"", 5), (3, "\"e3\"", 5)], [(1, "\"e1\"", 5), (3, "\"e3\"", 5)]]
    )
    func otherParts(parts: [(Int, String, Int64)]) throws {
        let reply = try Self.question().given(200, document: Self.listing(parts)).reply()
        #expect(reply.status == 400)
        #expect(reply.code == "InvalidPart")
    }

    @Test(
        "A listing that makes no sense is the store's fault",
        arguments: [
            "", "<html/>", listing([(1, "\"e1\"", -5)]), listing([(1, "\"e1\"", 5), (1, "\"e1\"", 6)]),
            listing([(1, "\"e1\"", 5)], next: 0), listing([], next: nil).replacing("false", with: "true"),
        ]
    )
    func nonsense(document: String) throws {
        let reply = try Self.question().given(200, document: document).reply()
        #expect(reply.status == 502)
        #expect(reply.code == "BackendBadAnswer")
    }

    @Test("An error that is told inside of a success is one")
    func toldError() throws {
        let document = "<Error><Code>InternalError</Code></Error>"
        let reply = try Self.question().given(200, document: document).reply()
        #expect(reply.status == 500)
        #expect(reply.code == "InternalError")
    }

    @Test("An upload that the store does not have is the store's to answer for: it may be completed already")
    func repeated() throws {
        let error = "<Error><Code>NoSuchUpload</Code></Error>"
        #expect(try Self.question().given(404, document: error).forward().request.method == .post)
    }

    @Test("A store that refuses the question refuses the completion")
    func refused() throws {
        let error = "<Error><Code>AccessDenied</Code><Key>v2/a.bin</Key></Error>"
        let reply = try Self.question().given(403, document: error).reply()
        #expect(reply.status == 403)
        #expect(reply.text.contains("<Key>a.bin</Key>"))
    }

    @Test("Where the limit is S3's own, the completion goes straight to the store")
    func noLimit() throws {
        #expect(try Self.question(limit: 5 << 40).request.method == .post)
    }

    @Test("A completion that names no parts, or in no order, is refused before anything is asked")
    func malformed() throws {
        for (parts, code) in [([], "MalformedXML"), ([(2, "a"), (1, "b")], "InvalidPartOrder")] {
            var gate = Gate()
            gate.server = Gate.settings(maxObjectSize: 100)
            let plan = try gate.decide(Self.call.signed()).plan.given(body: Self.completion(parts))
            #expect(try plan.reply().code == code)
        }
    }
}
