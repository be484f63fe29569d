extension S3Operation {
    /// The query parameters that the operation understands; any other refuses the request.
    var parameters: EnumerationSet<QueryParameter> {
        switch self {
        case .getObject, .headObject: Self.reading
        case .putObject, .copyObject, .headBucket, .createBucket, .deleteBucket, .postObject: Self.none
        case .listBuckets: Self.buckets
        case .listObjects: Self.listing
        case .listObjectsV2: Self.listingV2
        case .listObjectVersions: Self.versionListing
        case .listMultipartUploads: Self.uploadListing
        case .listParts: Self.partListing
        case .getBucketLocation: Self.location
        case .deleteObjects: Self.deletion
        case .getBucketVersioning, .putBucketVersioning: Self.versioning
        case .getBucketTagging, .putBucketTagging, .deleteBucketTagging: Self.bucketTagging
        case .getBucketACL, .putBucketACL: Self.bucketACL
        case .getBucketCORS, .putBucketCORS, .deleteBucketCORS: Self.cors
        case .getBucketLifecycle, .putBucketLifecycle, .deleteBucketLifecycle: Self.lifecycle
        case .getBucketPolicy, .putBucketPolicy, .deleteBucketPolicy: Self.policy
        case .getBucketPolicyStatus: Self.policyStatus
        case .getBucketNotification, .putBucketNotification: Self.notification
        case .getBucketObjectLock, .putBucketObjectLock: Self.objectLock
        case .getBucketEncryption, .putBucketEncryption, .deleteBucketEncryption: Self.encryption
        case .getBucketWebsite, .putBucketWebsite, .deleteBucketWebsite: Self.website
        case .getBucketOwnership, .putBucketOwnership, .deleteBucketOwnership: Self.ownership
        case .getPublicAccessBlock, .putPublicAccessBlock, .deletePublicAccessBlock: Self.publicAccessBlock
        case .getBucketReplication: Self.replication
        case .getBucketLogging: Self.logging
        case .getBucketRequestPayment: Self.requestPayment
        case .getBucketAccelerate: Self.accelerate
        case .deleteObject: Self.versioned
        case .createMultipartUpload: Self.initiation
        case .uploadPart, .uploadPartCopy: Self.part
        case .completeMultipartUpload, .abortMultipartUpload: Self.upload
        case .getObjectTagging, .putObjectTagging, .deleteObjectTagging: Self.objectTagging
        case .getObjectACL, .putObjectACL: Self.objectACL
        case .getObjectRetention, .putObjectRetention: Self.retention
        case .getObjectLegalHold, .putObjectLegalHold: Self.legalHold
        case .getObjectAttributes: Self.attributes
        case .selectObjectContent: Self.selection
        case .restoreObject: Self.restoration
        }
    }

    private typealias Parameters = EnumerationSet<QueryParameter>

    private static let none = Parameters()
    private static let reading = Parameters([
        .versionID, .partNumber, .responseCacheControl, .responseContentDisposition, .responseContentEncoding,
        .responseContentLanguage, .responseContentType, .responseExpires,
    ])
    private static let versioned = Parameters([.versionID])
    private static let buckets = Parameters([.prefix, .maxBuckets, .continuationToken, .bucketRegion])
    private static let listing = Parameters([.prefix, .delimiter, .marker, .maxKeys, .encodingType])
    private static let listingV2 = Parameters([
        .listType, .prefix, .delimiter, .startAfter, .continuationToken, .maxKeys, .encodingType, .fetchOwner,
    ])
    private static let versionListing = Parameters([
        .versions, .prefix, .delimiter, .keyMarker, .versionIDMarker, .maxKeys, .encodingType,
    ])
    private static let uploadListing = Parameters([
        .uploads, .prefix, .delimiter, .keyMarker, .uploadIDMarker, .maxUploads, .encodingType,
    ])
    private static let partListing = Parameters([.uploadID, .maxParts, .partNumberMarker])
    private static let initiation = Parameters([.uploads])
    private static let part = Parameters([.uploadID, .partNumber])
    private static let upload = Parameters([.uploadID])
    private static let location = Parameters([.location])
    private static let deletion = Parameters([.delete])
    private static let versioning = Parameters([.versioning])
    private static let bucketTagging = Parameters([.tagging])
    private static let bucketACL = Parameters([.acl])
    private static let cors = Parameters([.cors])
    private static let lifecycle = Parameters([.lifecycle])
    private static let policy = Parameters([.policy])
    private static let policyStatus = Parameters([.policyStatus])
    private static let notification = Parameters([.notification])
    private static let objectLock = Parameters([.objectLock])
    private static let encryption = Parameters([.encryption])
    private static let website = Parameters([.website])
    private static let ownership = Parameters([.ownershipControls])
    private static let publicAccessBlock = Parameters([.publicAccessBlock])
    private static let replication = Parameters([.replication])
    private static let logging = Parameters([.logging])
    private static let requestPayment = Parameters([.requestPayment])
    private static let accelerate = Parameters([.accelerate])
    private static let objectTagging = Parameters([.tagging, .versionID])
    private static let objectACL = Parameters([.acl, .versionID])
    private static let retention = Parameters([.retention, .versionID])
    private static let legalHold = Parameters([.legalHold, .versionID])
    private static let attributes = Parameters([.attributes, .versionID])
    private static let selection = Parameters([.select, .selectType])
    private static let restoration = Parameters([.restore, .versionID])
}

extension S3Operation {
    /// Whether a query name, decoded, is one of S3's parameters; what else a classified request has in its query
    /// carries a signature or a field, and is not sent on.
    public static func knowsParameter(_ name: ArraySlice<UInt8>) -> Bool {
        QueryParameter(name: name) != nil
    }
}
