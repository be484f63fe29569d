import Crypto
import HTTP1
import Pipeline
import S3API
import Signatures
import Testing
import WireFormats

@Suite("Bodies: length, hash and form are settled before a byte of them flows")
struct BodyTests {
    private static let hash = PayloadHash.sha256(Array(SHA256.hash(data: Array("hello".utf8))))

    private static func put(_ bucket: String = "photos", length: Int64? = 5) -> Call {
        Call("PUT", "/\(bucket)/a.txt", length: length)
    }

    @Test("The signed hash is held against the body, unless the store is known to do so")
    func signedHash() throws {
        var gate = Gate()
        for (bucket, refused) in [("photos", S3Error(.contentSHA256Mismatch)), ("checked", nil)] {
            let forward = try gate.decide(Self.put(bucket).signed(payload: Self.hash)).forward()
            #expect(try forward.stored("hello") == "hello")
            #expect(forward.refusal(of: "jello") == refused)
            // The store learns it as well.
            #expect(forward.request.fields.string("x-amz-content-sha256")?.hasPrefix("2cf24dba") == true)
        }
    }

    @Test("API-key callers may state a hash too")
    func statedHash() throws {
        var gate = Gate()
        let call = Self.put().by(.alice)
        let stated = call.with(
            "x-amz-content-sha256",
            "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        )
        let forward = try gate.decide(stated).forward()
        #expect(try forward.stored("hello") == "hello")
        #expect(forward.refusal(of: "jello") == S3Error(.contentSHA256Mismatch))
        try expect(400, .invalidArgument, gate.decide(call.with("x-amz-content-sha256", "abc")))
        try expect(400, .invalidArgument, gate.decide(stated.with("x-amz-content-sha256", "UNSIGNED-PAYLOAD")))
    }

    @Test("A request without a body has the hash of nothing", arguments: ["GET", "HEAD", "DELETE", "PUT"])
    func hashOfNothing(method: String) throws {
        let call = Call(method, "/photos/a.txt", length: method == "PUT" ? 0 : nil)
        var gate = Gate()
        #expect(try gate.decide(call.signed()).outcome == .allowed)
        #expect(try gate.decide(call.signed(payload: .unsigned)).outcome == .allowed)
        let code: S3Error.Code? = method == "HEAD" ? nil : .contentSHA256Mismatch
        try expect(400, code, gate.decide(call.signed(payload: Self.hash)))
    }

    @Test("A document's hash is checked before the store hears of it")
    func documents() throws {
        let call = Call("PUT", "/photos/a.txt?tagging", length: 5)
        let tagging = "<Tagging><TagSet/></Tagging>"
        var gate = Gate()
        let wrong = try gate.decide(call.signed(payload: Self.hash)).plan.given(body: tagging).reply()
        #expect(wrong.code == "XAmzContentSHA256Mismatch")
        let hash = PayloadHash.sha256(Array(SHA256.hash(data: Array(tagging.utf8))))
        let right = try gate.decide(call.signed(payload: hash)).plan.given(body: tagging).forward()
        #expect(right.document == tagging)
        let other = try gate.decide(call.signed()).plan.given(body: "<Other/>").reply()
        #expect(other.code == "MalformedXML")
    }

    @Test("Documents are not taken in chunks", arguments: AWSChunkedForm.allCases)
    func chunkedDocuments(form: AWSChunkedForm) throws {
        var gate = Gate()
        let call = Call("PUT", "/photos/a.txt?tagging", [("x-amz-decoded-content-length", "5")], length: 90)
        try expect(501, .notImplemented, gate.decide(call.signed(payload: .chunked(form))))
    }

    @Test(
        "An object's length must be told",
        arguments: [BodyFraming.none, .chunked],
        ["/photos/a.txt", "/photos/a.txt?partNumber=1&uploadId=u"]
    )
    func lengths(framing: BodyFraming, target: String) throws {
        var gate = Gate()
        try expect(411, .missingContentLength, gate.decide(Call("PUT", target).with(framing: framing).by(.alice)))
    }

    @Test("An object that is too large is refused by its length", arguments: [(Int64(10), true), (11, false)])
    func tooLarge(length: Int64, fits: Bool) throws {
        var gate = Gate()
        gate.server = Gate.settings(maxObjectSize: 10)
        for target in ["/photos/a.txt", "/photos/a.txt?partNumber=1&uploadId=u"] {
            let decision = try gate.decide(Call("PUT", target, length: length).by(.alice))
            if fits {
                #expect(decision.outcome == .allowed)
            } else {
                try expect(400, .entityTooLarge, decision)
            }
        }
    }

    @Test("A body where none belongs is refused", arguments: ["GET", "HEAD", "DELETE"])
    func unexpected(method: String) throws {
        var gate = Gate()
        let decision = try gate.decide(Call(method, "/photos/a.txt", length: 5).by(.alice))
        #expect(try decision.reply().status == 400)
    }

    @Test("A document longer than its kind can be is refused by its length")
    func longDocument() throws {
        var gate = Gate()
        let call = Call("PUT", "/photos/a.txt?tagging", length: 1 << 20)
        try expect(400, .maxMessageLengthExceeded, gate.decide(call.signed()))
    }

    @Test("A body of no bytes is sent at once, and a copy has none")
    func emptyBodies() throws {
        var gate = Gate()
        let empty = try gate.decide(Self.put(length: 0).by(.alice)).forward()
        #expect(empty.document == "")
        let copy = Call("PUT", "/photos/b.txt", [("x-amz-copy-source", "/photos/a.txt")], length: 0)
        guard case .none = try gate.decide(copy.by(.alice)).forward().body else {
            Issue.record("a copy sends a body")
            return
        }
    }
}
