import S3API
import Testing
import WireFormats

@Suite struct DocumentTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test(arguments: S3Error.Code.allCases) func everyCodeIsWhole(_ code: S3Error.Code) {
        #expect((300...599).contains(code.status))
        #expect(!code.name.isEmpty && !code.message.isEmpty)
        #expect(S3Error.Code(named: code.name)?.name == code.name)
    }

    @Test func slowDownIs429FromUsAnd503FromStores() {
        #expect(S3Error(.tooManyRequests).status == 429)
        #expect(S3Error.Code(named: "SlowDown")?.status == 503)
    }

    @Test(arguments: NastyKeys.inXML) func errorsNameTheKeyFaithfully(_ key: String) throws {
        let bytes = ErrorDocument.xml(S3Error(.noSuchKey), resource: Array("/bkt/\(key)".utf8), requestID: "ID")
        let root = try XMLReader.parse(bytes)
        #expect(root.name == "Error")
        #expect(root.value("Code") == "NoSuchKey")
        #expect(root.value("BucketName") == "bkt")
        #expect(root.child("Key").map { Array($0.text.utf8) } == Array(key.utf8))
        let json = text(ErrorDocument.json(S3Error(.noSuchKey), resource: Array("/bkt/\(key)".utf8), requestID: "ID"))
        #expect(json.hasPrefix(#"{"error":{"code":"NoSuchKey","message":""#))
        #expect(!json.contains("<") && !json.contains("\n"))
    }

    @Test(arguments: NastyKeys.inXML) func deletionsKeepTheKey(_ key: String) throws {
        let request = DeleteRequest(entries: [.init(key: ObjectKey(key), versionID: "v")], quiet: true)
        let again = try DeleteRequest(parsing: request.document())
        #expect(again.entries == request.entries)
        #expect(again.quiet)
        let result = DeleteResult(
            deleted: [.init(key: ObjectKey(key), deleteMarker: true)],
            failures: [.init(key: ObjectKey(key), S3Error(.accessDenied))]
        )
        let read = try #require(DeleteResult(parsing: result.document()))
        #expect(read.deleted == result.deleted && read.failures == result.failures)
    }

    @Test(arguments: [
        "", "<Delete/>", "<Delete><Object/></Delete>", "<Delete><Object><Key></Key></Object></Delete>",
        "<Other><Object><Key>a</Key></Object></Other>", "<Delete><Object><Key>a</Key></Object>",
        "<!DOCTYPE d [<!ENTITY x \"a\">]><Delete><Object><Key>&x;</Key></Object></Delete>",
        "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>", "<Delete><Unknown/></Delete>",
        "<Delete><Object><Key>a</Key><X/></Object></Delete>",
    ])
    func deletionsThatAreNoDocument(_ document: String) {
        #expect(code { try DeleteRequest(parsing: Array(document.utf8)) } == .malformedXML)
    }

    @Test func deletionsAreBounded() {
        let object = "<Object><Key>a</Key></Object>"
        let many = "<Delete>" + String(repeating: object, count: 1001) + "</Delete>"
        #expect(code { try DeleteRequest(parsing: Array(many.utf8)) } == .malformedXML)
        let full = "<Delete>" + String(repeating: object, count: 1000) + "</Delete>"
        #expect(throws: Never.self) { try DeleteRequest(parsing: Array(full.utf8)) }
    }

    @Test func aDeletionCannotClimb() {
        let document = "<Delete><Object><Key>a/../b</Key></Object></Delete>"
        #expect(code { try DeleteRequest(parsing: Array(document.utf8)) } == .invalidURI)
    }

    @Test func completionsAreInOrder() throws {
        func parse(_ numbers: [Int]) throws -> [Int] {
            let parts = numbers.map { "<Part><PartNumber>\($0)</PartNumber><ETag>\"e\"</ETag></Part>" }
            let document = "<CompleteMultipartUpload>\(parts.joined())</CompleteMultipartUpload>"
            return try CompletionRequest(parsing: Array(document.utf8)).parts.map(\.number)
        }
        #expect(try parse([1, 2, 10_000]) == [1, 2, 10_000])
        #expect(try parse(Array(1...10_000)).count == 10_000)
        #expect(code { try parse([2, 1]) } == .invalidPartOrder)
        #expect(code { try parse([1, 1]) } == .invalidPartOrder)
        #expect(code { try parse([0]) } == .invalidArgument)
        #expect(code { try parse([10_001]) } == .invalidArgument)
        #expect(code { try parse([]) } == .malformedXML)
    }

    @Test(
        "Of two numbers, a limit would look at one part and the store take another",
        arguments: [
            "<PartNumber>1</PartNumber><PartNumber>2</PartNumber><ETag>a</ETag>", "<PartNumber>1</PartNumber>",
            "<PartNumber>1</PartNumber><ETag>a</ETag><ETag>b</ETag>", "<ETag>a</ETag>",
            "<PartNumber>+1</PartNumber><ETag>a</ETag>",
        ]
    )
    func aPartIsNamedOnce(_ part: String) {
        let document = Array("<CompleteMultipartUpload><Part>\(part)</Part></CompleteMultipartUpload>".utf8)
        #expect(code { try CompletionRequest(parsing: document) } == .malformedXML)
        #expect(code { try S3Operation.completeMultipartUpload.checkDocument(document) } == .malformedXML)
    }

    @Test(arguments: NastyKeys.all) func listingsWriteEveryKey(_ key: String) throws {
        for encoding in NastyKeys.inXML.contains(key) ? [ListingEncoding.plain, .url] : [.url] {
            let bucket = try #require(BucketName(validating: "bkt"))
            let listing = ObjectListing(
                bucket: bucket,
                prefix: [],
                delimiter: nil,
                maxKeys: 1,
                encoding: encoding,
                paging: .v1(marker: [], next: Array(key.utf8)),
                isTruncated: true,
                objects: [
                    .init(key: Array(key.utf8), size: 1, etag: "\"e\"", modified: Instant(secondsSince1970: 0))
                ],
                commonPrefixes: []
            )
            let root = try XMLReader.parse(listing.document())
            let written = try #require(root.child("Contents")?.child("Key")?.text)
            #expect(encoding.decode(written) == Array(key.utf8))
            #expect(root.child("NextMarker").map { encoding.decode($0.text) } == Array(key.utf8))
        }
    }

    @Test func bucketListsRoundTrip() throws {
        let list = BucketList(entries: [.init(name: "a-b"), .init(name: "c.d")], owner: "me")
        let read = try #require(BucketList(parsing: list.document()))
        #expect(read.entries == list.entries)
    }

    @Test func locationsAreEmptyForTheFirstRegion() throws {
        #expect(try XMLReader.parse(UploadResults.location(region: "us-east-1")).text == "")
        #expect(try XMLReader.parse(UploadResults.location(region: "eu-west-1")).text == "eu-west-1")
    }

    @Test func unknownElementsSurviveATree() throws {
        let source = #"<A xmlns="urn:u"><B c="1&amp;2">x &lt; y</B><New><Deep/></New></A>"#
        let written = text(try XMLReader.parse(Array(source.utf8)).document())
        #expect(written.contains(#"<A xmlns="urn:u"><B"#))
        #expect(written.contains("<New><Deep></Deep></New>"))
        #expect(written.contains(#"<B c="1&amp;2">x &lt; y</B>"#), "\(written)")
    }

    @Test(
        arguments: [
            (S3Operation.putBucketNotification, "<NotificationConfiguration/>", nil),
            (
                .putBucketNotification,
                "<NotificationConfiguration><QueueConfiguration/></NotificationConfiguration>", .notImplemented
            ),
            (.restoreObject, "<RestoreRequest><Days>1</Days></RestoreRequest>", nil),
            (.restoreObject, "<RestoreRequest><OutputLocation/></RestoreRequest>", .notImplemented),
            (.restoreObject, "<RestoreRequest><x:OutputLocation xmlns:x='u'/></RestoreRequest>", .notImplemented),
            (.restoreObject, "<RestoreRequest><Type>SELECT</Type></RestoreRequest>", .notImplemented),
            (.restoreObject, "<RestoreRequest><SelectParameters/></RestoreRequest>", .notImplemented),
            (
                .restoreObject,
                "<RestoreRequest><Days>1</Days><GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters></RestoreRequest>",
                nil
            ),
            (.restoreObject, "", nil),
            (
                .putBucketNotification,
                "<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>", .notImplemented
            ),
            (.putObjectTagging, "<Tagging><TagSet/></Tagging>", nil), (.putObjectTagging, "<Other/>", .malformedXML),
            (.putObjectTagging, "<!DOCTYPE Tagging><Tagging/>", .malformedXML), (.putObjectTagging, "", .malformedXML),
            (.createBucket, "", nil), (.putObjectACL, "", nil), (.putBucketPolicy, "{}", nil),
            (.createBucket, "<CreateBucketConfiguration><Bucket/></CreateBucketConfiguration>", .notImplemented),
        ] as [(S3Operation, String, S3Error.Code?)]
    )
    func documentsForTheStore(_ operation: S3Operation, _ document: String, _ wanted: S3Error.Code?) {
        #expect(code { try operation.checkDocument(Array(document.utf8)) } == wanted)
    }
}
