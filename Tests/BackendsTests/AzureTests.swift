import HTTP1
import S3API
import Signatures
import Testing
import WireFormats

@testable import Backends

@Suite("Azure: S3's operations in its words, and its answers in S3's")
struct AzureTests {
    private static let signer = SharedKeySigner(account: "acct", key: Secret("c2VjcmV0"))
    private static let token = "token-of-the-account"

    private enum By { case sharedKey, bearer, nobody }

    private func azure(prefix: String = "", by: By = .sharedKey, container: String = "pics") throws -> AzureBackend {
        let credential: AzureCredential =
            switch by {
            case .sharedKey: .sharedKey(try #require(Self.signer))
            case .bearer: .bearer(Secret(Self.token), delegation: nil)
            case .nobody: .anonymous
            }
        return AzureBackend(
            account: "acct",
            container: container,
            endpoint: try #require(Endpoint(url: "http://blobs:10000")),
            prefix: prefix,
            credential: credential,
            hidden: Array(".gatehouse/quarantine/".utf8)
        )
    }

    private func exchange(
        _ method: String,
        _ target: String,
        _ fields: [(String, String)] = [],
        at backend: AzureBackend,
        body: OutgoingBody = .none,
        from source: AzureBackend? = nil
    ) throws -> Exchange {
        let incoming = try Incoming(method, target, fields)
        return try backend.exchange(
            for: incoming.request,
            head: incoming.head,
            body: body,
            copyingFrom: source,
            view: ClientView(region: "us-east-1", publicURL: "http://gatehouse"),
            at: noon
        )
    }

    private func head(_ status: Int, _ fields: [(String, String)] = []) -> ResponseHead {
        var block = FieldBlock()
        for (name, value) in fields { block.append(name.utf8, value.utf8) }
        return ResponseHead(status: status, fields: block, framing: .length(0))
    }

    private func complete(_ answer: S3Answer, _ body: String = "") throws -> S3CompleteAnswer {
        guard case .collect(_, let then) = answer else { throw S3Error(.internalError, "not read whole") }
        return then(Array(body.utf8))
    }

    private func next(_ answer: S3Answer, _ body: String = "") throws -> Exchange {
        guard case .ask(let exchange) = try complete(answer, body) else {
            throw S3Error(.internalError, "no more asked")
        }
        return exchange
    }

    private func document(_ answer: S3Answer, _ body: String = "") throws -> XMLNode {
        guard case .document(200, _, let bytes) = try complete(answer, body) else {
            throw S3Error(.internalError, "no document")
        }
        return try XMLReader.parse(bytes)
    }

    private func target(_ request: OutgoingRequest) -> String {
        String(decoding: request.path + [UInt8(ascii: "?")] + request.query, as: UTF8.self)
    }

    // MARK: - Names

    @Test(arguments: [
        ("foo", "foo"), ("foo-bar", "foo_bar"), ("foo_bar", "foo_x5fbar"), ("1st", "_x31st"), ("a-x41", "a_x2dx41"),
        ("a--b", "a__b"), ("a.b", "a_x2eb"), ("x", "x"), ("-x", "_x2dx"), ("a-", "a_"),
        ("gatehouse-xparts", "gatehouse_x2dxparts"),
        ("v1.2-beta", "v1_x2e2_beta"),
    ])
    func metadataNamesComeBack(_ name: String, _ stored: String) throws {
        let made = AzureMetadata.stored(name: Array(name.utf8)[...])
        #expect(String(decoding: made, as: UTF8.self) == stored)
        #expect(AzureMetadata.shown(name: made[...]) == Array(name.utf8))
    }

    @Test(arguments: [AzureMetadata.parts, AzureMetadata.key, AzureMetadata.expires])
    func ownMetadataIsNobodyElses(_ field: StaticString) {
        #expect(AzureMetadata.shown(name: Array(field.description.dropFirst("x-ms-meta-".count).utf8)[...]) == nil)
    }

    @Test(
        "Names that no client of S3's could have sent are not shown, whoever gave them to the store",
        arguments: [
            "z_x0d_x0aset_x2dcookie_x3a_x20a", "b_xffa_x00c", "a_x3a", "a_x20b", "a_x", "a_xg0", "a_x4", "a_x41",
            "foo_x2dbar", "foo_x62ar", "",
        ]
    )
    func namesOfNoClient(name: String) {
        #expect(AzureMetadata.shown(name: Array(name.utf8)[...]) == nil)
    }

    @Test("Names that other programs gave are shown as S3's clients would write them")
    func namesOfOthers() {
        #expect(AzureMetadata.shown(name: Array("Album_Name".utf8)[...]) == Array("album-name".utf8))
        #expect(AzureMetadata.shown(name: Array("a_X2Eb".utf8)[...]) == Array("a.b".utf8))
    }

    @Test("A number of parts that can't be is none")
    func counts() {
        for text in ["0", "10001", "-7", "7x", "", "99999999999"] {
            #expect(AzureMetadata.count(Array(text.utf8)) == nil, "\(text)")
        }
        #expect(AzureMetadata.count(Array("10000".utf8)) == 10_000)
    }

    @Test func etagsHaveANumberAndLeadBack() {
        #expect(AzureETag.shown("\"0x8DCF6\"", parts: nil) == "\"8DCF6-1\"")
        #expect(AzureETag.shown("0x8DCF6", parts: 1200) == "\"8DCF6-1200\"")
        #expect(AzureETag.stored(Array("\"8DCF6-1200\"".utf8)[...]) == "\"0x8DCF6\"")
        #expect(AzureETag.stored(Array("*".utf8)[...]) == "*")
        #expect(AzureETag.stored(Array("\"a-1\", \"b-1\"".utf8)[...]) == nil)
    }

    // MARK: - Objects

    @Test func putIsOneSignedPutBlob() throws {
        let put = try exchange(
            "PUT",
            "/bkt/a%20b",
            [
                ("content-length", "5"), ("content-type", "text/plain"), ("content-encoding", "aws-chunked,gzip"),
                ("x-amz-meta-foo-bar", "1"), ("x-amz-meta-u", "ü"), ("if-none-match", "*"), ("expires", "0"),
            ],
            at: try azure(prefix: "v2"),
            body: .stream(length: 5, hash: .unsigned)
        )
        #expect(target(put.request) == "/pics/v2/a%20b?")
        let fields = put.request.fields
        #expect(fields.string("x-ms-blob-type") == "BlockBlob")
        #expect(fields.string("x-ms-blob-content-type") == "text/plain")
        #expect(fields.string("x-ms-blob-content-encoding") == "gzip")
        #expect(fields.string("x-ms-meta-foo_bar") == "1")
        #expect(fields.string("x-ms-meta-u") == "=?UTF-8?B?w7w=?=")
        #expect(fields.string("if-none-match") == "*")
        #expect(fields.string("x-ms-meta-gatehouse_xexpires") == "0")
        #expect(fields.string("content-length") == "5")
        #expect(fields.string("authorization")?.hasPrefix("SharedKey acct:") == true)
        guard case .carried = put.body, case .stream(200, let told) = put.answer(head(201, [("ETag", "\"0x8D1\"")]))
        else {
            Issue.record("not carried")
            return
        }
        #expect(told.string("etag") == "\"8D1-1\"")
    }

    @Test(arguments: [
        ("x-amz-tagging", "a=b", S3Error.Code.notImplemented),
        ("x-amz-acl", "public-read", .accessControlListNotSupported),
        ("x-amz-storage-class", "GLACIER", .invalidStorageClass),
        ("x-amz-object-lock-mode", "GOVERNANCE", .notImplemented),
        ("x-amz-server-side-encryption", "aws:kms", .notImplemented), ("if-match", "\"a-1\", \"b-1\"", .notImplemented),
    ])
    func nothingIsLostInSilence(_ name: String, _ value: String, _ code: S3Error.Code) throws {
        let backend = try azure()
        let error = #expect(throws: S3Error.self) {
            try exchange(
                "PUT",
                "/bkt/k",
                [("content-length", "1"), (name, value)],
                at: backend,
                body: .stream(length: 1, hash: .unsigned)
            )
        }
        #expect(error?.code == code)
    }

    @Test func whatIsTooLongForOneBlobIsRefused() throws {
        let backend = try azure()
        let error = #expect(throws: S3Error.self) {
            try exchange("PUT", "/bkt/k", at: backend, body: .stream(length: 5000 << 20 + 1, hash: .unsigned))
        }
        #expect(error?.code == .entityTooLarge)
    }

    @Test(arguments: ["GET", "PUT", "DELETE"])
    func statesOfUploadsAreOutOfReach(_ method: String) throws {
        let backend = try azure()
        let error = #expect(throws: S3Error.self) {
            try exchange(
                method,
                "/bkt/.gatehouse/uploads/00",
                at: backend,
                body: method == "PUT" ? .stream(length: 1, hash: .unsigned) : .none
            )
        }
        #expect(error?.code == .accessDenied)
    }

    @Test func readingTellsS3sFields() throws {
        let get = try exchange(
            "GET",
            "/bkt/k?response-content-type=image%2Fpng",
            [("range", "bytes=5-9"), ("if-match", "\"8D1-3\"")],
            at: try azure()
        )
        #expect(get.request.fields.string("x-ms-range") == "bytes=5-9")
        #expect(get.request.fields.string("if-match") == "\"0x8D1\"")
        let answer = get.answer(
            head(
                206,
                [
                    ("ETag", "\"0x8D1\""), ("Content-Type", "text/plain"), ("x-ms-meta-foo_bar", "1"),
                    ("x-ms-meta-gatehouse_xparts", "3"), ("x-ms-request-id", "secret"), ("Content-MD5", "x"),
                    ("Content-Range", "bytes 5-9/100"),
                ]
            )
        )
        guard case .stream(206, let fields) = answer else {
            Issue.record("not streamed")
            return
        }
        #expect(fields.string("etag") == "\"8D1-3\"")
        #expect(fields.string("content-type") == "image/png")
        #expect(fields.string("x-amz-meta-foo-bar") == "1")
        #expect(fields.string("content-range") == "bytes 5-9/100")
        #expect(fields.entries.count == 4)
    }

    @Test func theEndIsReadOnceItsPlaceIsKnown() throws {
        let asking = try exchange("GET", "/bkt/k", [("range", "bytes=-10")], at: try azure())
        #expect(asking.request.method == .head)
        let get = try next(asking.answer(head(200, [("Content-Length", "100"), ("ETag", "\"0x8D1\"")])))
        #expect(get.request.method == .get)
        #expect(get.request.fields.string("x-ms-range") == "bytes=90-")
        #expect(get.request.fields.string("if-match") == "\"0x8D1\"")
    }

    @Test(arguments: ["bytes=5", "bytes=9-5", "bytes=a-b", "items=0-1", "bytes=0-1,3-4"])
    func whatIsNoRangeIsNone(_ range: String) throws {
        let get = try exchange("GET", "/bkt/k", [("range", range)], at: try azure())
        #expect(get.request.fields.first("x-ms-range") == nil)
    }

    @Test(arguments: [
        (404, "BlobNotFound", 404, "NoSuchKey"), (404, "ContainerNotFound", 404, "NoSuchBucket"),
        (412, "ConditionNotMet", 412, "PreconditionFailed"), (409, "BlobAlreadyExists", 412, "PreconditionFailed"),
        (403, "AuthenticationFailed", 502, "BackendAuthFailed"),
        (401, "InvalidAuthenticationInfo", 502, "BackendAuthFailed"),
        (403, "AuthorizationPermissionMismatch", 403, "AccessDenied"), (416, "InvalidRange", 416, "InvalidRange"),
        (400, "Md5Mismatch", 400, "BadDigest"), (503, "ServerBusy", 503, "SlowDown"),
        (302, "", 502, "BackendRedirected"),
        (400, "SomethingNew", 400, "InvalidRequest"),
    ])
    func refusalsAreS3s(_ status: Int, _ code: String, _ shown: Int, _ name: String) throws {
        let get = try exchange("GET", "/bkt/k", at: try azure())
        guard case .failure(let failure, _) = get.answer(head(status, [("x-ms-error-code", code)])) else {
            Issue.record("no failure")
            return
        }
        #expect(failure.status == shown)
        #expect(failure.code == name)
    }

    @Test func deletingWhatIsNotThereIsNoFailure() throws {
        let delete = try exchange("DELETE", "/bkt/k", at: try azure())
        for answer in [head(202), head(404, [("x-ms-error-code", "BlobNotFound")])] {
            guard case .document(204, _, _) = try complete(delete.answer(answer)) else {
                Issue.record("not deleted")
                continue
            }
        }
        guard case .failure(let failure, _) = delete.answer(head(404, [("x-ms-error-code", "ContainerNotFound")]))
        else {
            Issue.record("no failure")
            return
        }
        #expect(failure.code == "NoSuchBucket")
    }

    @Test func aBatchIsDeletedOneByOne() throws {
        let entries = [
            DeleteRequest.Entry(key: ObjectKey("a")),
            DeleteRequest.Entry(key: ObjectKey("b"), versionID: "1"),
            DeleteRequest.Entry(key: ObjectKey("c"), conditions: [.etag: "\"8D1-1\""]),
        ]
        let first = try exchange("POST", "/bkt?delete", at: try azure(), body: .deletion(entries))
        #expect(target(first.request) == "/pics/a?")
        let second = try next(first.answer(head(202)))
        #expect(target(second.request) == "/pics/c?")
        #expect(second.request.fields.string("if-match") == "\"0x8D1\"")
        let result = try document(second.answer(head(412, [("x-ms-error-code", "ConditionNotMet")])))
        #expect(result.children(named: "Deleted").map { $0.value("Key") } == ["a"])
        #expect(result.children(named: "Error").map { $0.value("Code") } == ["NotImplemented", "PreconditionFailed"])
    }

    // MARK: - Uploads

    @Test func anUploadGoesFromItsStateToAListOfBlocks() throws {
        let backend = try azure(prefix: "v2")
        let begin = try exchange(
            "POST",
            "/bkt/k?uploads",
            [("content-type", "image/png"), ("x-amz-meta-a", "1")],
            at: backend
        )
        #expect(target(begin.request).hasPrefix("/pics/v2/.gatehouse/uploads/"))
        #expect(begin.request.fields.string("if-none-match") == "*")
        let id = try #require(try document(begin.answer(head(201))).value("UploadId"))
        let part = try exchange(
            "PUT",
            "/bkt/k?partNumber=2&uploadId=\(id)",
            [("content-length", "5")],
            at: backend,
            body: .stream(length: 5, hash: .unsigned)
        )
        #expect(target(part.request).hasPrefix("/pics/v2/k?blockid="))
        guard case .stream(200, let told) = part.answer(head(201)) else {
            Issue.record("no part")
            return
        }
        let etag = try #require(told.string("etag"))
        let body =
            "<CompleteMultipartUpload><Part><PartNumber>2</PartNumber><ETag>\(etag)</ETag></Part></CompleteMultipartUpload>"
        let completion = try exchange(
            "POST",
            "/bkt/k?uploadId=\(id)",
            [("if-none-match", "*")],
            at: backend,
            body: .document(Array(body.utf8))
        )
        #expect(completion.request.method == .head)
        #expect(completion.request.path == begin.request.path)
        let commit = try next(
            completion.answer(
                head(200, [("Content-Type", "image/png"), ("x-ms-meta-a", "1"), ("x-ms-meta-gatehouse_xkey", "aw")])
            )
        )
        #expect(target(commit.request) == "/pics/v2/k?comp=blocklist")
        #expect(commit.request.fields.string("x-ms-blob-content-type") == "image/png")
        #expect(commit.request.fields.string("x-ms-meta-a") == "1")
        #expect(commit.request.fields.string("x-ms-meta-gatehouse_xparts") == "1")
        #expect(commit.request.fields.first("x-ms-meta-gatehouse_xkey") == nil)
        #expect(commit.request.fields.string("if-none-match") == "*")
        let block = try #require(try XMLReader.parse(commit.document).value("Uncommitted"))
        let sent = try Query(parsing: part.request.query)
        #expect(sent.first("blockid") == Array(block.utf8))
        let removal = try next(commit.answer(head(201, [("ETag", "\"0x8D5\"")])))
        #expect(removal.request.method == .delete)
        #expect(removal.request.path == begin.request.path)
        #expect(try document(removal.answer(head(202))).value("ETag") == "\"8D5-1\"")
    }

    @Test(arguments: ["u", "zz", String(repeating: "0", count: 33)])
    func whatIsNoUploadIsNone(_ id: String) throws {
        let backend = try azure()
        let error = #expect(throws: S3Error.self) {
            try exchange("GET", "/bkt/k?uploadId=\(id)", at: backend)
        }
        #expect(error?.code == .noSuchUpload)
    }

    @Test func anotherKeysUploadIsNotFound() throws {
        let upload = AzureUpload(of: ObjectKey("a"), at: noon)
        #expect(upload.state(of: ObjectKey("a")) != upload.state(of: ObjectKey("b")))
    }

    @Test func theLastBlockOfANumberIsThePart() throws {
        let upload = AzureUpload(of: ObjectKey("k"), at: noon)
        let other = AzureUpload(of: ObjectKey("k"), at: noon + .seconds(1))
        let first = AzureUpload.Part(1, of: upload, at: noon)
        let second = AzureUpload.Part(1, of: upload, at: noon + .seconds(5))
        let foreign = AzureUpload.Part(2, of: other, at: noon)
        #expect(first.block(of: upload).utf8.count == second.block(of: upload).utf8.count)
        let listing = try exchange("GET", "/bkt/k?uploadId=\(upload.name)", at: try azure())
        let asking = try next(listing.answer(head(200)))
        let blocks = [(second, upload, 7), (first, upload, 5), (foreign, other, 9)].map { part, of, size in
            "<Block><Name>\(part.block(of: of))</Name><Size>\(size)</Size></Block>"
        }
        let root = try document(
            asking.answer(head(200)),
            "<BlockList><UncommittedBlocks>\(blocks.joined())</UncommittedBlocks></BlockList>"
        )
        #expect(root.children(named: "Part").map { $0.value("Size") } == ["7"])
        #expect(root.child("Part")?.value("ETag") == second.etag)
    }

    // MARK: - Lists

    private func page(_ names: [String], prefixes: [String] = [], next: String = "") -> String {
        let blobs = names.map {
            "<Blob><Name>\($0)</Name><Properties><Last-Modified>Tue, 14 Nov 2023 22:13:20 GMT</Last-Modified>"
                + "<Etag>0x8D1</Etag><Content-Length>3</Content-Length></Properties></Blob>"
        }
        let folded = prefixes.map { "<BlobPrefix><Name>\($0)</Name></BlobPrefix>" }
        return
            "<EnumerationResults><Blobs>\((blobs + folded).joined())</Blobs><NextMarker>\(next)</NextMarker></EnumerationResults>"
    }

    @Test func aListingGoesOnByItsTokenAndNoOthers() throws {
        let backend = try azure(prefix: "v2")
        let first = try exchange("GET", "/bkt?list-type=2&prefix=a", at: backend)
        let query = try Query(parsing: first.request.query)
        #expect(query.first("prefix") == Array("v2/a".utf8))
        let root = try document(first.answer(head(200)), page(["v2/a1", "v2/a2"], next: "2!4!next"))
        #expect(root.children(named: "Contents").map { $0.value("Key") } == ["a1", "a2"])
        #expect(root.value("IsTruncated") == "true")
        let token = try #require(root.value("NextContinuationToken"))
        #expect(!token.contains("next"))
        let second = try exchange("GET", "/bkt?list-type=2&prefix=a&continuation-token=\(token)", at: backend)
        #expect(try Query(parsing: second.request.query).first("marker") == Array("2!4!next".utf8))
        let error = #expect(throws: S3Error.self) {
            try exchange("GET", "/bkt?list-type=2&prefix=b&continuation-token=\(token)", at: backend)
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test func whatLiesBeforeTheMarkerIsSkipped() throws {
        let first = try exchange("GET", "/bkt?marker=b", at: try azure())
        let second = try next(first.answer(head(200)), page(["a", "b"], next: "m"))
        #expect(try Query(parsing: second.request.query).first("marker") == Array("m".utf8))
        let root = try document(second.answer(head(200)), page(["b", "c"]))
        #expect(root.children(named: "Contents").map { $0.value("Key") } == ["c"])
    }

    @Test func whatIsHiddenIsNotListed() throws {
        let listing = try exchange("GET", "/bkt?list-type=2&delimiter=%2F", at: try azure())
        let root = try document(
            listing.answer(head(200)),
            page(["a", ".gatehouse/uploads/x", ".gatehouse/quarantine/y"], prefixes: [".gatehouse/", "b/"])
        )
        #expect(root.children(named: "Contents").map { $0.value("Key") } == ["a"])
        #expect(root.children(named: "CommonPrefixes").map { $0.value("Prefix") } == ["b/"])
        #expect(root.value("KeyCount") == "2")
    }

    // MARK: - Copies and URLs

    @Test func aCopyReadsItsSourceByAURLThatReads() throws {
        let source = try azure(container: "other")
        let copy = try exchange(
            "PUT",
            "/bkt/new",
            [("x-amz-copy-source", "/src/old"), ("x-amz-copy-source-if-match", "\"8D1-1\"")],
            at: try azure(),
            from: source
        )
        let url = try #require(copy.request.fields.string("x-ms-copy-source"))
        #expect(url.hasPrefix("http://blobs:10000/other/old?"))
        #expect(url.contains("sp=r&") && url.contains("sig="))
        #expect(copy.request.fields.string("x-ms-source-if-match") == "\"0x8D1\"")
        #expect(try azure().canCopy(from: source))
        #expect(!(try azure().canCopy(from: azure(by: .nobody))))
        #expect(!(try azure().canCopy(from: backend())))
    }

    @Test func aBearersTokenGoesAlongWithTheCopyAndIntoNoURL() throws {
        let bearer = try azure(by: .bearer)
        let copy = try exchange("PUT", "/bkt/new", [("x-amz-copy-source", "/bkt/old")], at: bearer, from: bearer)
        #expect(copy.request.fields.string("x-ms-copy-source") == "http://blobs:10000/pics/old")
        #expect(copy.request.fields.string("x-ms-copy-source-authorization") == "Bearer " + Self.token)
        #expect(
            try bearer.presign(
                .get,
                ObjectKey("k"),
                query: Query(),
                fields: FieldBlock(),
                binding: .required,
                for: .seconds(60),
                at: noon
            ) == nil
        )
        let get = try Incoming("GET", "/bkt/k")
        #expect(try bearer.gatewayRequest(for: get.request, head: get.head, payload: .empty, at: noon) == nil)
    }

    /// `sp=r` reads (Microsoft, "Create a service SAS", permissions): there is none to look at the head alone.
    @Test func noURLLooksAtTheHeadAlone() throws {
        let backend = try azure()
        func signed(_ method: HTTPMethod) throws -> PresignedRequest? {
            try backend.presign(
                method,
                ObjectKey("k"),
                query: Query(),
                fields: FieldBlock(),
                binding: .required,
                for: .seconds(60),
                at: noon
            )
        }
        #expect(try signed(.get) != nil && backend.signsURLs(of: .get))
        #expect(try signed(.head) == nil && !backend.signsURLs(of: .head))
    }

    @Test func aURLThatPutsIsForWhatIsLookedAtAfterwards() throws {
        let backend = try azure()
        var fields = FieldBlock()
        fields.append("content-length", "5")
        fields.append("x-amz-meta-a-b", "1")
        func signed(_ binding: FieldBinding) throws -> PresignedRequest? {
            try backend.presign(
                .put,
                ObjectKey("k"),
                query: Query(),
                fields: fields,
                binding: binding,
                for: .seconds(60),
                at: noon
            )
        }
        #expect(try signed(.required) == nil)
        let slot = try #require(try signed(.checkedAfterwards))
        #expect(slot.url.contains("sp=c&"))
        #expect(slot.fields.string("x-ms-blob-type") == "BlockBlob")
        #expect(slot.fields.string("x-ms-meta-a_b") == "1")
    }

    @Test(arguments: [
        ("PUT", "/bkt/k", [("x-amz-meta-a", "1"), ("content-length", "1")]), ("GET", "/bkt/k?partNumber=1", []),
        ("GET", "/bkt?list-type=2", []), ("GET", "/bkt/k", [("if-match", "\"8D1-1\"")]),
        ("PUT", "/bkt/k", [("x-ms-blob-type", "PageBlob"), ("content-length", "1")]),
    ])
    func whatMeansSomethingElseThereNoGatewayCarries(_ method: String, _ target: String, _ fields: [(String, String)])
        throws
    {
        let incoming = try Incoming(method, target, fields)
        let backend = try azure()
        let error = #expect(throws: S3Error.self) {
            try backend.gatewayRequest(for: incoming.request, head: incoming.head, payload: .unsigned, at: noon)
        }
        #expect(error?.code == .notImplemented)
    }

    @Test func aGatewaysReadIsSignedWithItsRange() throws {
        let get = try Incoming("GET", "/bkt/k", [("range", "bytes=0-4")])
        let gateway = try #require(
            try azure().gatewayRequest(for: get.request, head: get.head, payload: .empty, at: noon)
        )
        #expect(gateway.signed.fields.string("range") == "bytes=0-4")
        #expect(gateway.added.map(\.description) == ["authorization", "x-ms-date", "x-ms-version"])
    }
}
