import HTTP1
import S3API
import Testing
import WireFormats

@Suite struct ClassifierTests {
    struct Case: Sendable {
        let method: String
        let target: String
        let operation: S3Operation
        var isCopy = false
        var hasBody = true
    }

    static let cases: [Case] = [
        Case(method: "GET", target: "/", operation: .listBuckets),
        Case(method: "HEAD", target: "/bkt", operation: .headBucket),
        Case(method: "GET", target: "/bkt?location", operation: .getBucketLocation),
        Case(method: "PUT", target: "/bkt", operation: .createBucket),
        Case(method: "DELETE", target: "/bkt", operation: .deleteBucket),
        Case(method: "GET", target: "/bkt", operation: .listObjects),
        Case(method: "GET", target: "/bkt/", operation: .listObjects),
        Case(method: "GET", target: "/bkt?prefix=a&marker=b&max-keys=1", operation: .listObjects),
        Case(method: "GET", target: "/bkt?list-type=2&prefix=a&start-after=b", operation: .listObjectsV2),
        Case(method: "GET", target: "/bkt?versions", operation: .listObjectVersions),
        Case(method: "GET", target: "/bkt?uploads=", operation: .listMultipartUploads),
        Case(method: "POST", target: "/bkt?delete", operation: .deleteObjects),
        Case(method: "POST", target: "/bkt", operation: .postObject),
        Case(method: "GET", target: "/bkt?versioning", operation: .getBucketVersioning),
        Case(method: "PUT", target: "/bkt?versioning", operation: .putBucketVersioning),
        Case(method: "GET", target: "/bkt?tagging", operation: .getBucketTagging),
        Case(method: "PUT", target: "/bkt?tagging", operation: .putBucketTagging),
        Case(method: "DELETE", target: "/bkt?tagging", operation: .deleteBucketTagging),
        Case(method: "GET", target: "/bkt?acl", operation: .getBucketACL),
        Case(method: "PUT", target: "/bkt?acl", operation: .putBucketACL),
        Case(method: "GET", target: "/bkt?cors", operation: .getBucketCORS),
        Case(method: "PUT", target: "/bkt?cors", operation: .putBucketCORS),
        Case(method: "DELETE", target: "/bkt?cors", operation: .deleteBucketCORS),
        Case(method: "GET", target: "/bkt?lifecycle", operation: .getBucketLifecycle),
        Case(method: "PUT", target: "/bkt?lifecycle", operation: .putBucketLifecycle),
        Case(method: "DELETE", target: "/bkt?lifecycle", operation: .deleteBucketLifecycle),
        Case(method: "GET", target: "/bkt?policy", operation: .getBucketPolicy),
        Case(method: "PUT", target: "/bkt?policy", operation: .putBucketPolicy),
        Case(method: "DELETE", target: "/bkt?policy", operation: .deleteBucketPolicy),
        Case(method: "GET", target: "/bkt?policyStatus", operation: .getBucketPolicyStatus),
        Case(method: "GET", target: "/bkt?notification", operation: .getBucketNotification),
        Case(method: "PUT", target: "/bkt?notification", operation: .putBucketNotification),
        Case(method: "GET", target: "/bkt?object-lock", operation: .getBucketObjectLock),
        Case(method: "PUT", target: "/bkt?object-lock", operation: .putBucketObjectLock),
        Case(method: "GET", target: "/bkt?encryption", operation: .getBucketEncryption),
        Case(method: "PUT", target: "/bkt?encryption", operation: .putBucketEncryption),
        Case(method: "DELETE", target: "/bkt?encryption", operation: .deleteBucketEncryption),
        Case(method: "GET", target: "/bkt?website", operation: .getBucketWebsite),
        Case(method: "PUT", target: "/bkt?website", operation: .putBucketWebsite),
        Case(method: "DELETE", target: "/bkt?website", operation: .deleteBucketWebsite),
        Case(method: "GET", target: "/bkt?ownershipControls", operation: .getBucketOwnership),
        Case(method: "PUT", target: "/bkt?ownershipControls", operation: .putBucketOwnership),
        Case(method: "DELETE", target: "/bkt?ownershipControls", operation: .deleteBucketOwnership),
        Case(method: "GET", target: "/bkt?publicAccessBlock", operation: .getPublicAccessBlock),
        Case(method: "PUT", target: "/bkt?publicAccessBlock", operation: .putPublicAccessBlock),
        Case(method: "DELETE", target: "/bkt?publicAccessBlock", operation: .deletePublicAccessBlock),
        Case(method: "GET", target: "/bkt?replication", operation: .getBucketReplication),
        Case(method: "GET", target: "/bkt?logging", operation: .getBucketLogging),
        Case(method: "GET", target: "/bkt?requestPayment", operation: .getBucketRequestPayment),
        Case(method: "GET", target: "/bkt?accelerate", operation: .getBucketAccelerate),
        Case(method: "GET", target: "/bkt/k", operation: .getObject),
        Case(method: "GET", target: "/bkt/k?versionId=1&partNumber=2&response-expires=x", operation: .getObject),
        Case(method: "GET", target: "/bkt/k?x-id=GetObject", operation: .getObject),
        Case(method: "GET", target: "/bkt/k?gh-link=abc", operation: .getObject),
        Case(method: "GET", target: "/bkt/k?x-amz-algorithm=a&X-Amz-Signature=b", operation: .getObject),
        Case(method: "GET", target: "/bkt/k?AWSAccessKeyId=a&Signature=b&Expires=1", operation: .getObject),
        Case(method: "HEAD", target: "/bkt/k", operation: .headObject),
        Case(method: "PUT", target: "/bkt/k", operation: .putObject),
        Case(method: "PUT", target: "/bkt/k", operation: .copyObject, isCopy: true, hasBody: false),
        Case(method: "DELETE", target: "/bkt/k", operation: .deleteObject),
        Case(method: "POST", target: "/bkt/k?uploads", operation: .createMultipartUpload),
        Case(method: "PUT", target: "/bkt/k?partNumber=1&uploadId=u", operation: .uploadPart),
        Case(
            method: "PUT",
            target: "/bkt/k?partNumber=1&uploadId=u",
            operation: .uploadPartCopy,
            isCopy: true,
            hasBody: false
        ),
        Case(method: "GET", target: "/bkt/k?uploadId=u", operation: .listParts),
        Case(method: "POST", target: "/bkt/k?uploadId=u", operation: .completeMultipartUpload),
        Case(method: "DELETE", target: "/bkt/k?uploadId=u", operation: .abortMultipartUpload),
        Case(method: "GET", target: "/bkt/k?tagging", operation: .getObjectTagging),
        Case(method: "PUT", target: "/bkt/k?tagging", operation: .putObjectTagging),
        Case(method: "DELETE", target: "/bkt/k?tagging", operation: .deleteObjectTagging),
        Case(method: "GET", target: "/bkt/k?acl", operation: .getObjectACL),
        Case(method: "PUT", target: "/bkt/k?acl", operation: .putObjectACL),
        Case(method: "GET", target: "/bkt/k?retention", operation: .getObjectRetention),
        Case(method: "PUT", target: "/bkt/k?retention", operation: .putObjectRetention),
        Case(method: "GET", target: "/bkt/k?legal-hold", operation: .getObjectLegalHold),
        Case(method: "PUT", target: "/bkt/k?legal-hold", operation: .putObjectLegalHold),
        Case(method: "GET", target: "/bkt/k?attributes", operation: .getObjectAttributes),
        Case(method: "POST", target: "/bkt/k?select&select-type=2", operation: .selectObjectContent),
        Case(method: "POST", target: "/bkt/k?restore", operation: .restoreObject),
    ]

    @Test(arguments: cases) func eachOperationIsRecognised(_ wanted: Case) throws {
        var request = TestRequest(wanted.method, wanted.target)
        if wanted.isCopy { request.fields.append(("x-amz-copy-source", "/src/key")) }
        if !wanted.hasBody { request.framing = .length(0) }
        let found = try request.classify()
        #expect(found.operation == wanted.operation)
        #expect(found.actions.isSuperset(of: wanted.operation.actions))
    }

    @Test func everyOperationHasACase() {
        #expect(Set(Self.cases.map(\.operation)) == Set(S3Operation.allCases))
    }

    @Test func metricNamesAreDistinct() {
        #expect(Set(S3Operation.allCases.map(\.metricName.description)).count == S3Operation.allCases.count)
    }

    /// Peers let these through as the plain operation on the object or bucket.
    @Test(arguments: [
        "PUT /bkt/k?unknown", "DELETE /bkt/k?unknown=1", "GET /bkt/k?torrent", "PUT /bkt/k?renameObject",
        "DELETE /bkt/k?acl", "PUT /bkt/k?uploads", "DELETE /bkt/k?uploads", "HEAD /bkt/k?acl", "HEAD /bkt/k?uploadId=u",
        "GET /bkt/k?acl&tagging", "PUT /bkt/k?acl&acl", "PUT /bkt/k?tagging&uploadId=u", "GET /bkt/k?tagging=1",
        "PUT /bkt/k?Tagging", "PUT /bkt/k?TAGGING", "PUT /bkt/k?%74agging&acl", "DELETE /bkt/k?tagging&tagging=",
        "PUT /bkt/k?partNumber=1", "GET /bkt/k?partNumber=1&uploadId=u",
        "GET /bkt/k?list-type=2", "GET /bkt/k?versionId=1&versionId=2",
        "PUT /bkt?replication", "PUT /bkt?logging", "HEAD /bkt?accelerate", "POST /bkt?publicAccessBlock",
        "DELETE /bkt?ownershipControls&acl", "PUT /bkt?replication", "DELETE /bkt?replication", "PUT /bkt?logging",
        "DELETE /bkt?logging", "PUT /bkt?requestPayment", "DELETE /bkt?requestPayment", "PUT /bkt?accelerate",
        "DELETE /bkt?accelerate", "GET /bkt/k?ownershipControls", "DELETE /bkt/k?publicAccessBlock",
        "PUT /bkt?inventory&id=1", "DELETE /bkt?versioning", "DELETE /bkt?acl",
        "DELETE /bkt?notification", "PUT /bkt?location", "HEAD /bkt?list-type=2", "GET /bkt?versions&list-type=2",
        "GET /bkt?uploads&versions", "POST /bkt?restore", "POST /bkt/k?delete", "GET /bkt?prefix=a&prefix=b",
        "GET /bkt?start-after=a", "DELETE /bkt?prefix=a", "GET /?acl", "GET /?prefix=a&x=1", "PUT /bkt/k?=",
        "PUT /bkt/k?=tagging", "DELETE /bkt/k?%00", "PUT /bkt/k?x-id=a&y", "DELETE /bkt/k?tagging%00",
        "PUT /bkt/k?x-amz-copy", "GET /bkt/k?x-amz-copy-source-range=1", "DELETE /bkt/k?\u{212A}ey",
        "PUT /bkt/k?expires=1", "DELETE /bkt?delete", "GET /bkt/k?session", "GET /bkt?events=x",
    ])
    func whatIsNotUnderstoodIs501(_ line: String) {
        let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
        #expect(code { try TestRequest(parts[0], parts[1]).classify() } == .notImplemented)
    }

    @Test(arguments: [
        ("POST /bkt/k", S3Error.Code.methodNotAllowed), ("PATCH /bkt/k", .methodNotAllowed),
        ("OPTIONS /bkt/k", .methodNotAllowed), ("POST /", .methodNotAllowed), ("DELETE /", .methodNotAllowed),
        ("get /bkt/k", .methodNotAllowed), ("DELETE /bkt/k?versionId=", .invalidArgument),
        ("GET /bkt/k?uploadId=", .invalidArgument), ("PUT /bkt/k?uploadId=u", .invalidArgument),
        ("PUT /bkt/k?uploadId=u&partNumber=0", .invalidArgument), ("GET /bkt/k?partNumber=10001", .invalidArgument),
        ("PUT /bkt/k?uploadId=u&partNumber=+1", .invalidArgument), ("GET /bkt?list-type=3", .invalidArgument),
        ("GET /bkt?max-keys=-1", .invalidArgument), ("GET /bkt?encoding-type=xml", .invalidArgument),
        ("GET /bkt?prefix=%FF", .invalidArgument), ("GET /bkt?prefix=../x/", .invalidArgument),
        ("GET /bkt?list-type=2&start-after=a/../b", .invalidArgument), ("GET /bkt/k?uploadId=../u", .invalidArgument),
        ("POST /bkt/k?select", .invalidArgument), ("GET /bkt/k?versionId=%0A", .invalidArgument),
        ("PUT /bkt/k?versionId=1", .invalidArgument), ("DELETE /bkt/k?uploadId=u&versionId=v", .invalidArgument),
        ("POST /bkt/k?uploads&versionId=1", .invalidArgument), ("DELETE /bkt?versionId=1", .invalidArgument),
        ("GET /bkt?acl&versionId=1", .invalidArgument), ("GET /bkt?versionId=1", .invalidArgument),
        ("POST /bkt/k?select&select-type=2&versionId=1", .invalidArgument),
    ])
    func badValuesAreNamed(_ line: String, _ wanted: S3Error.Code) {
        let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
        #expect(code { try TestRequest(parts[0], parts[1]).classify() } == wanted)
    }

    @Test(arguments: ["prefix=.", "prefix=..", "prefix=a/.", "prefix=.git/", "prefix=", "delimiter=/"])
    func prefixesThatAreTheBeginningOfAName(_ query: String) throws {
        #expect(try TestRequest("GET", "/bkt?" + query).classify().operation == .listObjects)
    }

    struct Added: Sendable {
        let method: String
        let target: String
        let field: String
        let value: String
        let actions: [S3Action]
    }

    @Test(arguments: [
        Added(method: "PUT", target: "/b-b/k", field: "x-amz-acl", value: "public-read", actions: [.putObjectACL]),
        Added(method: "PUT", target: "/b-b/k", field: "X-Amz-Grant-Read", value: "id=1", actions: [.putObjectACL]),
        Added(method: "POST", target: "/b-b/k?uploads", field: "x-amz-acl", value: "x", actions: [.putObjectACL]),
        Added(method: "PUT", target: "/b-b", field: "x-amz-acl", value: "private", actions: [.putBucketACL]),
        Added(method: "PUT", target: "/b-b/k", field: "x-amz-tagging", value: "a=b", actions: [.putObjectTagging]),
        Added(
            method: "PUT",
            target: "/b-b/k",
            field: "x-amz-object-lock-mode",
            value: "GOVERNANCE",
            actions: [.putObjectRetention]
        ),
        Added(
            method: "PUT",
            target: "/b-b/k",
            field: "x-amz-object-lock-legal-hold",
            value: "ON",
            actions: [.putObjectLegalHold]
        ),
        Added(
            method: "DELETE",
            target: "/b-b/k?versionId=1",
            field: "x-amz-bypass-governance-retention",
            value: "true",
            actions: [.bypassGovernance, .deleteObjectVersion]
        ),
        Added(method: "GET", target: "/b-b/k?versionId=1", field: "x-a", value: "", actions: [.getObjectVersion]),
        Added(method: "HEAD", target: "/b-b/k?versionId=1", field: "x-a", value: "", actions: [.getObjectVersion]),
        Added(
            method: "GET",
            target: "/b-b/k?attributes&versionId=1",
            field: "x-amz-object-attributes",
            value: "ETag",
            actions: [.getObject, .getObjectVersion, .getObjectVersionAttributes]
        ),
        Added(
            method: "PUT",
            target: "/b-b/k?tagging&versionId=1",
            field: "x-a",
            value: "",
            actions: [.putObjectVersionTagging]
        ),
        Added(
            method: "PUT",
            target: "/b-b",
            field: "x-amz-object-ownership",
            value: "ObjectWriter",
            actions: [.putBucketOwnership]
        ),
        Added(
            method: "PUT",
            target: "/b-b",
            field: "x-amz-bucket-object-lock-enabled",
            value: "true",
            actions: [.putBucketObjectLock, .putBucketVersioning]
        ),
        Added(
            method: "PUT",
            target: "/b-b/k?X-Amz-Acl=public-read",
            field: "x-a",
            value: "",
            actions: [.putObjectACL]
        ),
    ])
    func headersAndVersionsAddActions(_ added: Added) throws {
        let request = try TestRequest(added.method, added.target, [(added.field, added.value)]).classify()
        #expect(request.actions == request.operation.actions.union(ActionSet(added.actions)))
    }

    @Test(arguments: [
        "x-amz-unheard-of", "x-amz-write-offset-bytes", "x-amz-rename-source", "x-amz-copy-source-if-match",
        "x-amz-metadata-directive", "x-amz-meta-", "x-amz-",
        "X-AMZ-Skip-Destination-Validation", "x-amz-object-ownership",
    ])
    func unknownFieldsAre501(_ name: String) {
        #expect(code { try TestRequest("PUT", "/bkt/k", [(name, "1")]).classify() } == .notImplemented)
    }

    @Test(arguments: [
        ("x-amz-object-ownership", "PUT /bkt"), ("x-amz-bucket-object-lock-enabled", "PUT /bkt"),
        ("x-amz-confirm-remove-self-bucket-access", "PUT /bkt?policy"),
        ("x-amz-transition-default-minimum-object-size", "PUT /bkt?lifecycle"),
        ("x-amz-skip-destination-validation", "PUT /bkt?notification"),
        ("x-amz-bucket-object-lock-token", "PUT /bkt?object-lock"),
    ])
    func someFieldsBelongToOneOperation(_ name: String, _ line: String) throws {
        let parts = line.split(separator: " ").map(String.init)
        #expect(throws: Never.self) { try TestRequest(parts[0], parts[1], [(name, "x")]).classify() }
        for other in ["/bkt/k", "/bkt/k?tagging", "/bkt?versioning"] {
            #expect(code { try TestRequest("PUT", other, [(name, "x")]).classify() } == .notImplemented)
        }
    }

    @Test(arguments: [
        ("x-amz-server-side-encryption-customer-key", true), ("x-amz-server-side-encryption", false),
        ("X-Amz-Server-Side-Encryption-Customer-Algorithm", true), ("x-amz-meta-key", false),
    ])
    func aCustomersKeyIsNoticed(_ name: String, _ wanted: Bool) throws {
        #expect(try TestRequest("PUT", "/bkt/k", [(name, "x")]).classify().hasCustomerKey == wanted)
    }

    @Test func anObjectsLengthIsToldByItsBodysOrByItsChunks() {
        let chunked = TestRequest("PUT", "/bkt/k", framing: .chunked)
        #expect(code { try chunked.classify() } == .missingContentLength)
        let decoded = TestRequest("PUT", "/bkt/k", [("x-amz-decoded-content-length", "5")], framing: .chunked)
        #expect(code { try decoded.classify() } == nil)
    }

    @Test(arguments: [
        ("PUT /bkt/k", "if-none-match", "\"e\"", S3Error.Code.notImplemented),
        ("PUT /bkt/k", "if-none-match", "", .invalidRequest),
        ("PUT /bkt/k", "if-match", "", .invalidRequest),
        ("POST /bkt/k?uploadId=u", "if-none-match", "*, *", .notImplemented),
        ("DELETE /bkt/k", "if-none-match", "*", .notImplemented),
        ("POST /bkt?delete", "if-match", "\"e\"", .notImplemented),
        ("POST /bkt?delete", "If-None-Match", "*", .notImplemented),
        ("PUT /bkt/k?tagging", "if-match", "\"e\"", .notImplemented),
        ("PUT /bkt", "if-match", "*", .notImplemented),
        ("DELETE /bkt/k?uploadId=u", "if-match", "\"e\"", .notImplemented),
    ])
    func conditionsThatNobodyLooksAtAreRefused(_ line: String, _ name: String, _ value: String, _ wanted: S3Error.Code)
    {
        let parts = line.split(separator: " ").map(String.init)
        #expect(code { try TestRequest(parts[0], parts[1], [(name, value)]).classify() } == wanted)
    }

    @Test(arguments: [
        ("PUT /bkt/k", "if-none-match", "*"), ("PUT /bkt/k", "if-match", "\"e\""), ("DELETE /bkt/k", "if-match", "e"),
        ("POST /bkt/k?uploadId=u", "if-none-match", "*"), ("POST /bkt/k?uploadId=u", "if-match", "\"e\""),
        ("PUT /bkt/k?partNumber=1&uploadId=u", "if-none-match", "*"), ("POST /bkt/k?uploads", "if-none-match", "*"),
        ("GET /bkt/k", "if-none-match", "\"e\""), ("GET /bkt?list-type=2", "if-none-match", "\"e\""),
    ])
    func conditionsThatAStoreLooksAtAreFine(_ line: String, _ name: String, _ value: String) throws {
        let parts = line.split(separator: " ").map(String.init)
        _ = try TestRequest(parts[0], parts[1], [(name, value)]).classify()
    }

    @Test func aConditionThatIsGivenTwiceIsRefused() {
        let twice = TestRequest("PUT", "/bkt/k", [("if-none-match", "*"), ("If-None-Match", "*")])
        #expect(code { try twice.classify() } == .invalidRequest)
    }

    @Test func userMetadataOfAnyNameIsFine() throws {
        let fields = [("x-amz-meta-a", "1"), ("X-Amz-Meta-Acl", "2"), ("x-amz-meta-a", "3")]
        #expect(try TestRequest("PUT", "/bkt/k", fields).classify().actions == S3Operation.putObject.actions)
    }

    @Test(arguments: [
        "a:b", "a%20b", "a%09", "a%0D%0Ax-amz-acl:%20public-read", "a%01", "a%00", "%C3%A9", "a%7F", "a(b)", "a,b",
        "a%22",
        "%20", "a%3A%20b%0Ac",
    ])
    func metadataInTheQueryReachTheStoreUnderNamesThatNoFieldCanHave(_ name: String) {
        for prefix in ["x-amz-meta-", "X-Amz-Meta-", "x-amz-", "x-amz-acl"] {
            let call = TestRequest("PUT", "/bkt/k?\(prefix)\(name)=v")
            #expect(code { try call.classify() } == .invalidArgument, "\(prefix)")
        }
    }

    @Test func repeatedFieldsAreRefused() {
        let fields = [("x-amz-acl", "private"), ("x-amz-acl", "public-read")]
        #expect(code { try TestRequest("PUT", "/bkt/k", fields).classify() } == .invalidRequest)
        let twice = TestRequest("PUT", "/bkt/k?x-amz-acl=private", [("x-amz-acl", "private")])
        #expect(code { try twice.classify() } == .invalidRequest)
    }

    @Test(arguments: ["x-amz-acl", "If-None-Match", "close, if-match", "content-md5", "Range"])
    func connectionMustNotNameWhatIsCarried(_ value: String) {
        let request = TestRequest("PUT", "/bkt/k", [("connection", value)])
        #expect(code { try request.classify() } == .invalidRequest)
    }

    @Test(arguments: ["close", "keep-alive", "keep-alive, TE", "Upgrade, HTTP2-Settings"])
    func ordinaryConnectionFieldsAreFine(_ value: String) throws {
        #expect(try TestRequest("GET", "/bkt/k", [("connection", value)]).classify().operation == .getObject)
    }

    @Test func bodiesAreHeldAgainstTheOperation() throws {
        #expect(code { try TestRequest("PUT", "/bkt/k", framing: .chunked).classify() } == .missingContentLength)
        #expect(
            code { try TestRequest("PUT", "/bkt/k", framing: BodyFraming.none).classify() } == .missingContentLength
        )
        #expect(code { try TestRequest("GET", "/bkt/k", framing: .length(1)).classify() } == .invalidRequest)
        #expect(code { try TestRequest("DELETE", "/bkt/k", framing: .chunked).classify() } == .invalidRequest)
        let large = TestRequest("POST", "/bkt?delete", framing: .length(3 << 20))
        #expect(code { try large.classify() } == .maxMessageLengthExceeded)
        #expect(try TestRequest("POST", "/bkt?delete", framing: .chunked).classify().operation == .deleteObjects)
        let copy = TestRequest("PUT", "/bkt/k", [("x-amz-copy-source", "/src/k")], framing: .length(5))
        #expect(code { try copy.classify() } == .invalidRequest)
    }

    @Test func aCopySourceBelongsToCopiesOnly() {
        for line in ["GET /bkt/k", "DELETE /bkt/k", "POST /bkt/k?uploads", "PUT /bkt/k?acl", "PUT /bkt"] {
            let parts = line.split(separator: " ").map(String.init)
            let request = TestRequest(parts[0], parts[1], [("x-amz-copy-source", "/src/k")])
            #expect(code { try request.classify() } == .notImplemented, "\(line)")
        }
    }
}
