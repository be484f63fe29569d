/// The closed list of what a client can ask. What is not in it is refused, so that an unknown subresource can never
/// turn into a plain read, write or deletion of the object.
public enum S3Operation: CaseIterable, Hashable, Sendable {
    // The service.
    case listBuckets
    // A bucket.
    case headBucket, getBucketLocation, createBucket, deleteBucket
    case listObjects, listObjectsV2, listObjectVersions, listMultipartUploads
    case deleteObjects, postObject
    // A bucket's configuration.
    case getBucketVersioning, putBucketVersioning
    case getBucketTagging, putBucketTagging, deleteBucketTagging
    case getBucketACL, putBucketACL
    case getBucketCORS, putBucketCORS, deleteBucketCORS
    case getBucketLifecycle, putBucketLifecycle, deleteBucketLifecycle
    case getBucketPolicy, putBucketPolicy, deleteBucketPolicy, getBucketPolicyStatus
    case getBucketNotification, putBucketNotification
    case getBucketObjectLock, putBucketObjectLock
    case getBucketEncryption, putBucketEncryption, deleteBucketEncryption
    case getBucketWebsite, putBucketWebsite, deleteBucketWebsite
    case getBucketOwnership, putBucketOwnership, deleteBucketOwnership
    case getPublicAccessBlock, putPublicAccessBlock, deletePublicAccessBlock
    // Of these, what there is can be read; setting one would name a destination, or a bill.
    case getBucketReplication, getBucketLogging, getBucketRequestPayment, getBucketAccelerate
    // An object.
    case getObject, headObject, putObject, copyObject, deleteObject
    case createMultipartUpload, uploadPart, uploadPartCopy, listParts
    case completeMultipartUpload, abortMultipartUpload
    // Beside an object's bytes.
    case getObjectTagging, putObjectTagging, deleteObjectTagging
    case getObjectACL, putObjectACL
    case getObjectRetention, putObjectRetention
    case getObjectLegalHold, putObjectLegalHold
    case getObjectAttributes, selectObjectContent, restoreObject
}

/// What an operation does to what it addresses.
public enum OperationKind: Hashable, Sendable {
    case read, list, write, delete
    /// Reads or changes the configuration of a bucket, or its existence.
    case configure
}

/// What an operation's request body is and who reads it.
public enum BodyHandling: Hashable, Sendable {
    /// There is none; one that comes anyway is refused.
    case none
    /// The object's bytes: relayed as they come.
    case stream
    /// A document of at most so many bytes, read whole before anything is sent to the store.
    case collect(limit: Int)
}

extension S3Operation {
    /// The actions that the operation needs before headers and query add theirs.
    public var actions: ActionSet {
        switch self {
        case .listBuckets: ActionSet(.listAllMyBuckets)
        case .headBucket: ActionSet(.headBucket)
        case .getBucketLocation: ActionSet(.getBucketLocation)
        case .createBucket: ActionSet(.createBucket)
        case .deleteBucket: ActionSet(.deleteBucket)
        case .listObjects, .listObjectsV2: ActionSet(.listBucket)
        case .listObjectVersions: ActionSet(.listVersions)
        case .listMultipartUploads: ActionSet(.listUploads)
        // Decided key by key, once the document has been read.
        case .deleteObjects: ActionSet(.deleteObject)
        case .postObject: ActionSet(.putObject)
        case .getBucketVersioning: ActionSet(.getBucketVersioning)
        case .putBucketVersioning: ActionSet(.putBucketVersioning)
        case .getBucketTagging: ActionSet(.getBucketTagging)
        case .putBucketTagging, .deleteBucketTagging: ActionSet(.putBucketTagging)
        case .getBucketACL: ActionSet(.getBucketACL)
        case .putBucketACL: ActionSet(.putBucketACL)
        case .getBucketCORS: ActionSet(.getBucketCORS)
        case .putBucketCORS, .deleteBucketCORS: ActionSet(.putBucketCORS)
        case .getBucketLifecycle: ActionSet(.getBucketLifecycle)
        case .putBucketLifecycle, .deleteBucketLifecycle: ActionSet(.putBucketLifecycle)
        case .getBucketPolicy: ActionSet(.getBucketPolicy)
        case .putBucketPolicy: ActionSet(.putBucketPolicy)
        case .deleteBucketPolicy: ActionSet(.deleteBucketPolicy)
        case .getBucketPolicyStatus: ActionSet(.getBucketPolicyStatus)
        case .getBucketNotification: ActionSet(.getBucketNotification)
        case .putBucketNotification: ActionSet(.putBucketNotification)
        case .getBucketObjectLock: ActionSet(.getBucketObjectLock)
        case .putBucketObjectLock: ActionSet(.putBucketObjectLock)
        case .getBucketEncryption: ActionSet(.getBucketEncryption)
        case .putBucketEncryption, .deleteBucketEncryption: ActionSet(.putBucketEncryption)
        case .getBucketWebsite: ActionSet(.getBucketWebsite)
        case .putBucketWebsite: ActionSet(.putBucketWebsite)
        case .deleteBucketWebsite: ActionSet(.deleteBucketWebsite)
        case .getBucketOwnership: ActionSet(.getBucketOwnership)
        case .putBucketOwnership, .deleteBucketOwnership: ActionSet(.putBucketOwnership)
        case .getPublicAccessBlock: ActionSet(.getPublicAccessBlock)
        case .putPublicAccessBlock, .deletePublicAccessBlock: ActionSet(.putPublicAccessBlock)
        case .getBucketReplication: ActionSet(.getBucketReplication)
        case .getBucketLogging: ActionSet(.getBucketLogging)
        case .getBucketRequestPayment: ActionSet(.getBucketRequestPayment)
        case .getBucketAccelerate: ActionSet(.getBucketAccelerate)
        case .getObject, .selectObjectContent: ActionSet(.getObject)
        case .headObject: ActionSet(.headObject)
        case .putObject, .copyObject: ActionSet(.putObject)
        case .deleteObject: ActionSet(.deleteObject)
        case .createMultipartUpload, .uploadPart, .uploadPartCopy, .completeMultipartUpload: ActionSet(.multipart)
        case .listParts: ActionSet(.listParts)
        case .abortMultipartUpload: ActionSet(.abortMultipartUpload)
        case .getObjectTagging: ActionSet(.getObjectTagging)
        case .putObjectTagging: ActionSet(.putObjectTagging)
        case .deleteObjectTagging: ActionSet(.deleteObjectTagging)
        case .getObjectACL: ActionSet(.getObjectACL)
        case .putObjectACL: ActionSet(.putObjectACL)
        case .getObjectRetention: ActionSet(.getObjectRetention)
        case .putObjectRetention: ActionSet(.putObjectRetention)
        case .getObjectLegalHold: ActionSet(.getObjectLegalHold)
        case .putObjectLegalHold: ActionSet(.putObjectLegalHold)
        // Size, ETag and checksums: what reading the object tells too.
        case .getObjectAttributes: ActionSet([.getObject, .getObjectAttributes])
        case .restoreObject: ActionSet(.restoreObject)
        }
    }

    /// The actions that a `versionId` adds; none where the operation takes no version.
    public var versionActions: ActionSet {
        switch self {
        case .getObject, .headObject: ActionSet(.getObjectVersion)
        case .deleteObject: ActionSet(.deleteObjectVersion)
        case .getObjectTagging: ActionSet(.getObjectVersionTagging)
        case .putObjectTagging: ActionSet(.putObjectVersionTagging)
        case .deleteObjectTagging: ActionSet(.deleteObjectVersionTagging)
        case .getObjectACL: ActionSet(.getObjectVersionACL)
        case .putObjectACL: ActionSet(.putObjectVersionACL)
        case .getObjectAttributes: ActionSet([.getObjectVersion, .getObjectVersionAttributes])
        case .getObjectRetention: ActionSet(.getObjectRetention)
        case .putObjectRetention: ActionSet(.putObjectRetention)
        case .getObjectLegalHold: ActionSet(.getObjectLegalHold)
        case .putObjectLegalHold: ActionSet(.putObjectLegalHold)
        case .restoreObject: ActionSet(.restoreObject)
        case .listBuckets, .headBucket, .getBucketLocation, .createBucket, .deleteBucket, .listObjects,
            .listObjectsV2, .listObjectVersions, .listMultipartUploads, .deleteObjects, .postObject,
            .getBucketVersioning, .putBucketVersioning, .getBucketTagging, .putBucketTagging, .deleteBucketTagging,
            .getBucketACL, .putBucketACL, .getBucketCORS, .putBucketCORS, .deleteBucketCORS, .getBucketLifecycle,
            .putBucketLifecycle, .deleteBucketLifecycle, .getBucketPolicy, .putBucketPolicy, .deleteBucketPolicy,
            .getBucketPolicyStatus, .getBucketNotification, .putBucketNotification, .getBucketObjectLock,
            .putBucketObjectLock, .getBucketEncryption, .putBucketEncryption, .deleteBucketEncryption,
            .getBucketWebsite, .putBucketWebsite, .deleteBucketWebsite, .getBucketOwnership, .putBucketOwnership,
            .deleteBucketOwnership, .getPublicAccessBlock, .putPublicAccessBlock, .deletePublicAccessBlock,
            .getBucketReplication, .getBucketLogging, .getBucketRequestPayment, .getBucketAccelerate, .putObject,
            .copyObject,
            .createMultipartUpload, .uploadPart, .uploadPartCopy, .listParts, .completeMultipartUpload,
            .abortMultipartUpload, .selectObjectContent:
            []
        }
    }

    public var bodyHandling: BodyHandling {
        switch self {
        case .putObject, .uploadPart, .postObject: .stream
        // A thousand keys of a kilobyte each, escaped, fit; AWS's own limit.
        case .deleteObjects: .collect(limit: 2 << 20)
        // Ten thousand parts with their ETags and checksums.
        case .completeMultipartUpload: .collect(limit: 4 << 20)
        case .putBucketLifecycle, .putBucketPolicy, .selectObjectContent, .putBucketNotification:
            .collect(limit: 1 << 20)
        // S3 takes 128 KB of them.
        case .putBucketWebsite: .collect(limit: 128 << 10)
        case .createBucket, .putBucketVersioning, .putBucketTagging, .putBucketACL, .putBucketCORS,
            .putBucketObjectLock, .putBucketEncryption, .putBucketOwnership, .putPublicAccessBlock, .putObjectTagging,
            .putObjectACL,
            .putObjectRetention, .putObjectLegalHold, .restoreObject:
            .collect(limit: 64 << 10)
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
            .none
        }
    }
}
