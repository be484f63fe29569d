/// The query parameters that S3 operations have, by their names on the wire. Any other parameter, but those that only
/// carry a signature, refuses the request.
enum QueryParameter: String, CaseIterable, Sendable {
    // Subresources: each names an operation, none goes with another.
    case accelerate, acl, attributes, cors, delete, encryption
    case legalHold = "legal-hold"
    case lifecycle, location, logging, notification
    case objectLock = "object-lock"
    case ownershipControls, policy, policyStatus, publicAccessBlock, replication, requestPayment, restore, retention
    case select, tagging
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
        .accelerate, .acl, .attributes, .cors, .delete, .encryption, .legalHold, .lifecycle, .location, .logging,
        .notification, .objectLock, .ownershipControls, .policy, .policyStatus, .publicAccessBlock, .replication,
        .requestPayment, .restore, .retention, .select, .tagging, .uploadID, .uploads, .versioning, .versions, .website,
    ])

    private static let names = WireNames<QueryParameter>(.exact)

    init?(name: ArraySlice<UInt8>) {
        guard let found = Self.names.find(name) else { return nil }
        self = found
    }
}

/// What a query name that is no ``QueryParameter`` may be.
enum ForeignParameter {
    /// Only beside a version 2 signature: botocore repeats the fields there that the signature covers. The fields
    /// themselves count.
    case repeatedField
    /// Names who signed with version 2.
    case accessKeyID
    /// Carries a signature, a link, or an SDK's remark: nothing to do with the operation, and never sent on.
    case ignored
    /// `x-amz-...`: a header that a signing SDK moved into the query.
    case hoistedHeader
    case unknown

    init(name: ArraySlice<UInt8>) {
        if hasAmzPrefix(name) {
            self = Self.signature.find(name) == nil ? .hoistedHeader : .ignored
        } else {
            self =
                switch Self.remarks.find(name) {
                case .contentType, .contentMD5: .repeatedField
                case .accessKeyID: .accessKeyID
                case .operation, .signature, .expires, .link: .ignored
                case nil: .unknown
                }
        }
    }

    private static let signature = WireNames<SignatureParameter>(.ignoringCase)
    private static let remarks = WireNames<Remark>(.exact)
}

/// Signature Version 4 in the query (S3 API reference, "Authenticating Requests: Using Query Parameters").
private enum SignatureParameter: String, CaseIterable {
    case algorithm = "x-amz-algorithm"
    case credential = "x-amz-credential"
    case date = "x-amz-date"
    case expires = "x-amz-expires"
    case signedHeaders = "x-amz-signedheaders"
    case signature = "x-amz-signature"
    case securityToken = "x-amz-security-token"
    case contentSHA256 = "x-amz-content-sha256"
}

private enum Remark: String, CaseIterable {
    /// Names the operation for the SDK's own logs.
    case operation = "x-id"
    // Signature Version 2.
    case accessKeyID = "AWSAccessKeyId"
    case signature = "Signature"
    case expires = "Expires"
    case contentType = "content-type"
    case contentMD5 = "content-md5"
    /// Ours.
    case link = "gh-link"
}

/// Whether the name begins with `x-amz-`, in any case.
func hasAmzPrefix(_ name: ArraySlice<UInt8>) -> Bool {
    name.count > 6 && equalsIgnoringCase(name.prefix(6), "x-amz-")
}

/// `lowercase` must be in lower case.
func equalsIgnoringCase(_ name: ArraySlice<UInt8>, _ lowercase: StaticString) -> Bool {
    guard name.count == lowercase.utf8CodeUnitCount else { return false }
    return name.withUnsafeBufferPointer { name in
        lowercase.withUTF8Buffer { wanted in
            for index in 0..<wanted.count {
                let byte = name[index]
                guard (byte &- 0x41 < 26 ? byte | 0x20 : byte) == wanted[index] else { return false }
            }
            return true
        }
    }
}
