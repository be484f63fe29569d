import S3API

/// One correct request for each operation, as small as it can be: what `docs/s3-compatibility.md` shows of it and what
/// the tests of its cells send.
struct OperationSample: Sendable {
    let operation: S3Operation
    /// Whether it is about an object, the bucket, or neither.
    let scope: Scope
    let method: String
    let query: String
    var fields: [(String, String)] = []
    /// Nil: there is none.
    var body: String?

    enum Scope: Sendable {
        case service, bucket, object
    }

    /// `GET /bucket/key?acl`
    var line: String {
        let path =
            switch scope {
            case .service: "/"
            case .bucket: "/bucket"
            case .object: "/bucket/key"
            }
        return method + " " + path + (query.isEmpty ? "" : "?" + query)
    }

    /// The path of the request to a bucket of that name.
    func target(in bucket: String) -> String {
        let path =
            switch scope {
            case .service: "/"
            case .bucket: "/" + bucket
            case .object: "/" + bucket + "/key"
            }
        return path + (query.isEmpty ? "" : "?" + query)
    }
}

extension OperationSample {
    init(of operation: S3Operation) {
        let wire = Self.wire(operation)
        let method = String(wire.prefix { $0 != " " })
        let target = wire.dropFirst(method.utf8.count + 1)
        let path = target.prefix { $0 != "?" }
        self.init(
            operation: operation,
            scope: path == "/" ? .service : path == "/b" ? .bucket : .object,
            method: method,
            query: String(target.dropFirst(path.utf8.count + 1)),
            fields: Self.fields(operation),
            body: Self.body(operation)
        )
    }

    static let all = S3Operation.allCases.map { OperationSample(of: $0) }

    private static func wire(_ operation: S3Operation) -> String {
        switch operation {
        case .listBuckets: "GET /"
        case .headBucket: "HEAD /b"
        case .getBucketLocation: "GET /b?location"
        case .createBucket: "PUT /b"
        case .deleteBucket: "DELETE /b"
        case .listObjects: "GET /b"
        case .listObjectsV2: "GET /b?list-type=2"
        case .listObjectVersions: "GET /b?versions"
        case .listMultipartUploads: "GET /b?uploads"
        case .deleteObjects: "POST /b?delete"
        case .postObject: "POST /b"
        case .getBucketVersioning: "GET /b?versioning"
        case .putBucketVersioning: "PUT /b?versioning"
        case .getBucketTagging: "GET /b?tagging"
        case .putBucketTagging: "PUT /b?tagging"
        case .deleteBucketTagging: "DELETE /b?tagging"
        case .getBucketACL: "GET /b?acl"
        case .putBucketACL: "PUT /b?acl"
        case .getBucketCORS: "GET /b?cors"
        case .putBucketCORS: "PUT /b?cors"
        case .deleteBucketCORS: "DELETE /b?cors"
        case .getBucketLifecycle: "GET /b?lifecycle"
        case .putBucketLifecycle: "PUT /b?lifecycle"
        case .deleteBucketLifecycle: "DELETE /b?lifecycle"
        case .getBucketPolicy: "GET /b?policy"
        case .putBucketPolicy: "PUT /b?policy"
        case .deleteBucketPolicy: "DELETE /b?policy"
        case .getBucketPolicyStatus: "GET /b?policyStatus"
        case .getBucketNotification: "GET /b?notification"
        case .putBucketNotification: "PUT /b?notification"
        case .getBucketObjectLock: "GET /b?object-lock"
        case .putBucketObjectLock: "PUT /b?object-lock"
        case .getBucketEncryption: "GET /b?encryption"
        case .putBucketEncryption: "PUT /b?encryption"
        case .deleteBucketEncryption: "DELETE /b?encryption"
        case .getBucketWebsite: "GET /b?website"
        case .putBucketWebsite: "PUT /b?website"
        case .deleteBucketWebsite: "DELETE /b?website"
        case .getBucketOwnership: "GET /b?ownershipControls"
        case .putBucketOwnership: "PUT /b?ownershipControls"
        case .deleteBucketOwnership: "DELETE /b?ownershipControls"
        case .getPublicAccessBlock: "GET /b?publicAccessBlock"
        case .putPublicAccessBlock: "PUT /b?publicAccessBlock"
        case .deletePublicAccessBlock: "DELETE /b?publicAccessBlock"
        case .getBucketReplication: "GET /b?replication"
        case .getBucketLogging: "GET /b?logging"
        case .getBucketRequestPayment: "GET /b?requestPayment"
        case .getBucketAccelerate: "GET /b?accelerate"
        case .getObject: "GET /b/k"
        case .headObject: "HEAD /b/k"
        case .putObject, .copyObject: "PUT /b/k"
        case .deleteObject: "DELETE /b/k"
        case .createMultipartUpload: "POST /b/k?uploads"
        case .uploadPart, .uploadPartCopy: "PUT /b/k?partNumber=1&uploadId=id"
        case .listParts: "GET /b/k?uploadId=id"
        case .completeMultipartUpload: "POST /b/k?uploadId=id"
        case .abortMultipartUpload: "DELETE /b/k?uploadId=id"
        case .getObjectTagging: "GET /b/k?tagging"
        case .putObjectTagging: "PUT /b/k?tagging"
        case .deleteObjectTagging: "DELETE /b/k?tagging"
        case .getObjectACL: "GET /b/k?acl"
        case .putObjectACL: "PUT /b/k?acl"
        case .getObjectRetention: "GET /b/k?retention"
        case .putObjectRetention: "PUT /b/k?retention"
        case .getObjectLegalHold: "GET /b/k?legal-hold"
        case .putObjectLegalHold: "PUT /b/k?legal-hold"
        case .getObjectAttributes: "GET /b/k?attributes"
        case .selectObjectContent: "POST /b/k?select&select-type=2"
        case .restoreObject: "POST /b/k?restore"
        }
    }

    private static func fields(_ operation: S3Operation) -> [(String, String)] {
        switch operation {
        case .copyObject, .uploadPartCopy: [("x-amz-copy-source", "/docs/source")]
        case .getObjectAttributes: [("x-amz-object-attributes", "ETag,ObjectSize")]
        case .putObjectACL: [("x-amz-acl", "private")]
        default: []
        }
    }

    private static func body(_ operation: S3Operation) -> String? {
        switch operation {
        case .putObject, .uploadPart, .postObject: "hello"
        case .deleteObjects: "<Delete><Object><Key>key</Key></Object></Delete>"
        case .createBucket, .putObjectACL: ""
        case .completeMultipartUpload:
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>"
        case .putBucketVersioning: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        case .putBucketTagging, .putObjectTagging:
            "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
        case .putBucketACL:
            "<AccessControlPolicy><Owner><ID>o</ID></Owner><AccessControlList></AccessControlList></AccessControlPolicy>"
        case .putBucketCORS:
            "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>"
        case .putBucketLifecycle:
            "<LifecycleConfiguration><Rule><ID>r</ID><Filter><Prefix>old/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>9</Days></Expiration></Rule></LifecycleConfiguration>"
        case .putBucketPolicy: #"{"Version":"2012-10-17","Statement":[]}"#
        case .putBucketNotification: "<NotificationConfiguration></NotificationConfiguration>"
        case .putBucketObjectLock:
            "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>"
        case .putBucketEncryption:
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"
        case .putBucketWebsite:
            "<WebsiteConfiguration><RedirectAllRequestsTo><HostName>example.com</HostName></RedirectAllRequestsTo></WebsiteConfiguration>"
        case .putBucketOwnership:
            "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>"
        case .putPublicAccessBlock:
            "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>"
        case .putObjectRetention:
            "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2040-01-01T00:00:00Z</RetainUntilDate></Retention>"
        case .putObjectLegalHold: "<LegalHold><Status>ON</Status></LegalHold>"
        case .selectObjectContent:
            "<SelectObjectContentRequest><Expression>SELECT * FROM S3Object</Expression></SelectObjectContentRequest>"
        case .restoreObject: "<RestoreRequest><Days>1</Days></RestoreRequest>"
        case .listBuckets, .headBucket, .getBucketLocation, .deleteBucket, .listObjects, .listObjectsV2,
            .listObjectVersions, .listMultipartUploads, .getBucketVersioning, .getBucketTagging,
            .deleteBucketTagging, .getBucketACL, .getBucketCORS, .deleteBucketCORS, .getBucketLifecycle,
            .deleteBucketLifecycle, .getBucketPolicy, .deleteBucketPolicy, .getBucketPolicyStatus,
            .getBucketNotification, .getBucketObjectLock, .getBucketEncryption, .deleteBucketEncryption,
            .getBucketWebsite, .deleteBucketWebsite, .getBucketOwnership, .deleteBucketOwnership, .getPublicAccessBlock,
            .deletePublicAccessBlock, .getBucketReplication, .getBucketLogging, .getBucketRequestPayment,
            .getBucketAccelerate, .getObject, .headObject, .copyObject, .deleteObject,
            .createMultipartUpload, .uploadPartCopy, .listParts, .abortMultipartUpload, .getObjectTagging,
            .deleteObjectTagging, .getObjectACL, .getObjectRetention, .getObjectLegalHold, .getObjectAttributes:
            nil
        }
    }
}
