/// The request fields `x-amz-...` that Gatehouse understands, by their names on the wire. One that is not here (and no
/// `x-amz-meta-...`) refuses the request with 501, as S3 itself does: nothing is sent on that was not understood.
public enum AmzField: String, CaseIterable, Sendable {
    // About the request itself: verified here, made anew for the store.
    case date = "x-amz-date"
    case contentSHA256 = "x-amz-content-sha256"
    case securityToken = "x-amz-security-token"
    case userAgent = "x-amz-user-agent"
    case cloudFrontID = "x-amz-cf-id"
    case apiVersion = "x-amz-api-version"
    // About aws-chunked bodies.
    case decodedContentLength = "x-amz-decoded-content-length"
    case trailer = "x-amz-trailer"
    // Permissions, tags and locks: each adds an action.
    case acl = "x-amz-acl"
    case grantFullControl = "x-amz-grant-full-control"
    case grantRead = "x-amz-grant-read"
    case grantReadACP = "x-amz-grant-read-acp"
    case grantWrite = "x-amz-grant-write"
    case grantWriteACP = "x-amz-grant-write-acp"
    case tagging = "x-amz-tagging"
    case objectLockMode = "x-amz-object-lock-mode"
    case objectLockRetainUntil = "x-amz-object-lock-retain-until-date"
    case objectLockLegalHold = "x-amz-object-lock-legal-hold"
    case bypassGovernance = "x-amz-bypass-governance-retention"
    case bucketObjectLockEnabled = "x-amz-bucket-object-lock-enabled"
    // The object, and how it is kept.
    case storageClass = "x-amz-storage-class"
    case websiteRedirect = "x-amz-website-redirect-location"
    case encryption = "x-amz-server-side-encryption"
    case encryptionKeyID = "x-amz-server-side-encryption-aws-kms-key-id"
    case encryptionContext = "x-amz-server-side-encryption-context"
    case encryptionBucketKey = "x-amz-server-side-encryption-bucket-key-enabled"
    case customerAlgorithm = "x-amz-server-side-encryption-customer-algorithm"
    case customerKey = "x-amz-server-side-encryption-customer-key"
    case customerKeyMD5 = "x-amz-server-side-encryption-customer-key-md5"
    case sdkChecksumAlgorithm = "x-amz-sdk-checksum-algorithm"
    case checksumAlgorithm = "x-amz-checksum-algorithm"
    case checksumType = "x-amz-checksum-type"
    case checksumMode = "x-amz-checksum-mode"
    case checksumCRC32 = "x-amz-checksum-crc32"
    case checksumCRC32C = "x-amz-checksum-crc32c"
    case checksumCRC64NVME = "x-amz-checksum-crc64nvme"
    case checksumSHA1 = "x-amz-checksum-sha1"
    case checksumSHA256 = "x-amz-checksum-sha256"
    case multipartObjectSize = "x-amz-mp-object-size"
    // Conditions and options.
    case expectedBucketOwner = "x-amz-expected-bucket-owner"
    case requestPayer = "x-amz-request-payer"
    case mfa = "x-amz-mfa"
    case objectAttributes = "x-amz-object-attributes"
    case optionalObjectAttributes = "x-amz-optional-object-attributes"
    case maxParts = "x-amz-max-parts"
    case partNumberMarker = "x-amz-part-number-marker"
    // Of one operation each.
    case confirmRemoveSelfAccess = "x-amz-confirm-remove-self-bucket-access"
    case objectOwnership = "x-amz-object-ownership"
    case transitionMinimumSize = "x-amz-transition-default-minimum-object-size"
    case skipDestinationValidation = "x-amz-skip-destination-validation"
    case objectLockToken = "x-amz-bucket-object-lock-token"
    // Copies only.
    case copySource = "x-amz-copy-source"
    case copySourceRange = "x-amz-copy-source-range"
    case copySourceIfMatch = "x-amz-copy-source-if-match"
    case copySourceIfNoneMatch = "x-amz-copy-source-if-none-match"
    case copySourceIfModifiedSince = "x-amz-copy-source-if-modified-since"
    case copySourceIfUnmodifiedSince = "x-amz-copy-source-if-unmodified-since"
    case copySourceCustomerAlgorithm = "x-amz-copy-source-server-side-encryption-customer-algorithm"
    case copySourceCustomerKey = "x-amz-copy-source-server-side-encryption-customer-key"
    case copySourceCustomerKeyMD5 = "x-amz-copy-source-server-side-encryption-customer-key-md5"
    case sourceExpectedBucketOwner = "x-amz-source-expected-bucket-owner"
    case metadataDirective = "x-amz-metadata-directive"
    case taggingDirective = "x-amz-tagging-directive"

    private static let names = WireNames<AmzField>(.ignoringCase)

    /// - Parameter name: in any case.
    public init?(name: ArraySlice<UInt8>) {
        guard let found = Self.names.find(name) else { return nil }
        self = found
    }

    /// Whether the field travels to the store.
    public enum Carriage: Hashable, Sendable {
        case carried
        /// Understood and made anew, or of no use to the store.
        case dropped
        /// Carried with a copy, mapped where it names the source; refused elsewhere.
        case withCopy
        /// About the form in which the client sends its body; the store hears of the form in which it gets it.
        case ofTheBody
    }

    public var carriage: Carriage {
        switch self {
        case .date, .contentSHA256, .securityToken, .userAgent, .cloudFrontID, .apiVersion:
            .dropped
        case .decodedContentLength, .trailer:
            .ofTheBody
        case .acl, .grantFullControl, .grantRead, .grantReadACP, .grantWrite, .grantWriteACP, .tagging,
            .objectLockMode, .objectLockRetainUntil, .objectLockLegalHold, .bypassGovernance,
            .bucketObjectLockEnabled, .storageClass, .websiteRedirect, .encryption, .encryptionKeyID,
            .encryptionContext, .encryptionBucketKey, .customerAlgorithm, .customerKey, .customerKeyMD5,
            .sdkChecksumAlgorithm, .checksumAlgorithm, .checksumType, .checksumMode, .checksumCRC32, .checksumCRC32C,
            .checksumCRC64NVME, .checksumSHA1, .checksumSHA256, .multipartObjectSize, .expectedBucketOwner,
            .requestPayer, .mfa, .objectAttributes, .optionalObjectAttributes, .maxParts, .partNumberMarker,
            .confirmRemoveSelfAccess, .objectOwnership, .transitionMinimumSize, .skipDestinationValidation,
            .objectLockToken:
            .carried
        case .copySource, .copySourceRange, .copySourceIfMatch, .copySourceIfNoneMatch, .copySourceIfModifiedSince,
            .copySourceIfUnmodifiedSince, .copySourceCustomerAlgorithm, .copySourceCustomerKey,
            .copySourceCustomerKeyMD5, .sourceExpectedBucketOwner, .metadataDirective, .taggingDirective:
            .withCopy
        }
    }

    /// The one operation that knows the field, which elsewhere refuses the request; nil where several do.
    public var ownOperation: S3Operation? {
        switch self {
        case .bucketObjectLockEnabled, .objectOwnership: .createBucket
        case .confirmRemoveSelfAccess: .putBucketPolicy
        case .transitionMinimumSize: .putBucketLifecycle
        case .skipDestinationValidation: .putBucketNotification
        case .objectLockToken: .putBucketObjectLock
        // Of a copy of the whole, it would be lost without a word.
        case .copySourceRange: .uploadPartCopy
        default: nil
        }
    }

    /// Those with an ``ownOperation``.
    static let ofOneOperation = EnumerationSet(allCases.filter { $0.ownOperation != nil })

    /// A key that the object is encrypted with comes along: for the object itself, or for a copy's source.
    static let customerKeys = EnumerationSet<AmzField>([
        .customerAlgorithm, .customerKey, .customerKeyMD5, .copySourceCustomerAlgorithm, .copySourceCustomerKey,
        .copySourceCustomerKeyMD5,
    ])

    /// Fields that are lists and may be repeated; any other that is repeated is refused, because the first and the
    /// last reader of it would differ.
    var mayRepeat: Bool {
        switch self {
        case .objectAttributes, .optionalObjectAttributes, .grantFullControl, .grantRead, .grantReadACP, .grantWrite,
            .grantWriteACP:
            true
        default:
            false
        }
    }
}
