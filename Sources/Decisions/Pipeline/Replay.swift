import HTTP1
import S3API

/// Whether a request may be sent again when its connection died before any answer: whether it, and what it answers, is the
/// same when the store has carried it out already.
public enum Replay: Sendable {
    case allowed
    /// Its effect or its answer would differ the second time: conditional writes, completing an upload.
    case never
}

extension Replay {
    /// - Parameter fields: the client's, which may make a write depend on what is there.
    init(of operation: S3Operation, under fields: FieldBlock) {
        switch operation {
        case .listBuckets, .headBucket, .getBucketLocation, .listObjects, .listObjectsV2, .listObjectVersions,
            .listMultipartUploads, .getBucketVersioning, .getBucketTagging, .getBucketACL, .getBucketCORS,
            .getBucketLifecycle, .getBucketPolicy, .getBucketPolicyStatus, .getBucketNotification,
            .getBucketObjectLock, .getBucketEncryption, .getBucketWebsite, .getBucketOwnership,
            .getPublicAccessBlock, .getBucketReplication, .getBucketLogging, .getBucketRequestPayment,
            .getBucketAccelerate, .getObject, .headObject, .listParts, .getObjectTagging, .getObjectACL,
            .getObjectRetention, .getObjectLegalHold, .getObjectAttributes, .selectObjectContent:
            self = .allowed
        // What is there afterwards is what the request says, and so is the answer.
        case .putBucketVersioning, .putBucketTagging, .putBucketACL, .putBucketCORS, .putBucketLifecycle,
            .putBucketPolicy, .putBucketNotification, .putBucketObjectLock, .putBucketEncryption, .putBucketWebsite,
            .putBucketOwnership, .putPublicAccessBlock, .deleteBucketTagging, .deleteBucketCORS,
            .deleteBucketLifecycle, .deleteBucketPolicy, .deleteBucketEncryption, .deleteBucketWebsite,
            .deleteBucketOwnership, .deletePublicAccessBlock, .putObject, .postObject, .copyObject, .deleteObject,
            .deleteObjects, .uploadPart, .uploadPartCopy, .putObjectTagging, .deleteObjectTagging, .putObjectACL,
            .putObjectRetention, .putObjectLegalHold:
            self = Self.conditions.contains { fields.first($0) != nil } ? .never : .allowed
        // The second time it is another upload, another order to the archive, or an error about what the first did: the
        // bucket is there or gone, the upload is no more.
        case .createBucket, .deleteBucket, .createMultipartUpload, .completeMultipartUpload, .abortMultipartUpload,
            .restoreObject:
            self = .never
        }
    }

    /// Fields by which a write depends on what is there; those of a copy's source are not among them.
    private static let conditions: [StaticString] = [
        "if-match", "if-none-match", "if-modified-since", "if-unmodified-since",
    ]
}
