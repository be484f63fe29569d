import HTTP1
import S3API
import Signatures
import Testing
import WireFormats

@testable import Backends

@Suite struct GoogleAnswerTests {
    private func answer(
        _ line: String,
        _ head: ResponseHead,
        from backend: GoogleBackend = googleBackend(),
        fields: [(String, String)] = []
    ) throws -> S3Answer {
        let parts = line.split(separator: " ").map(String.init)
        let body: OutgoingBody =
            parts[0] == "PUT"
            ? .stream(length: 5, hash: .unsigned) : parts[1].contains("uploadId") ? .document([]) : .none
        let incoming = try Incoming(parts[0], parts[1], fields)
        return try incoming.exchange(with: backend, body: body).answer(head)
    }

    private func streamed(_ answer: S3Answer) throws -> FieldBlock {
        guard case .stream(_, let fields) = answer else { throw S3Error(.backendBadAnswer) }
        return fields
    }

    private func failure(_ answer: S3Answer, _ body: String = "") -> StoreFailure? {
        switch answer {
        case .failure(let failure, _): return failure
        case .collect(_, let then):
            if case .failure(let failure, _) = then(Array(body.utf8)) { return failure }
            return nil
        case .stream: return nil
        }
    }

    private func document(_ answer: S3Answer, _ body: String) throws -> XMLNode {
        guard case .collect(_, let then) = answer, case .document(_, _, let bytes) = then(Array(body.utf8)) else {
            throw S3Error(.backendBadAnswer)
        }
        return try XMLReader.parse(bytes)
    }

    private static let object = [
        ("ETag", "\"5d41402abc4b2a76b9719d911017c592\""), ("x-goog-meta-a", "1"), ("x-goog-generation", "17"),
        ("x-goog-hash", "crc32c=mnG7TA==,md5=XUFAKrxLKna5cZ2REBfFkg=="), ("x-goog-storage-class", "NEARLINE"),
        ("x-goog-stored-content-encoding", "identity"), ("x-goog-stored-content-length", "5"),
        ("content-length", "5"), ("x-guploader-uploadid", "u"), ("server", "UploadServer"),
        ("expires", "Thu, 01 Dec 1994 16:00:00 GMT"), ("set-cookie", "c"), ("alt-svc", "h3"),
    ]

    @Test func fieldsAreToldInS3sNamesAndNoOthers() throws {
        let told = try streamed(try answer("GET /bkt/k", response(200, Self.object)))
        #expect(told.string("x-amz-meta-a") == "1")
        #expect(told.string("x-amz-storage-class") == "NEARLINE")
        #expect(told.string("etag") == "\"5d41402abc4b2a76b9719d911017c592\"")
        #expect(told.entries.count == 3)
    }

    @Test func theChecksumThatGoogleKeepsIsToldWhereItIsAskedFor() throws {
        let asked = [("x-amz-checksum-mode", "ENABLED")]
        let told = try streamed(try answer("GET /bkt/k", response(200, Self.object), fields: asked))
        #expect(told.string("x-amz-checksum-crc32c") == "mnG7TA==")
        #expect(told.string("x-amz-checksum-type") == "FULL_OBJECT")
        let part = try streamed(try answer("GET /bkt/k", response(206, Self.object), fields: asked))
        #expect(part.first("x-amz-checksum-crc32c") == nil)
    }

    @Test(arguments: [
        // Unpacked on the way: neither length nor digest is the object's.
        [
            ("x-goog-stored-content-encoding", "gzip"), ("x-goog-stored-content-length", "30"),
            ("content-length", "500"),
        ],
        [("x-goog-stored-content-encoding", "gzip"), ("transfer-encoding", "chunked")],
        // Packed on the way.
        [("x-goog-stored-content-encoding", "identity"), ("content-encoding", "gzip"), ("content-length", "30")],
        [
            ("x-goog-stored-content-encoding", "identity"), ("x-goog-stored-content-length", "5"),
            ("content-length", "6"),
        ],
    ])
    func bytesThatAreNotThoseThatAreKeptReachNobody(_ fields: [(String, String)]) throws {
        #expect(failure(try answer("GET /bkt/k", response(200, fields)))?.code == "BackendBadAnswer")
    }

    @Test func whatIsKeptAsGzipComesAsItIs() throws {
        let told = try streamed(
            try answer(
                "GET /bkt/k",
                response(
                    200,
                    [
                        ("x-goog-stored-content-encoding", "gzip"), ("x-goog-stored-content-length", "30"),
                        ("content-encoding", "gzip"), ("content-length", "30"),
                    ]
                )
            )
        )
        #expect(told.string("content-encoding") == "gzip")
    }

    @Test func overridesAreMadeHere() throws {
        let told = try streamed(
            try answer(
                "GET /bkt/k?response-content-type=text%2Fx&response-cache-control=no-store",
                response(200, [("content-type", "image/png"), ("content-length", "5")])
            )
        )
        #expect(told.string("content-type") == "text/x")
        #expect(told.count(of: "content-type") == 1)
        #expect(told.string("cache-control") == "no-store")
    }

    // MARK: - Refusals

    private func error(_ code: String) -> String {
        "<?xml version='1.0' encoding='UTF-8'?><Error><Code>\(code)</Code><Message>of store-bucket</Message></Error>"
    }

    @Test(arguments: [
        (403, "InvalidAccessKeyId", "BackendAuthFailed"), (403, "SignatureDoesNotMatch", "BackendAuthFailed"),
        (403, "RequestTimeTooSkewed", "BackendAuthFailed"), (401, "AuthenticationRequired", "BackendAuthFailed"),
        (401, "AccessDenied", "BackendAuthFailed"), (403, "AccessDenied", "AccessDenied"),
        (404, "NoSuchKey", "NoSuchKey"), (404, "NoSuchBucket", "NoSuchBucket"),
        (412, "PreconditionFailed", "PreconditionFailed"), (416, "InvalidRange", "InvalidRange"),
        (503, "SlowDown", "SlowDown"),
    ])
    func errorsAreS3s(_ status: Int, _ code: String, _ told: String) throws {
        let failure = try #require(failure(try answer("GET /bkt/k", response(status)), error(code)))
        #expect(failure.code == told)
        #expect(!failure.message.contains("store-bucket"))
    }

    @Test func whoAsksWithoutACredentialIsDeniedAndNobodysCredentialFailed() throws {
        let failure = failure(try answer("GET /bkt/k", response(401), from: googleBackend(credential: .anonymous)))
        #expect(failure?.code == "AccessDenied")
        #expect(failure?.cause == .request)
    }

    @Test func deletingWhatIsNotThereIsDone() throws {
        guard case .collect(_, let then) = try answer("DELETE /bkt/k", response(404)),
            case .document(204, _, let body) = then(Array(error("NoSuchKey").utf8))
        else {
            Issue.record("not done")
            return
        }
        #expect(body.isEmpty)
        #expect(failure(try answer("DELETE /bkt/k", response(404)), error("NoSuchBucket"))?.code == "NoSuchBucket")
    }

    @Test func redirectsAreNeverFollowed() throws {
        let failure = failure(try answer("GET /bkt/k", response(307, [("location", "https://elsewhere")])))
        #expect(failure?.code == "BackendRedirected")
    }

    // MARK: - Documents

    @Test func aListingHasTheClientsNamesAndS3sNamespace() throws {
        let listing = """
            <?xml version='1.0' encoding='UTF-8'?><ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'>\
            <Name>store-bucket</Name><Prefix>in/</Prefix><MaxKeys>2</MaxKeys><IsTruncated>true</IsTruncated>\
            <NextContinuationToken>opaque</NextContinuationToken><Contents><Key>in/a</Key><Generation>1</Generation>\
            <MetaGeneration>1</MetaGeneration><LastModified>2023-01-01T00:00:00.000Z</LastModified><ETag>"e"</ETag>\
            <Size>5</Size></Contents><Contents><Key>in/.hid/x</Key><Size>1</Size></Contents></ListBucketResult>
            """
        let told = try document(
            try answer("GET /bkt?list-type=2", response(200), from: googleBackend(prefix: "in", hidden: ".hid/")),
            listing
        )
        #expect(told.value("Name") == "bkt")
        #expect(told.attributes["xmlns"] == "http://s3.amazonaws.com/doc/2006-03-01/")
        #expect(told.children(named: "Contents").map { $0.value("Key") } == ["a"])
        #expect(told.child("Contents")?.child("Generation") == nil)
        #expect(told.value("NextContinuationToken") != "opaque")
    }

    @Test func resultsOfUploadsAndCopiesHaveTheClientsNames() throws {
        let begun = try document(
            try answer("POST /bkt/k?uploads", response(200), from: googleBackend(prefix: "in")),
            "<InitiateMultipartUploadResult><Bucket>store-bucket</Bucket><Key>in/k</Key><UploadId>u</UploadId>"
                + "</InitiateMultipartUploadResult>"
        )
        #expect(["Bucket", "Key", "UploadId"].map { begun.value($0) } == ["bkt", "k", "u"])
        let completed = try document(
            try answer("POST /bkt/k?uploadId=u", response(200)),
            "<CompleteMultipartUploadResult><Location>http://store</Location><Bucket>store-bucket</Bucket><Key>k</Key>"
                + "<ETag>\"e-2\"</ETag></CompleteMultipartUploadResult>"
        )
        #expect(completed.value("Location") == "https://files.example.com/bkt/k")
        #expect(completed.value("ETag") == "\"e-2\"")
        let failed = failure(try answer("POST /bkt/k?uploadId=u", response(200)), error("InvalidPart"))
        #expect(failed?.code == "InvalidPart")
    }

    @Test(arguments: ["", "<html/>", "<ListBucketResult>", "<!DOCTYPE a><ListBucketResult/>"])
    func whatIsNoListingIsABadAnswer(_ body: String) throws {
        #expect(failure(try answer("GET /bkt?list-type=2", response(200)), body)?.code == "BackendBadAnswer")
    }
}
