/// The query parameters that S3 operations have, by their names on the wire. Any other parameter, but those that only
/// carry a signature, refuses the request.
enum QueryParameter: String, CaseIterable, Sendable {
    // Subresources: each names an operation, none goes with another.
    case acl, attributes, cors, delete, encryption
    case legalHold = "legal-hold"
    case lifecycle, location, notification
    case objectLock = "object-lock"
    case policy, policyStatus, restore, retention, select, tagging
    case uploadID = "uploadId"
    case uploads, versioning, versions, website
    // What qualifies an operation.
    case bucketRegion = "bucket-region"
    case continuationToken = "continuation-token"
    case delimiter
    case encodingType = "encoding-type"
    case fetchOwner = "fetch-owner"
    case keyMarker = "key-marker"
    case listType = "list-type"
    case marker
    case maxBuckets = "max-buckets"
    case maxKeys = "max-keys"
    case maxParts = "max-parts"
    case maxUploads = "max-uploads"
    case partNumber
    case partNumberMarker = "part-number-marker"
    case prefix
    case responseCacheControl = "response-cache-control"
    case responseContentDisposition = "response-content-disposition"
    case responseContentEncoding = "response-content-encoding"
    case responseContentLanguage = "response-content-language"
    case responseContentType = "response-content-type"
    case responseExpires = "response-expires"
    case selectType = "select-type"
    case startAfter = "start-after"
    case uploadIDMarker = "upload-id-marker"
    case versionID = "versionId"
    case versionIDMarker = "version-id-marker"

    static let subresources = EnumerationSet<QueryParameter>([
        .acl, .attributes, .cors, .delete, .encryption, .legalHold, .lifecycle, .location, .notification, .objectLock,
        .policy, .policyStatus, .restore, .retention, .select, .tagging, .uploadID, .uploads, .versioning, .versions,
        .website,
    ])

    private static let names = WireNames<QueryParameter>(.exact)

    init?(name: ArraySlice<UInt8>) {
        guard let found = Self.names.find(name) else { return nil }
        self = found
    }
}

/// What a query name that is no ``QueryParameter`` may be.
enum ForeignParameter {
    /// Carries a signature, a link, or an SDK's remark: nothing to do with the operation, and never sent on.
    case ignored
    /// `x-amz-...`: a header that a signing SDK moved into the query.
    case hoistedHeader
    case unknown

    init(name: some Collection<UInt8>) {
        if hasAmzPrefix(name) {
            self = Self.signature.contains(where: { equalsIgnoringCase(name, $0) }) ? .ignored : .hoistedHeader
        } else {
            self = Self.remarks.contains(where: { name.elementsEqual($0.utf8) }) ? .ignored : .unknown
        }
    }

    /// Signature Version 4 in the query (S3 API reference, "Authenticating Requests: Using Query Parameters").
    private static let signature = [
        "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders",
        "x-amz-signature", "x-amz-security-token", "x-amz-content-sha256",
    ]
    /// `x-id` names the operation for the SDK's own logs; the next three are Signature Version 2; the last is ours.
    private static let remarks = ["x-id", "AWSAccessKeyId", "Signature", "Expires", "gh-link"]
}

/// Whether the name begins with `x-amz-`, in any case.
func hasAmzPrefix(_ name: some Collection<UInt8>) -> Bool {
    name.count > 6 && equalsIgnoringCase(name.prefix(6), "x-amz-")
}

/// `lowercase` must be in lower case.
func equalsIgnoringCase(_ name: some Collection<UInt8>, _ lowercase: String) -> Bool {
    let wanted = lowercase.utf8
    guard name.count == wanted.count else { return false }
    return zip(name, wanted).allSatisfy { byte, other in (byte &- 0x41 < 26 ? byte | 0x20 : byte) == other }
}
