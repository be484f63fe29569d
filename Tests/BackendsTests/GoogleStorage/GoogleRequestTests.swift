import HTTP1
import S3API
import Signatures
import Testing
import WireFormats

@testable import Backends

let googleView = ClientView(region: "us-east-1", publicURL: "https://files.example.com")

/// A bucket at Google for tests, named `store-bucket` there.
func googleBackend(
    prefix: String = "",
    credential: GoogleCredential? = nil,
    hidden: String = ""
) -> GoogleBackend {
    GoogleBackend(
        bucketName: "store-bucket",
        prefix: prefix,
        credential: credential
            ?? .hmac(GoogleSigner(identity: "GOOGSTORE", key: .hmac(Secret("store-secret")))),
        hidden: Array(hidden.utf8)
    )
}

extension Incoming {
    func exchange(
        with backend: GoogleBackend,
        body: OutgoingBody = .none,
        copyingFrom source: GoogleBackend? = nil
    ) throws -> Exchange {
        try backend.exchange(
            for: request,
            head: head,
            body: body,
            copyingFrom: source,
            view: googleView,
            at: noon
        )
    }
}

@Suite struct GoogleRequestTests {
    private let stream = OutgoingBody.stream(length: 5, hash: .unsigned)

    private func sent(
        _ line: String,
        _ fields: [(String, String)] = [],
        to backend: GoogleBackend = googleBackend(),
        body: OutgoingBody = .none
    ) throws -> OutgoingRequest {
        let parts = line.split(separator: " ").map(String.init)
        return try Incoming(parts[0], parts[1], fields).exchange(with: backend, body: body).request
    }

    @Test func aReadAsksForTheBytesAsTheyAreKept() throws {
        let request = try sent(
            "GET /bkt/a/b%20c",
            [("range", "bytes=0-3"), ("if-match", "\"e\""), ("accept-encoding", "br")]
        )
        #expect(request.pathText == "/store-bucket/a/b%20c")
        #expect(request.fields.string("accept-encoding") == "gzip")
        #expect(request.fields.string("range") == "bytes=0-3")
        #expect(request.fields.string("if-match") == "\"e\"")
        #expect(request.fields.string("host") == "storage.googleapis.com")
        let authorization = try #require(request.fields.string("authorization"))
        #expect(authorization.hasPrefix("GOOG4-HMAC-SHA256 Credential=GOOGSTORE/20231114/auto/storage/goog4_request, "))
    }

    @Test func nothingOfS3sOwnReachesGoogle() throws {
        let request = try sent(
            "PUT /bkt/k?x-id=PutObject",
            [
                ("x-amz-meta-One", "1"), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
                ("x-amz-date", "20231114T221320Z"),
                ("x-amz-sdk-checksum-algorithm", "CRC32"), ("x-amz-checksum-crc32", "AAAAAA=="),
                ("x-amz-acl", "private"),
                ("x-amz-server-side-encryption", "AES256"), ("x-amz-storage-class", "STANDARD_IA"),
                ("content-encoding", "aws-chunked,gzip"), ("content-type", "text/x"), ("cookie", "c"),
            ],
            body: stream
        )
        #expect(!request.names.contains { $0.hasPrefix("x-amz-") })
        #expect(request.fields.string("x-goog-meta-one") == "1")
        #expect(request.fields.string("x-goog-storage-class") == "NEARLINE")
        #expect(request.fields.string("content-encoding") == "gzip")
        #expect(request.fields.string("content-type") == "text/x")
        #expect(request.fields.string("content-length") == "5")
        #expect(request.fields.first("cookie") == nil)
        #expect(request.queryText.isEmpty)
    }

    @Test func whatGoogleCanHoldABodyToIsTranslated() throws {
        let fields = [("x-amz-checksum-crc32c", "sOO8/Q=="), ("content-md5", "1B2M2Y8AsgTpgAmyMhoPjQ==")]
        let request = try sent("PUT /bkt/k", fields, body: stream)
        #expect(request.fields.string("x-goog-hash") == "crc32c=sOO8/Q==")
        #expect(request.fields.string("content-md5") == "1B2M2Y8AsgTpgAmyMhoPjQ==")
    }

    @Test func aKeyThatMustBeFreeIsGenerationZero() throws {
        let request = try sent("PUT /bkt/k", [("if-none-match", "*")], body: stream)
        #expect(request.fields.string("x-goog-if-generation-match") == "0")
        #expect(request.fields.first("if-none-match") == nil)
        let signed = try #require(request.fields.string("authorization"))
        #expect(signed.contains("x-goog-if-generation-match"))
    }

    @Test(arguments: [
        ("PUT /bkt/k", "if-none-match", "\"etag\""), ("POST /bkt/k?uploadId=u", "if-match", "\"etag\""),
        ("PUT /bkt/k", "x-amz-tagging", "a=1"), ("PUT /bkt/k", "x-amz-acl", "public-read"),
        ("PUT /bkt/k", "x-amz-grant-read", "id=1"), ("PUT /bkt/k", "x-amz-server-side-encryption", "aws:kms"),
        ("PUT /bkt/k", "x-amz-object-lock-mode", "GOVERNANCE"), ("PUT /bkt/k", "x-amz-website-redirect-location", "/x"),
        ("PUT /bkt/k", "expires", "Thu, 01 Dec 2033 16:00:00 GMT"),
        ("PUT /bkt/k", "x-amz-expected-bucket-owner", "111122223333"),
        ("POST /bkt/k?uploads", "x-amz-tagging", "a=1"), ("POST /bkt/k?uploadId=u", "if-none-match", "*"),
        ("GET /bkt/k?versionId=1", "accept", "*/*"), ("DELETE /bkt/k?versionId=1", "accept", "*/*"),
        ("GET /bkt/k?partNumber=1", "accept", "*/*"),
    ])
    func whatGoogleHasNoLikeOfIsRefused(_ line: String, _ name: String, _ value: String) throws {
        let body: OutgoingBody = line.hasPrefix("PUT") ? stream : line.contains("uploadId") ? .document([]) : .none
        let error = #expect(throws: S3Error.self) { try sent(line, [(name, value)], body: body) }
        #expect(error?.code == .notImplemented)
    }

    @Test func anUnknownStorageClassIsRefused() {
        let error = #expect(throws: S3Error.self) {
            try sent("PUT /bkt/k", [("x-amz-storage-class", "ONEZONE_IA")], body: stream)
        }
        #expect(error?.code == .invalidStorageClass)
    }

    @Test func anETagGetsTheQuotesThatAClientLeftOut() throws {
        #expect(try sent("GET /bkt/k", [("if-match", "e0")]).fields.string("if-match") == "\"e0\"")
        #expect(try sent("GET /bkt/k", [("if-none-match", "*")]).fields.string("if-none-match") == "*")
        let date = "Thu, 01 Dec 2033 16:00:00 GMT"
        #expect(try sent("GET /bkt/k", [("if-modified-since", date)]).fields.string("if-modified-since") == date)
        let copy = try sent("PUT /bkt/to", [("x-amz-copy-source", "/bkt/k"), ("x-amz-copy-source-if-match", "e0")])
        #expect(copy.fields.string("x-goog-copy-source-if-match") == "\"e0\"")
    }

    @Test func aRangeUnderAConditionThatGoogleDoesNotKnowIsTheWhole() throws {
        let request = try sent("GET /bkt/k", [("range", "bytes=0-3"), ("if-range", "\"e\"")])
        #expect(request.fields.first("range") == nil)
    }

    @Test func metadataOfACopyAreTheClientsOnlyWhereItReplacesThem() throws {
        let fields = [("x-amz-copy-source", "/bkt/from%20here"), ("content-type", "text/x"), ("x-amz-meta-a", "1")]
        let kept = try sent("PUT /bkt/to", fields)
        #expect(kept.fields.string("x-goog-copy-source") == "/store-bucket/from%20here")
        #expect(kept.fields.first("content-type") == nil)
        #expect(kept.fields.first("x-goog-meta-a") == nil)
        let replaced = try sent(
            "PUT /bkt/to",
            fields + [("x-amz-metadata-directive", "REPLACE"), ("x-amz-copy-source-if-match", "\"e\"")]
        )
        #expect(replaced.fields.string("x-goog-metadata-directive") == "REPLACE")
        #expect(replaced.fields.string("x-goog-copy-source-if-match") == "\"e\"")
        #expect(replaced.fields.string("content-type") == "text/x")
        #expect(replaced.fields.string("content-length") == "0")
    }

    @Test func aListingIsMovedUnderThePrefixWithATokenThatIsBoundToIt() throws {
        let backend = googleBackend(prefix: "in")
        let request = try sent("GET /bkt?list-type=2&prefix=a%2F&delimiter=%2F&max-keys=5000", to: backend)
        #expect(request.queryText == "delimiter=%2F&list-type=2&max-keys=1000&prefix=in%2Fa%2F")
        let foreign = #expect(throws: S3Error.self) {
            try sent("GET /bkt?list-type=2&continuation-token=in%2Fx", to: backend)
        }
        #expect(foreign?.code == .invalidArgument)
    }

    @Test(arguments: [
        ("PUT /bkt/k?partNumber=7&uploadId=u-_", "partNumber=7&uploadId=u-_"),
        ("GET /bkt/k?uploadId=u&max-parts=2&part-number-marker=4", "max-parts=2&part-number-marker=4&uploadId=u"),
        ("DELETE /bkt/k?uploadId=u", "uploadId=u"), ("POST /bkt/k?uploads", "uploads="),
        ("GET /bkt?location", "location="), ("GET /bkt/k?response-content-type=text%2Fx", ""),
    ])
    func queriesSayTheSame(_ line: String, _ query: String) throws {
        #expect(try sent(line, body: line.hasPrefix("PUT") ? stream : .none).queryText == query)
    }

    @Test func keysOfADeletionAreTheStoresAndWhatCantBeAskedStays() throws {
        let entries = [
            DeleteRequest.Entry(key: ObjectKey("a&b")), DeleteRequest.Entry(key: ObjectKey("c"), versionID: "1"),
            DeleteRequest.Entry(key: ObjectKey("d"), conditions: [.etag: "\"e\""]),
        ]
        let exchange = try Incoming("POST", "/bkt?delete")
            .exchange(with: googleBackend(prefix: "in"), body: .deletion(entries))
        #expect(exchange.request.queryText == "delete=")
        let sent = try DeleteRequest(parsing: exchange.document)
        #expect(sent.entries.map(\.key) == [ObjectKey("in/a&b")])
        guard case .collect(_, let then) = exchange.answer(response(200)),
            case .document(_, _, let body) = then(
                Array("<DeleteResult><Deleted><Key>in/a&amp;b</Key></Deleted></DeleteResult>".utf8)
            ), let result = DeleteResult(parsing: body)
        else {
            Issue.record("no document")
            return
        }
        #expect(result.deleted.map(\.key) == [ObjectKey("a&b")])
        #expect(result.failures.map(\.key) == [ObjectKey("c"), ObjectKey("d")])
        #expect(result.failures.allSatisfy { $0.code == "NotImplemented" })
    }

    @Test(arguments: nastyKeys()) func everyKeyIsEncodedOnceAndSigned(_ key: String) throws {
        let encoded = PercentEncoding.encode(Array(key.utf8), keepSlash: .keep)
        guard let incoming = try? Incoming("GET", path: Array("/bkt/".utf8) + encoded) else { return }
        let request = try incoming.exchange(with: googleBackend()).request
        #expect(request.path == Array("/store-bucket/".utf8) + encoded)
    }

    @Test func aTokenIsSentAndNothingElseProves() throws {
        let request = try sent("GET /bkt/k", to: googleBackend(credential: .token(Secret("ya29.token"), signedAs: nil)))
        #expect(request.fields.string("authorization") == "Bearer ya29.token")
        #expect(request.fields.first("x-goog-date") == nil)
        #expect(try sent("GET /bkt/k", to: googleBackend(credential: .anonymous)).fields.first("authorization") == nil)
    }

    // MARK: - Conditions on what is there

    @Test func aDeletionUnderAnETagIsOneOfTheGenerationThatHasIt() throws {
        let exchange = try Incoming("DELETE", "/bkt/k", [("if-match", "\"x\", \"e\"")]).exchange(with: googleBackend())
        #expect(exchange.request.method == .head)
        let there = response(200, [("etag", "\"e\""), ("x-goog-generation", "17")], framing: .none)
        guard case .collect(0, let then) = exchange.answer(there), case .ask(let next) = then([]) else {
            Issue.record("nothing is asked")
            return
        }
        #expect(next.request.method == .delete)
        #expect(next.request.fields.string("x-goog-if-generation-match") == "17")
        let other = response(200, [("etag", "\"other\""), ("x-goog-generation", "17")], framing: .none)
        guard case .failure(let failure, _) = exchange.answer(other) else {
            Issue.record("deletes another")
            return
        }
        #expect(failure.code == "PreconditionFailed")
        guard case .stream(204, _) = exchange.answer(response(404, framing: .none)) else {
            Issue.record("what is not there has been deleted")
            return
        }
    }

    // MARK: - URLs and gateways

    private func fields(_ fields: [(String, String)]) -> FieldBlock {
        var block = FieldBlock()
        for (name, value) in fields { block.append(name.utf8, value.utf8) }
        return block
    }

    @Test func aURLBindsTypeLengthAndThatTheKeyIsFree() throws {
        let wanted = fields([
            ("content-type", "image/png"), ("content-length", "5"), ("if-none-match", "*"), ("x-amz-meta-a", "1"),
        ])
        let signed = try #require(
            try googleBackend(prefix: "in").presign(
                .put,
                ObjectKey("a b"),
                query: Query(),
                fields: wanted,
                binding: .required,
                for: .seconds(60),
                at: noon
            )
        )
        #expect(signed.url.hasPrefix("https://storage.googleapis.com/store-bucket/in/a%20b?X-Goog-Algorithm="))
        #expect(
            signed.url.contains(
                "X-Goog-SignedHeaders=content-type%3Bhost%3Bx-goog-content-length-range%3Bx-goog-if-generation-match"
                    + "%3Bx-goog-meta-a"
            )
        )
        #expect(signed.fields.string("x-goog-content-length-range") == "5,5")
        #expect(signed.fields.string("x-goog-if-generation-match") == "0")
        #expect(signed.fields.string("x-goog-meta-a") == "1")
    }

    @Test func whatNoFieldOfGooglesBindsIsNoURLOfGoogles() throws {
        let sha256 = fields([("x-amz-checksum-sha256", "AAAA")])
        func url(_ binding: FieldBinding) throws -> PresignedRequest? {
            try googleBackend().presign(
                .put,
                ObjectKey("k"),
                query: Query(),
                fields: sha256,
                binding: binding,
                for: .seconds(60),
                at: noon
            )
        }
        #expect(try url(.required) == nil)
        #expect(try url(.checkedAfterwards) != nil)
        #expect(
            try googleBackend(credential: .token(Secret("t"), signedAs: nil)).presign(
                .get,
                ObjectKey("k"),
                query: Query(),
                fields: FieldBlock(),
                binding: .required,
                for: .seconds(60),
                at: noon
            ) == nil
        )
    }

    private func gateway(
        _ line: String,
        _ fields: [(String, String)] = [],
        at backend: GoogleBackend = googleBackend()
    ) throws -> GatewayRequest? {
        let parts = line.split(separator: " ").map(String.init)
        let incoming = try Incoming(parts[0], parts[1], fields)
        return try backend.gatewayRequest(for: incoming.request, head: incoming.head, payload: .unsigned, at: noon)
    }

    @Test func aGatewayGetsASignatureThatHoldsForThisRequestOnly() throws {
        let request = try #require(
            try gateway("PUT /bkt/k", [("if-none-match", "*"), ("x-amz-date", "20231114T221320Z")])
        )
        #expect(
            request.signed.names == [
                "host", "x-goog-if-generation-match", "x-goog-date", "x-goog-content-sha256", "authorization",
            ]
        )
        #expect(request.added.contains { $0.description == "x-goog-if-generation-match" })
    }

    @Test func aBodyWithIfMatchIsPutUnderTheGenerationThatItsETagNames() throws {
        let incoming = try Incoming("PUT", "/bkt/k", [("if-match", "\"e\""), ("content-length", "3")])
        let looking = try incoming.exchange(with: googleBackend(), body: .stream(length: 3, hash: .unsigned))
        #expect(looking.request.method == .head)
        #expect(looking.document.isEmpty)
        func answered(_ status: Int, _ fields: [(String, String)]) -> S3Answer {
            var block = FieldBlock()
            for (name, value) in fields { block.append(name.utf8, value.utf8) }
            return looking.answer(ResponseHead(status: status, fields: block, framing: .none))
        }
        guard case .collect(0, let then) = answered(200, [("etag", "\"e\""), ("x-goog-generation", "42")]),
            case .ask(let putting) = then([]), case .carried = putting.body
        else {
            Issue.record("the body is not put")
            return
        }
        #expect(putting.request.method == .put)
        #expect(putting.request.fields.string("x-goog-if-generation-match") == "42")
        #expect(putting.request.fields.string("content-length") == "3")
        #expect(putting.request.fields.string("authorization")?.contains("x-goog-if-generation-match") == true)
        for (status, fields, code) in [
            (200, [("etag", "\"other\""), ("x-goog-generation", "42")], S3Error.Code.preconditionFailed),
            (200, [("etag", "\"e\"")], .backendBadAnswer), (404, [], .noSuchKey),
        ] {
            guard case .failure(let failure, _) = answered(status, fields) else {
                Issue.record("\(status) \(fields) goes on")
                continue
            }
            #expect(failure.code == code.name)
        }
    }

    @Test func whatSignsForAnAccountElsewhereIsGivenTheTextOfTheURL() throws {
        var fields = FieldBlock()
        fields.append("if-none-match", "*")
        func url(_ credential: GoogleCredential) throws -> UnsignedURL? {
            try googleBackend(credential: credential).unsignedURL(
                .put,
                ObjectKey("k"),
                query: Query(),
                fields: fields,
                binding: .required,
                for: .seconds(60),
                at: noon
            )
        }
        let token = Secret("t")
        let unsigned = try #require(try url(.token(token, signedAs: "a@p.iam.gserviceaccount.com")))
        #expect(unsigned.text.starts(with: "GOOG4-RSA-SHA256\n".utf8))
        let signed = unsigned.signed(by: [1, 2, 3])
        #expect(signed.url.hasPrefix("https://storage.googleapis.com/store-bucket/k?X-Goog-Algorithm=GOOG4-RSA-SHA256"))
        #expect(signed.url.hasSuffix("&X-Goog-Signature=010203"))
        #expect(signed.fields.string("x-goog-if-generation-match") == "0")
        #expect(try url(.token(token, signedAs: nil)) == nil)
        #expect(try url(.anonymous) == nil)
    }

    @Test func aTokenIsNeverGivenToAGateway() throws {
        #expect(try gateway("GET /bkt/k", at: googleBackend(credential: .token(Secret("t"), signedAs: nil))) == nil)
        #expect(try gateway("GET /bkt/k", at: googleBackend(credential: .anonymous)) == nil)
    }

    @Test(arguments: [
        ("PUT /bkt/k", "x-amz-meta-a", "1"), ("PUT /bkt/k", "if-match", "\"e\""), ("GET /bkt", "accept", "*/*"),
        ("GET /bkt/k?versionId=1", "accept", "*/*"), ("PUT /bkt/k?partNumber=1&uploadId=u", "accept", "*/*"),
        ("PUT /bkt/k", "expires", "Thu, 01 Dec 2033 16:00:00 GMT"),
    ])
    func whatHasToBeTranslatedIsNotSignedForAGateway(_ line: String, _ name: String, _ value: String) {
        let error = #expect(throws: S3Error.self) { try gateway(line, [(name, value)]) }
        #expect(error?.code == .notImplemented)
    }
}
