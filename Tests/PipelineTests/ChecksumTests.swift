import Backends
import Crypto
import HTTP1
import NIOCore
import Pipeline
import S3API
import Testing
import WireFormats

@Suite("Checksums that a client gives of its body are held against it, whatever the store knows of them")
struct ChecksumTests {
    static func value(_ text: String, _ algorithm: ChecksumAlgorithm) -> String {
        Base64.encode(Checksum.of(Array(text.utf8), algorithm))
    }

    private static func md5(_ text: String) -> String {
        Base64.encode(Array(Insecure.MD5.hash(data: Array(text.utf8))))
    }

    private static func put(_ fields: [(String, String)], at target: String = "/photos/a.txt") -> Call {
        Call("PUT", target, fields, length: 5)
    }

    @Test(
        "A checksum in a header is verified, and goes on to a store that knows it",
        arguments: ChecksumAlgorithm.allCases,
        StoreChecksums.allCases
    )
    func header(algorithm: ChecksumAlgorithm, store: StoreChecksums) throws {
        var gate = Gate()
        gate.checksums = store
        let name = algorithm.header
        for (target, type) in [("/photos/a.txt", "FULL_OBJECT"), ("/photos/a.txt?partNumber=1&uploadId=u", nil)] {
            let sent = Self.put(
                [(name.description, Self.value("hello", algorithm)), ("x-amz-sdk-checksum-algorithm", algorithm.name)],
                at: target
            )
            let forward = try gate.decide(sent.signed()).forward()
            #expect(try forward.stored("hello") == "hello")
            #expect(forward.refusal(of: "jello")?.code == .badDigest)
            let passed = store == .unknown ? nil : Self.value("hello", algorithm)
            #expect(forward.request.fields.string(name) == passed)
            #expect((forward.request.fields.string("x-amz-sdk-checksum-algorithm") != nil) == (passed != nil))
            // The client hears it where the store does not say it.
            var verifier = try #require(try forward.verifier())
            _ = try verifier.take(ByteBuffer(string: "hello"))
            var early = FieldBlock()
            verifier.acknowledge(in: &early)
            #expect(early.entries.isEmpty)
            _ = try verifier.finish()
            var silent = FieldBlock()
            verifier.acknowledge(in: &silent)
            #expect(silent.string(name) == Self.value("hello", algorithm))
            #expect(silent.string("x-amz-checksum-type") == type)
            var told = FieldBlock()
            told.append("x-amz-checksum-crc32", "AAAAAA==".utf8)
            verifier.acknowledge(in: &told)
            #expect(told.entries.count == 1)
        }
    }

    @Test("Content-MD5 is verified, and every store is told")
    func contentMD5() throws {
        var gate = Gate()
        gate.checksums = .unknown
        let forward = try gate.decide(Self.put([("content-md5", Self.md5("hello"))]).signed()).forward()
        #expect(try forward.stored("hello") == "hello")
        #expect(forward.refusal(of: "jello")?.code == .badDigest)
        #expect(forward.request.fields.string("content-md5") == Self.md5("hello"))
    }

    @Test(
        "What is no checksum is refused before a byte flows",
        arguments: [
            ([("content-md5", "abc")], S3Error.Code.invalidDigest),
            ([("content-md5", "AAAAAA==")], .invalidDigest),
            (
                [("content-md5", "XUFAKrxLKna5cZ2REBfFkg=="), ("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")],
                .invalidRequest
            ),
            ([("x-amz-checksum-crc32", "abc")], .invalidRequest),
            ([("x-amz-checksum-crc32", "AAAA")], .invalidRequest),
            ([("x-amz-checksum-crc64nvme", "AAAAAA==")], .invalidRequest),
            ([("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-checksum-crc32c", "AAAAAA==")], .invalidRequest),
            ([("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-sdk-checksum-algorithm", "SHA1")], .invalidRequest),
            ([("x-amz-sdk-checksum-algorithm", "MD4")], .invalidRequest),
            ([("x-amz-trailer", "x-amz-checksum-crc32")], .invalidRequest),
            ([("x-amz-decoded-content-length", "6")], .invalidRequest),
            ([("x-amz-decoded-content-length", "-5")], .invalidArgument),
        ]
    )
    func malformed(fields: [(String, String)], code: S3Error.Code) throws {
        var gate = Gate()
        try expect(400, code, gate.decide(Self.put(fields).signed()))
    }

    @Test("A checksum that a signing SDK moved into the query counts, and the store gets it as a field")
    func hoisted() throws {
        var gate = Gate()
        let query = "x-amz-checksum-crc32=" + Self.value("hello", .crc32).replacing("=", with: "%3D")
        let forward = try gate.decide(Call("PUT", "/photos/a.txt?" + query, length: 5).presigned()).forward()
        #expect(try forward.stored("hello") == "hello")
        #expect(forward.refusal(of: "jello")?.code == .badDigest)
        #expect(forward.request.fields.string("x-amz-checksum-crc32") == Self.value("hello", .crc32))
    }

    @Test("The checksum of an empty object is verified, too")
    func empty() throws {
        var gate = Gate()
        for (value, refusal) in [(Self.value("", .crc32), nil), (Self.value("x", .crc32), S3Error.Code.badDigest)] {
            let call = Call("PUT", "/photos/a.txt", [("x-amz-checksum-crc32", value)], length: 0)
            #expect(try gate.decide(call.signed()).forward().refusal(of: "")?.code == refusal)
        }
    }

    @Test("Checksums of documents are verified before the store hears of them")
    func documents() throws {
        let tagging = "<Tagging><TagSet/></Tagging>"
        var gate = Gate()
        let digests: [(StaticString, String)] = [
            ("content-md5", Self.md5(tagging)), ("x-amz-checksum-sha1", Self.value(tagging, .sha1)),
        ]
        for (field, value) in digests {
            let call = Call("PUT", "/photos/a.txt?tagging", [(field.description, value)], length: 5).signed()
            let right = try gate.decide(call).plan.given(body: tagging).forward()
            #expect(right.request.fields.string(field) == value)
            let wrong = try gate.decide(call).plan.given(body: tagging + " ").reply()
            #expect(wrong.code == "BadDigest")
        }
    }

    @Test("A store that knows no checksums hears of none from the beginning of an upload to its completion")
    func uploads() throws {
        var gate = Gate()
        let part = "<Part><PartNumber>1</PartNumber><ETag>\"e\"</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part>"
        let document = "<CompleteMultipartUpload>\(part)</CompleteMultipartUpload>"
        let creation = Call(
            "POST",
            "/photos/a.txt?uploads",
            [("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-type", "FULL_OBJECT")]
        )
        // What a completion states is the whole object's, not the document's.
        let completion = Call(
            "POST",
            "/photos/a.txt?uploadId=u",
            [("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-checksum-type", "FULL_OBJECT")],
            length: 5
        )
        let read = Call("GET", "/photos/a.txt", [("x-amz-checksum-mode", "ENABLED")])
        for store in [StoreChecksums.unknown, .headers] {
            gate.checksums = store
            let requests = [
                try gate.decide(creation.signed()).forward(), try gate.decide(read.signed()).forward(),
                try gate.decide(completion.signed()).plan.given(body: document).forward(),
            ]
            for request in requests {
                let fields = request.request.fields
                let hasAny = fields.entries.contains { fields.hasPrefix($0, "x-amz-checksum-") }
                #expect(hasAny == (store == .headers))
            }
            #expect(requests[2].document?.contains("ChecksumCRC32") == (store == .headers))
            #expect(requests[2].document?.contains("<PartNumber>1</PartNumber>") == true)
        }
    }

    @Test(
        "What a store says it is decides what it is told",
        arguments: [
            ("AmazonS3", StoreChecksums.headersAndTrailers), ("SeaweedFS 8000GB 4.48", .headersAndTrailers),
            ("SeaweedFS 30GB 3.80", .unknown), ("SeaweedFS", .unknown), ("SeaweedFS 30GB 99999999999.1", .unknown),
            ("MinIO", .unknown), ("nginx", .unknown), ("", .unknown),
        ]
    )
    func servers(name: String, expected: StoreChecksums) {
        #expect(StoreChecksums(server: name) == expected)
        #expect(StoreChecksums(server: nil) == .unknown)
    }
}
