extension S3Operation {
    public var kind: OperationKind {
        switch self {
        case .getObject, .headObject, .getObjectTagging, .getObjectACL, .getObjectRetention, .getObjectLegalHold,
            .getObjectAttributes, .selectObjectContent:
            .read
        case .listBuckets, .headBucket, .getBucketLocation, .listObjects, .listObjectsV2, .listObjectVersions,
            .listMultipartUploads, .listParts:
            .list
        case .putObject, .copyObject, .createMultipartUpload, .uploadPart, .uploadPartCopy, .completeMultipartUpload,
            .abortMultipartUpload, .postObject, .putObjectTagging, .deleteObjectTagging, .putObjectACL,
            .putObjectRetention, .putObjectLegalHold, .restoreObject:
            .write
        case .deleteObject, .deleteObjects:
            .delete
        case .createBucket, .deleteBucket, .getBucketVersioning, .putBucketVersioning, .getBucketTagging,
            .putBucketTagging, .deleteBucketTagging, .getBucketACL, .putBucketACL, .getBucketCORS, .putBucketCORS,
            .deleteBucketCORS, .getBucketLifecycle, .putBucketLifecycle, .deleteBucketLifecycle, .getBucketPolicy,
            .putBucketPolicy, .deleteBucketPolicy, .getBucketPolicyStatus, .getBucketNotification,
            .putBucketNotification, .getBucketObjectLock, .putBucketObjectLock, .getBucketEncryption,
            .putBucketEncryption, .deleteBucketEncryption, .getBucketWebsite, .putBucketWebsite, .deleteBucketWebsite,
            .getBucketOwnership, .putBucketOwnership, .deleteBucketOwnership, .getPublicAccessBlock,
            .putPublicAccessBlock, .deletePublicAccessBlock, .getBucketReplication, .getBucketLogging,
            .getBucketRequestPayment, .getBucketAccelerate:
            .configure
        }
    }

    /// Whether the answer lists a bucket's keys, and the query names a prefix of them.
    public var listsKeys: Bool {
        self == .listObjects || self == .listObjectsV2 || self == .listObjectVersions || self == .listMultipartUploads
    }

    /// How far Gatehouse carries the operation.
    public enum Tier: Hashable, Sendable {
        /// On every backend.
        case core
        /// On `s3` backends; 501 elsewhere.
        case passThrough
    }

    public var tier: Tier {
        switch self {
        case .listBuckets, .headBucket, .getBucketLocation, .listObjects, .listObjectsV2, .getObject, .headObject,
            .putObject, .copyObject, .deleteObject, .deleteObjects, .createMultipartUpload, .uploadPart,
            .uploadPartCopy, .listParts, .listMultipartUploads, .completeMultipartUpload, .abortMultipartUpload,
            .postObject:
            .core
        case .createBucket, .deleteBucket, .listObjectVersions, .getBucketVersioning, .putBucketVersioning,
            .getBucketTagging, .putBucketTagging, .deleteBucketTagging, .getBucketACL, .putBucketACL, .getBucketCORS,
            .putBucketCORS, .deleteBucketCORS, .getBucketLifecycle, .putBucketLifecycle, .deleteBucketLifecycle,
            .getBucketPolicy, .putBucketPolicy, .deleteBucketPolicy, .getBucketPolicyStatus, .getBucketNotification,
            .putBucketNotification, .getBucketObjectLock, .putBucketObjectLock, .getBucketEncryption,
            .putBucketEncryption, .deleteBucketEncryption, .getBucketWebsite, .putBucketWebsite, .deleteBucketWebsite,
            .getBucketOwnership, .putBucketOwnership, .deleteBucketOwnership, .getPublicAccessBlock,
            .putPublicAccessBlock, .deletePublicAccessBlock, .getBucketReplication, .getBucketLogging,
            .getBucketRequestPayment, .getBucketAccelerate,
            .getObjectTagging, .putObjectTagging, .deleteObjectTagging, .getObjectACL, .putObjectACL,
            .getObjectRetention, .putObjectRetention, .getObjectLegalHold, .putObjectLegalHold, .getObjectAttributes,
            .selectObjectContent, .restoreObject:
            .passThrough
        }
    }

    /// The operation's label in metrics and logs.
    public var metricName: StaticString {
        switch self {
        case .listBuckets: "list_buckets"
        case .headBucket: "head_bucket"
        case .getBucketLocation: "get_bucket_location"
        case .createBucket: "create_bucket"
        case .deleteBucket: "delete_bucket"
        case .listObjects: "list_objects"
        case .listObjectsV2: "list_objects_v2"
        case .listObjectVersions: "list_object_versions"
        case .listMultipartUploads: "list_multipart_uploads"
        case .deleteObjects: "delete_objects"
        case .postObject: "post_object"
        case .getBucketVersioning: "get_bucket_versioning"
        case .putBucketVersioning: "put_bucket_versioning"
        case .getBucketTagging: "get_bucket_tagging"
        case .putBucketTagging: "put_bucket_tagging"
        case .deleteBucketTagging: "delete_bucket_tagging"
        case .getBucketACL: "get_bucket_acl"
        case .putBucketACL: "put_bucket_acl"
        case .getBucketCORS: "get_bucket_cors"
        case .putBucketCORS: "put_bucket_cors"
        case .deleteBucketCORS: "delete_bucket_cors"
        case .getBucketLifecycle: "get_bucket_lifecycle"
        case .putBucketLifecycle: "put_bucket_lifecycle"
        case .deleteBucketLifecycle: "delete_bucket_lifecycle"
        case .getBucketPolicy: "get_bucket_policy"
        case .putBucketPolicy: "put_bucket_policy"
        case .deleteBucketPolicy: "delete_bucket_policy"
        case .getBucketPolicyStatus: "get_bucket_policy_status"
        case .getBucketNotification: "get_bucket_notification"
        case .putBucketNotification: "put_bucket_notification"
        case .getBucketObjectLock: "get_bucket_object_lock"
        case .putBucketObjectLock: "put_bucket_object_lock"
        case .getBucketEncryption: "get_bucket_encryption"
        case .putBucketEncryption: "put_bucket_encryption"
        case .deleteBucketEncryption: "delete_bucket_encryption"
        case .getBucketWebsite: "get_bucket_website"
        case .putBucketWebsite: "put_bucket_website"
        case .deleteBucketWebsite: "delete_bucket_website"
        case .getBucketOwnership: "get_bucket_ownership"
        case .putBucketOwnership: "put_bucket_ownership"
        case .deleteBucketOwnership: "delete_bucket_ownership"
        case .getPublicAccessBlock: "get_public_access_block"
        case .putPublicAccessBlock: "put_public_access_block"
        case .deletePublicAccessBlock: "delete_public_access_block"
        case .getBucketReplication: "get_bucket_replication"
        case .getBucketLogging: "get_bucket_logging"
        case .getBucketRequestPayment: "get_bucket_request_payment"
        case .getBucketAccelerate: "get_bucket_accelerate"
        case .getObject: "get_object"
        case .headObject: "head_object"
        case .putObject: "put_object"
        case .copyObject: "copy_object"
        case .deleteObject: "delete_object"
        case .createMultipartUpload: "create_multipart_upload"
        case .uploadPart: "upload_part"
        case .uploadPartCopy: "upload_part_copy"
        case .listParts: "list_parts"
        case .completeMultipartUpload: "complete_multipart_upload"
        case .abortMultipartUpload: "abort_multipart_upload"
        case .getObjectTagging: "get_object_tagging"
        case .putObjectTagging: "put_object_tagging"
        case .deleteObjectTagging: "delete_object_tagging"
        case .getObjectACL: "get_object_acl"
        case .putObjectACL: "put_object_acl"
        case .getObjectRetention: "get_object_retention"
        case .putObjectRetention: "put_object_retention"
        case .getObjectLegalHold: "get_object_legal_hold"
        case .putObjectLegalHold: "put_object_legal_hold"
        case .getObjectAttributes: "get_object_attributes"
        case .selectObjectContent: "select_object_content"
        case .restoreObject: "restore_object"
        }
    }
}
