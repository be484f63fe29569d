import HTTP1
import S3API
import Testing
import WireFormats

@testable import Backends

@Suite struct AnswerTests {
    static let view = ClientView(region: "us-east-1", publicURL: "https://files.example.com")

    private func answer(
        _ line: String,
        from store: S3Backend = backend(),
        _ head: ResponseHead,
        fields: [(String, String)] = []
    ) throws -> S3Answer {
        let parts = line.split(separator: " ").map(String.init)
        let incoming = try Incoming(parts[0], parts[1], fields)
        return store.answer(to: incoming.request, head: head, view: Self.view)
    }

    /// The failure that the answer is, or becomes with `body`.
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
        guard case .collect(_, let then) = answer,
            case .document(_, _, let bytes) = then(Array(body.utf8))
        else { throw S3Error(.backendBadAnswer) }
        return try XMLReader.parse(bytes)
    }

    @Test(arguments: [
        "etag", "last-modified", "content-type", "content-range", "accept-ranges", "x-amz-meta-a", "x-amz-version-id",
        "x-amz-server-side-encryption", "cache-control", "content-encoding", "x-amz-checksum-crc32", "date", "expires",
        "content-disposition", "x-amz-storage-class", "x-amz-tagging-count", "x-amz-meta-forwarded", "retry-after",
        "x-amz-delete-marker", "x-amz-restore", "x-amz-expiration", "x-amz-request-charged", "x-amz-missing-meta",
        "x-amz-mp-parts-count", "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-abort-date",
        "x-amz-object-lock-legal-hold", "x-amz-checksum-type", "x-amz-checksum-crc64nvme", "x-amz-replication-status",
        "x-amz-website-redirect-location", "x-amz-server-side-encryption-customer-key-MD5", "x-amz-archive-status",
        "x-amz-server-side-encryption-context", "x-amz-copy-source-version-id", "x-amz-object-size",
        "x-amz-transition-default-minimum-object-size", "x-amz-restore-output-path",
    ])
    func fieldsThatReachTheClient(_ name: String) throws {
        guard case .stream(200, let fields) = try answer("GET /bkt/k", response(200, [(name, "v")])) else {
            Issue.record("not streamed")
            return
        }
        #expect(fields.entries.count == 1)
    }

    @Test(arguments: [
        "Connection", "keep-alive", "transfer-encoding", "content-length", "set-cookie", "Set-Cookie2", "te", "trailer",
        "www-authenticate", "proxy-authenticate", "forwarded", "x-forwarded-for", "x-amz-request-id", "x-amz-id-2",
        "server", "via", "strict-transport-security", "location", "upgrade", "alt-svc",
        "x-amz-bucket-region", "x-amz-bucket-arn", "x-frame-options", "clear-site-data", "authentication-info",
        "x-content-type-options", "cdn-cache-control", "surrogate-control", "x-accel-expires",
    ])
    func fieldsThatDoNot(_ name: String) throws {
        guard case .stream(_, let fields) = try answer("GET /bkt/k", response(200, [(name, "v")])) else {
            Issue.record("not streamed")
            return
        }
        #expect(fields.entries.isEmpty)
    }

    @Test func fieldsThatAConnectionNominatesDoNotReachTheClient() throws {
        let head = response(200, [("connection", "close, X-Secret"), ("x-secret", "v"), ("etag", "e")])
        guard case .stream(_, let fields) = try answer("GET /bkt/k", head) else { return }
        #expect(fields.first("x-secret") == nil && fields.first("etag") != nil)
    }

    @Test(arguments: [
        "GET /bkt/k", "HEAD /bkt/k", "PUT /bkt/k", "DELETE /bkt/k", "PUT /bkt/k?partNumber=1&uploadId=u",
        "GET /bkt/k?tagging", "GET /bkt?versioning", "DELETE /bkt/k?uploadId=u", "GET /store-bucket",
        "GET /store-bucket/k?uploadId=u",
    ])
    func whatNeedsNoChangeStreams(_ line: String) throws {
        guard case .stream = try answer(line, response(200)) else {
            Issue.record("not streamed")
            return
        }
    }

    @Test(arguments: [
        "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "RequestTimeTooSkewed", "InvalidToken",
        "InvalidClientTokenId", "MissingSecurityHeader",
    ])
    func whatTheStoreSaysOfOurCredentialIs502(_ code: String) throws {
        let body = "<Error><Code>\(code)</Code><Message>AKSTORE</Message></Error>"
        let found = try #require(failure(try answer("GET /bkt/k", response(403)), body))
        #expect(found.status == 502 && found.code == "BackendAuthFailed" && found.cause == .credential)
        #expect(found.storeCode == code && !found.message.contains("AKSTORE"))
    }

    @Test(arguments: [
        (403, "AccessDenied", 403), (404, "NoSuchKey", 404), (404, "NoSuchBucket", 404),
        (412, "PreconditionFailed", 412),
        (416, "InvalidRange", 416), (503, "SlowDown", 503), (500, "InternalError", 500), (409, "BucketNotEmpty", 409),
        (404, "NoSuchTagSet", 404), (400, "OnlyTheStoreKnows", 400), (400, "BadDigest", 400),
        (501, "NotImplemented", 501),
    ])
    func otherErrorsStayWhatTheyAre(_ status: Int, _ code: String, _ wanted: Int) throws {
        let body = "<?xml version=\"1.0\"?>\n<Error><Code>\(code)</Code><Message>told</Message><Key>v2/k</Key></Error>"
        let found = try #require(failure(try answer("GET /bkt/k", response(status)), body))
        #expect(found.status == wanted && found.code == code)
        #expect(found.cause == (status == 503 || status == 500 ? .store : .request))
    }

    @Test(arguments: [
        (401, "BackendAuthFailed", 502), (403, "AccessDenied", 403), (404, "NoSuchKey", 404), (429, "SlowDown", 503),
        (500, "InternalError", 500), (502, "BackendBadAnswer", 502), (504, "BackendTimeout", 504),
        (503, "SlowDown", 503), (418, "BackendBadAnswer", 502), (412, "PreconditionFailed", 412),
    ])
    func answersThatAreNoDocument(_ status: Int, _ code: String, _ wanted: Int) throws {
        for body in ["", "<html><body>oops</body></html>", "not xml", "<Error><Code>&lt;x&gt;</Code></Error>"] {
            let found = try #require(failure(try answer("GET /bkt/k", response(status)), body))
            #expect(found.status == wanted && found.code == code, "\(body)")
        }
        let head = try #require(failure(try answer("HEAD /bkt/k", response(status, framing: .none))))
        #expect(head.status == wanted)
    }

    @Test func detailsOfAnErrorAreKeptAsFarAsTheyAreSafe() throws {
        let body = """
            <Error><Code>InvalidObjectState</Code><Message>m</Message><StorageClass>GLACIER</StorageClass>
            <AccessTier>at store:8333</AccessTier><HostId>h</HostId><ArgumentName></ArgumentName></Error>
            """
        let found = try #require(failure(try answer("GET /bkt/k", response(403)), body))
        #expect(found.details.map { "\($0.name)=\($0.value)" } == ["StorageClass=GLACIER"])
    }

    @Test func retryAfterIsKept() throws {
        let head = response(503, [("retry-after", "7")])
        let body = "<Error><Code>SlowDown</Code></Error>"
        #expect(try #require(failure(try answer("GET /bkt/k", head), body)).retryAfter == 7)
        #expect(try #require(failure(try answer("HEAD /bkt/k", head))).retryAfter == 7)
    }

    @Test(arguments: [301, 302, 303, 307, 308]) func redirectsAreNeverPassedOn(_ status: Int) throws {
        let head = response(status, [("location", "http://evil"), ("x-amz-bucket-region", "ap-south-1")])
        let found = try #require(failure(try answer("GET /bkt/k", head)))
        #expect(found.status == 502 && found.cause == .redirect(region: "ap-south-1"))
    }

    @Test func aWrongRegionIsARedirect() throws {
        let body = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-north-1</Region></Error>"
        let found = try #require(failure(try answer("GET /bkt/k", response(400)), body))
        #expect(found.status == 502 && found.cause == .redirect(region: "eu-north-1"))
    }

    @Test(arguments: ["store-bucket", "store:8333", "v2/", "AKSTORE"]) func messagesDoNotTellWhatLiesBehind(
        _ secret: String
    ) throws {
        let body = "<Error><Code>NoSuchKey</Code><Message>missing at \(secret)!</Message></Error>"
        let found = try #require(failure(try answer("GET /bkt/k", from: backend(prefix: "v2"), response(404)), body))
        #expect(found.message == "The specified key does not exist.")
    }

    @Test func notModifiedIsPassed() throws {
        guard case .stream(304, let fields) = try answer("GET /bkt/k", response(304, [("etag", "e")])) else {
            Issue.record("not streamed")
            return
        }
        #expect(fields.string("etag") == "e")
    }

    @Test(arguments: ["POST /bkt/k?uploadId=u", "PUT /bkt/k"]) func anErrorInsideASuccessIsAnError(
        _ line: String
    ) throws {
        let copies = line.hasPrefix("PUT") ? [("x-amz-copy-source", "/bkt/s")] : []
        let body = "  \n<Error><Code>InternalError</Code><Message>m</Message></Error>".trimmingXMLSpace
        let found = try #require(failure(try answer(line, response(200), fields: copies), body))
        #expect(found.status == 500 && found.code == "InternalError")
        let slow = "<Error><Code>SlowDown</Code></Error>"
        #expect(try #require(failure(try answer(line, response(200), fields: copies), slow)).status == 503)
    }

    /// Stores send white space while they work, before the declaration too.
    @Test(arguments: ["", " ", "\n\n \r\n\t"]) func whiteSpaceBeforeADocumentIsNotOfIt(_ space: String) throws {
        let error = space + "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n  <Error><Code>InternalError</Code></Error>"
        let late = try #require(failure(try answer("POST /bkt/k?uploadId=u", response(200)), error))
        #expect(late.code == "InternalError")
        let done =
            space
            + "<?xml version=\"1.0\"?> <CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
        #expect(try document(try answer("POST /bkt/k?uploadId=u", response(200)), done).value("ETag") == "e")
        let refused = space + "<?xml version=\"1.0\"?><Error><Code>NoSuchUpload</Code></Error>"
        #expect(try #require(failure(try answer("GET /bkt/k", response(404)), refused)).code == "NoSuchUpload")
    }

    @Test func aNewBucketIsAtTheClientsAddress() throws {
        let head = response(200, [("location", "http://store:8333/bkt"), ("x-amz-request-charged", "requester")])
        guard case .stream(200, let fields) = try answer("PUT /bkt", head) else {
            Issue.record("not streamed")
            return
        }
        #expect(fields.string("location") == "/bkt" && fields.count(of: "location") == 1)
        #expect(fields.string("x-amz-request-charged") == "requester")
    }

    @Test(arguments: ["x-amz-delete-marker", "x-amz-version-id", "allow", "x-amz-request-charged"])
    func fieldsThatComeWithAnError(_ name: String) throws {
        let head = response(405, [(name, "v"), ("x-other", "v")], framing: .none)
        guard case .failure(_, let fields) = try answer("HEAD /bkt/k?versionId=1", head) else {
            Issue.record("no failure")
            return
        }
        #expect(String(decoding: fields.bytes, as: UTF8.self).contains(name) && fields.entries.count == 1)
    }

    @Test func aPolicyIsShownUnderTheClientsName() throws {
        let stored = #"{"Statement":[{"Resource":["arn:aws:s3:::store-bucket","arn:aws:s3:::store-bucket/a*"]}]}"#
        guard case .collect(_, let then) = try answer("GET /bkt?policy", response(200)),
            case .document(200, _, let shown) = then(Array(stored.utf8))
        else {
            Issue.record("not rewritten")
            return
        }
        #expect(
            String(decoding: shown, as: UTF8.self)
                == #"{"Statement":[{"Resource":["arn:aws:s3:::bkt","arn:aws:s3:::bkt/a*"]}]}"#
        )
        let other = #"{"Statement":[{"Resource":"arn:aws:s3:::store-*"}]}"#
        let found = try #require(failure(try answer("GET /bkt?policy", response(200)), other))
        #expect(found.status == 501 && !found.message.contains("store"))
        guard case .stream = try answer("GET /store-bucket?policy", response(200)) else {
            Issue.record("a policy under its own name is changed")
            return
        }
    }

    @Test func completionsNameTheClientsAddress() throws {
        let body = """
            <CompleteMultipartUploadResult><Location>http://store:8333/store-bucket/v2/a b</Location>
            <Bucket>store-bucket</Bucket><Key>v2/a b</Key><ETag>"e-2"</ETag><New>1</New></CompleteMultipartUploadResult>
            """
        let root = try document(
            try answer("POST /bkt/a%20b?uploadId=u", from: backend(prefix: "v2"), response(200)),
            body
        )
        #expect(root.value("Location") == "https://files.example.com/bkt/a%20b")
        #expect(root.value("Bucket") == "bkt" && root.value("Key") == "a b")
        #expect(root.value("ETag") == "\"e-2\"" && root.value("New") == "1")
    }

    @Test func locationsAreTheRegionThatClientsSignFor() throws {
        let body = "<LocationConstraint>eu-west-1</LocationConstraint>"
        #expect(try document(try answer("GET /bkt?location", response(200)), body).text == "")
    }

    @Test func aBucketsRegionIsTheOneThatClientsSignFor() throws {
        let head = response(200, [("x-amz-bucket-region", "eu-west-1")], framing: .none)
        guard case .stream(200, let fields) = try answer("HEAD /bkt", head) else {
            Issue.record("not streamed")
            return
        }
        #expect(fields.count(of: "x-amz-bucket-region") == 1)
        #expect(fields.string("x-amz-bucket-region") == "us-east-1")
    }

    @Test func aSuccessThatIsNoDocumentIsABadAnswer() throws {
        for body in ["", "<html/>", "<ListBucketResult>", "garbage"] {
            let found = try #require(failure(try answer("GET /bkt", response(200)), body))
            #expect(found.status == 502 && found.cause == .store)
        }
    }
}
