/// What kind of store lies behind a bucket, as `backend_type` names it: which operations it is sent.
public enum BackendKind: String, CaseIterable, Hashable, Sendable {
    /// An S3-compatible store.
    case s3
    /// Google Cloud Storage.
    case gcs
    /// Azure Blob Storage, asked in its own protocol.
    case azure
    /// The embedded store over a folder.
    case file
}

extension BackendKind {
    /// Whether an operation is sent to stores of this kind; 501 where it is not.
    public func carries(_ operation: S3Operation) -> Bool {
        switch operation.tier {
        case .core: true
        case .passThrough:
            switch self {
            case .s3: true
            case .gcs: false
            case .azure: false
            case .file: Self.embeddedStoreHas(operation)
            }
        }
    }

    /// Which of the operations beyond the core the embedded store has.
    private static func embeddedStoreHas(_ operation: S3Operation) -> Bool {
        switch operation {
        case .createBucket, .deleteBucket, .listObjectVersions, .getBucketVersioning, .putBucketVersioning,
            .getBucketTagging, .putBucketTagging, .deleteBucketTagging, .getBucketACL, .putBucketACL, .getBucketCORS,
            .putBucketCORS, .deleteBucketCORS, .getObjectTagging, .putObjectTagging, .deleteObjectTagging,
            .getObjectACL, .putObjectACL, .getObjectAttributes:
            true
        default:
            false
        }
    }
}
