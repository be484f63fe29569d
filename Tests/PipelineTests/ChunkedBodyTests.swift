import Backends
import HTTP1
import NIOCore
import Pipeline
import S3API
import Signatures
import Testing
import WireFormats

@Suite("Bodies in chunks: what they hold goes on, in the form that the store knows")
struct ChunkedBodyTests {
    private static func object(_ length: Int) -> String {
        String(decoding: (0..<length).map { UInt8(ascii: "a") + UInt8($0 % 26) }, as: UTF8.self)
    }

    /// An unsigned body in chunks of at most so many bytes.
    private static func framed(_ object: String, chunk: Int = 1000, checksum: String? = nil) -> String {
        var text = ""
        var rest = object[...]
        while !rest.isEmpty {
            let piece = rest.prefix(chunk)
            text += String(piece.utf8.count, radix: 16) + "\r\n" + piece + "\r\n"
            rest = rest.dropFirst(chunk)
        }
        return text + "0\r\nx-amz-checksum-crc32:" + (checksum ?? ChecksumTests.value(object, .crc32)) + "\r\n\r\n"
    }

    private static func put(_ object: String, _ body: String, by user: User? = .alice) -> Call {
        let fields = [
            ("x-amz-decoded-content-length", String(object.utf8.count)), ("x-amz-trailer", "x-amz-checksum-crc32"),
            ("content-encoding", "aws-chunked"),
        ]
        let call = Call("PUT", "/photos/a.txt", fields, length: Int64(body.utf8.count))
        return user.map { call.by($0).with("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER") } ?? call
    }

    @Test(
        "Wherever a body is split, its bytes come out, and the end not before all of them agree",
        arguments: [1, 7, 4096]
    )
    func splits(piece: Int) throws {
        let object = Self.object(20_000)
        let body = Self.framed(object)
        var gate = Gate()
        gate.checksums = .unknown
        let forward = try gate.decide(Self.put(object, body)).forward()
        #expect(try forward.stored(body, piece: piece) == object)
        #expect(forward.request.fields.string("content-length") == "20000")
        #expect(forward.request.fields.string("content-encoding") == nil)
        #expect(forward.request.fields.string("x-amz-content-sha256") == "UNSIGNED-PAYLOAD")
        // Up to the last byte of the trailer, nothing of the end is let go.
        var verifier = try #require(try forward.verifier())
        var free = 0
        for part in try verifier.take(ByteBuffer(string: String(body.dropLast(1)))) { free += part.readableBytes }
        #expect(free == 20_000 - Int(BodyVerifier.reserve))
        #expect(throws: S3Error.self) { try verifier.finish() }
    }

    @Test("A store that knows trailers gets the checksum behind the body, framed anew")
    func trailers() throws {
        let object = Self.object(200_000)
        let body = Self.framed(object)
        var gate = Gate()
        let forward = try gate.decide(Self.put(object, body)).forward()
        let stored = try forward.stored(body, piece: 3333)
        #expect(forward.request.fields.string("content-length") == String(stored.utf8.count))
        #expect(forward.request.fields.string("x-amz-decoded-content-length") == "200000")
        #expect(forward.request.fields.string("x-amz-content-sha256") == "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
        var decoder = AWSChunkedDecoder(.unsignedWithTrailer, decodedLength: 200_000, trailer: .crc32)
        var buffer = ByteBuffer(string: stored)
        var seen = ""
        reading: while true {
            switch decoder.next(&buffer) {
            case .bytes(let bytes): seen += String(buffer: bytes)
            case .end: break reading
            case .needMore, .refused:
                Issue.record("not a whole body")
                break reading
            case .chunkBegan, .chunkEnded, .trailer: continue
            }
        }
        #expect(seen == object)
    }

    @Test("A short body's checksum goes on in a field, if all of it agrees")
    func short() throws {
        var gate = Gate()
        gate.checksums = .headers
        let body = Self.framed("hello")
        let decision = try gate.decide(Self.put("hello", body))
        let forward = try decision.plan.given(body: body).forward()
        #expect(forward.document == "hello")
        #expect(forward.request.fields.string("x-amz-checksum-crc32") == ChecksumTests.value("hello", .crc32))
        #expect(forward.request.fields.string("x-amz-trailer") == nil)
        guard case .stream(200, let fields) = forward.given(200) else { throw OtherPlan() }
        #expect(fields.string("x-amz-checksum-crc32") == ChecksumTests.value("hello", .crc32))
        let wrong = try decision.plan.given(body: Self.framed("hello", checksum: "AAAAAA==")).reply()
        #expect(wrong.code == "BadDigest")
    }

    @Test("A store that takes no trailers computes the checksum that a long body's trailer has")
    func computed() throws {
        let object = Self.object(200_000)
        let body = Self.framed(object)
        var gate = Gate()
        gate.checksums = .headers
        for stated in [nil, "crc32"] {
            var call = Self.put(object, body)
            if let stated { call = call.with("x-amz-sdk-checksum-algorithm", stated) }
            let forward = try gate.decide(call).forward()
            #expect(try forward.stored(body, piece: 3333) == object)
            let named = forward.request.fields.entries.filter {
                forward.request.fields.isNamed($0, "x-amz-sdk-checksum-algorithm")
            }
            #expect(named.count == 1)
            #expect(forward.request.fields.string("x-amz-sdk-checksum-algorithm")?.uppercased() == "CRC32")
            #expect(forward.request.fields.string("x-amz-trailer") == nil)
            #expect(forward.refusal(of: Self.framed(object, checksum: "AAAAAA=="))?.code == .badDigest)
        }
    }

    @Test("What is wrong with a body has its name")
    func refusals() throws {
        let object = Self.object(30_000)
        var gate = Gate()
        let forward = try gate.decide(Self.put(object, Self.framed(object))).forward()
        let cases: [(String, S3Error.Code)] = [
            (Self.framed(object, checksum: "AAAAAA=="), .badDigest),
            (Self.framed(object, checksum: "AAAA"), .malformedTrailer),
            (Self.framed(object).replacing("crc32", with: "crc32c"), .malformedTrailer),
            (Self.framed(String(object.dropLast())), .incompleteBody),
            (Self.framed(object + "a"), .incompleteBody),
            (String(Self.framed(object).dropLast(2)), .incompleteBody),
            (Self.framed(object) + "x", .incompleteBody),
            ("x" + Self.framed(object), .incompleteBody),
        ]
        for (body, code) in cases {
            #expect(forward.refusal(of: body)?.code == code)
            #expect(forward.refusal(of: body, piece: 11)?.code == code)
        }
    }

    @Test("Who does not sign the request can't sign its chunks; an SDK without a credential may leave the form out")
    func unsigned() throws {
        var gate = Gate()
        let signed = Call("PUT", "/photos/a.txt", [("x-amz-decoded-content-length", "5")], length: 90).by(.alice)
            .with("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
        try expect(400, .invalidRequest, gate.decide(signed))
        gate.policies = try .everything(for: "anonymous")
        gate.checksums = .unknown
        let body = Self.framed("hello")
        let forward = try gate.decide(Self.put("hello", body, by: nil)).forward()
        #expect(try forward.stored(body) == "hello")
    }
}
