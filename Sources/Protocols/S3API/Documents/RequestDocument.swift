import WireFormats

extension S3Operation {
    /// Checks a document that is passed on to the store as it came.
    ///
    /// - Throws: `MalformedXML` for what is not the operation's well-formed document, a DOCTYPE included; what
    ///   ``CompletionRequest`` throws;
    ///   `NotImplemented` for one that names a destination elsewhere: restoring to another bucket, notifications. The
    ///   store would write there with Gatehouse's own rights.
    public func checkDocument(_ bytes: [UInt8]) throws(S3Error) {
        guard let root = documentRoot else { return }
        if bytes.isEmpty {
            switch self {
            case .createBucket, .putBucketACL, .putObjectACL, .restoreObject: return
            default: throw S3Error(.malformedXML)
            }
        }
        let document = try readRequestDocument(bytes, root: root)
        switch self {
        case .completeMultipartUpload: _ = try CompletionRequest(document)
        case .putBucketNotification:
            guard document.children.isEmpty else {
                throw S3Error(.notImplemented, "Notification targets can't be set here.")
            }
        case .restoreObject:
            // Type, SelectParameters and OutputLocation write what they find into a bucket of the client's choice.
            guard document.children.allSatisfy({ Self.restoration.contains($0.name) }) else {
                throw S3Error(.notImplemented, "An archived object can only be restored where it is.")
            }
        case .createBucket:
            guard document.children.allSatisfy({ $0.name == "LocationConstraint" }) else {
                throw S3Error(.notImplemented, "Only a LocationConstraint can be given.")
            }
        default: return
        }
    }

    /// What a RestoreRequest may hold.
    private static let restoration: Set<String> = ["Days", "GlacierJobParameters", "Tier", "Description"]

    /// The root element of the operation's document; nil where the body is none, JSON, or the object itself.
    private var documentRoot: String? {
        switch self {
        case .createBucket: "CreateBucketConfiguration"
        case .deleteObjects: "Delete"
        case .completeMultipartUpload: "CompleteMultipartUpload"
        case .putBucketVersioning: "VersioningConfiguration"
        case .putBucketTagging, .putObjectTagging: "Tagging"
        case .putBucketACL, .putObjectACL: "AccessControlPolicy"
        case .putBucketCORS: "CORSConfiguration"
        case .putBucketLifecycle: "LifecycleConfiguration"
        case .putBucketNotification: "NotificationConfiguration"
        case .putBucketObjectLock: "ObjectLockConfiguration"
        case .putBucketEncryption: "ServerSideEncryptionConfiguration"
        case .putBucketWebsite: "WebsiteConfiguration"
        case .putBucketOwnership: "OwnershipControls"
        case .putPublicAccessBlock: "PublicAccessBlockConfiguration"
        case .putObjectRetention: "Retention"
        case .putObjectLegalHold: "LegalHold"
        case .selectObjectContent: "SelectObjectContentRequest"
        case .restoreObject: "RestoreRequest"
        case .listBuckets, .headBucket, .getBucketLocation, .deleteBucket, .listObjects, .listObjectsV2,
            .listObjectVersions, .listMultipartUploads, .postObject, .getBucketVersioning, .getBucketTagging,
            .deleteBucketTagging, .getBucketACL, .getBucketCORS, .deleteBucketCORS, .getBucketLifecycle,
            .deleteBucketLifecycle, .getBucketPolicy, .putBucketPolicy, .deleteBucketPolicy, .getBucketPolicyStatus,
            .getBucketNotification, .getBucketObjectLock, .getBucketEncryption, .deleteBucketEncryption,
            .getBucketWebsite, .deleteBucketWebsite, .getBucketOwnership, .deleteBucketOwnership, .getPublicAccessBlock,
            .deletePublicAccessBlock, .getBucketReplication, .getBucketLogging, .getBucketRequestPayment,
            .getBucketAccelerate, .getObject, .headObject, .putObject, .copyObject, .deleteObject,
            .createMultipartUpload, .uploadPart, .uploadPartCopy, .listParts, .abortMultipartUpload,
            .getObjectTagging, .deleteObjectTagging, .getObjectACL, .getObjectRetention, .getObjectLegalHold,
            .getObjectAttributes:
            nil
        }
    }
}
