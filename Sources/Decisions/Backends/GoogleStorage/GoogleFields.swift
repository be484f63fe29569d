import HTTP1
import S3API
import WireFormats

/// A client's fields in the names of Google's XML API (Cloud Storage documentation, "HTTP headers and query string
/// parameters for XML API"). What Google has no like of refuses the request: nothing that a client wants of an object
/// vanishes on the way.
struct GoogleFields {
    private(set) var fields: FieldBlock
    /// `If-Match` of a request that changes something: Google compares generations there, not ETags.
    private(set) var ifMatch: [UInt8]?
    /// The client reads or gives a CRC32C, and is told Google's.
    private(set) var tellsChecksum = false

    private let operation: S3Operation
    /// Whether digests that the client gave hold for the body that goes out.
    private let keepsDigests: Bool
    /// The client's metadata are the object's.
    private let describesObject: Bool

    /// - Throws: `NotImplemented`, `InvalidStorageClass`, `InvalidRequest`.
    init(_ request: S3Request, _ sent: FieldBlock, body: OutgoingBody) throws(S3Error) {
        fields = FieldBlock(reservingBytes: 1024, fields: 16)
        operation = request.operation
        if case .stream = body { keepsDigests = true } else { keepsDigests = false }
        let replaces = sent.first("x-amz-metadata-directive").map { isWord($0, "replace") } ?? false
        describesObject =
            switch request.operation {
            case .putObject, .postObject, .createMultipartUpload: true
            case .copyObject: replaces
            default: false
            }
        // Whether a range still holds for what is there now can't be asked of Google; the whole is always right.
        let ignoresRange = sent.first("if-range") != nil
        for entry in sent.entries {
            try take(sent.name(entry), sent.value(entry), ignoresRange: ignoresRange)
        }
        // Fields that the client's SDK put into its signed query.
        try request.query.forEach { (name, value, _) throws(S3Error) in
            guard name.count > 6, AmzField(name: name) != nil || isUserMetadata(name), !sent.holds(name, value) else {
                return
            }
            try takeAmz(name, value)
        }
        if fields.first("x-goog-if-generation-match") != nil, ifMatch != nil {
            throw S3Error(.invalidRequest, "If-Match and If-None-Match were given together.")
        }
        // Otherwise Google unpacks what is kept as gzip, and its length and digests are another's.
        if reads { fields.append("accept-encoding", "gzip") }
    }

    private var reads: Bool { operation == .getObject || operation == .headObject }

    private mutating func take(
        _ name: ArraySlice<UInt8>,
        _ value: ArraySlice<UInt8>,
        ignoresRange: Bool
    ) throws(S3Error) {
        switch String(decoding: name.map { lowered($0) }, as: UTF8.self) {
        case let name where name.hasPrefix("x-amz-"): try takeAmz(Array(name.utf8)[...], value)
        case "range":
            if reads, !ignoresRange { fields.append("range", value) }
        case let name where Self.conditions.contains(name): try takeCondition(name, value)
        case "content-md5":
            if keepsDigests { fields.append("content-md5", value) }
        case "content-encoding":
            guard describesObject else { return }
            let rest = withoutAWSChunked(value)
            if !rest.isEmpty { fields.append("content-encoding", rest) }
        case "content-type", "content-language", "content-disposition", "cache-control":
            if describesObject { fields.append(name.map { lowered($0) }, value) }
        case "expires":
            guard !describesObject else { throw Self.unknown("Expires") }
        default: return
        }
    }

    private static let conditions: Set<String> = [
        "if-match", "if-none-match", "if-modified-since", "if-unmodified-since",
    ]

    private mutating func takeCondition(_ name: String, _ value: ArraySlice<UInt8>) throws(S3Error) {
        switch operation {
        case .getObject, .headObject: fields.append(name.utf8, quoted(value))
        case .putObject, .postObject, .copyObject, .deleteObject:
            switch name {
            case "if-match":
                guard ifMatch == nil else { throw S3Error(.invalidRequest, "If-Match was given more than once.") }
                ifMatch = Array(value)
            case "if-none-match":
                guard operation != .deleteObject, value.elementsEqual("*".utf8) else {
                    throw Self.unknown("If-None-Match with an ETag")
                }
                fields.append("x-goog-if-generation-match", "0")
            // S3 knows no other condition of a write, and ignores it.
            default: return
            }
        case .completeMultipartUpload:
            guard name != "if-match", name != "if-none-match" else {
                throw Self.unknown("A condition on the completion of an upload")
            }
        default: return
        }
    }

    private mutating func takeAmz(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) throws(S3Error) {
        guard let field = AmzField(name: name) else {
            if describesObject {
                fields.append("x-goog-".utf8 + name.dropFirst("x-amz-".utf8.count).map { lowered($0) }, value)
            }
            return
        }
        switch field {
        case .date, .contentSHA256, .securityToken, .userAgent, .cloudFrontID, .apiVersion, .decodedContentLength,
            .trailer, .requestPayer, .optionalObjectAttributes, .sdkChecksumAlgorithm, .checksumAlgorithm,
            .checksumType,
            .checksumCRC32, .checksumCRC64NVME, .checksumSHA1, .checksumSHA256, .multipartObjectSize, .copySource,
            .copySourceRange:
            return
        case .checksumMode: tellsChecksum = reads && isWord(value, "enabled")
        case .checksumCRC32C:
            guard keepsDigests else { return }
            tellsChecksum = true
            fields.append("x-goog-hash", "crc32c=".utf8 + value)
        case .acl:
            // What an object is without any: its owner's alone.
            guard
                value.isEmpty || value.elementsEqual("private".utf8)
                    || value.elementsEqual("bucket-owner-full-control".utf8)
            else { throw Self.unknown(field) }
        case .encryption:
            // Google encrypts everything so.
            guard value.elementsEqual("AES256".utf8) else { throw Self.unknown(field) }
        case .storageClass:
            guard describesObject || operation == .copyObject else { return }
            guard let name = GoogleStorageClass(s3: value) else { throw S3Error(.invalidStorageClass) }
            fields.append("x-goog-storage-class", name.rawValue)
        case .copySourceIfMatch, .copySourceIfNoneMatch:
            guard operation == .copyObject else { return }
            fields.append("x-goog-".utf8 + name.dropFirst("x-amz-".utf8.count).map { lowered($0) }, quoted(value))
        case .copySourceIfModifiedSince, .copySourceIfUnmodifiedSince, .metadataDirective:
            guard operation == .copyObject else { return }
            fields.append("x-goog-".utf8 + name.dropFirst("x-amz-".utf8.count).map { lowered($0) }, value)
        case .taggingDirective:
            // There are no tags to copy or to replace.
            return
        case .grantFullControl, .grantRead, .grantReadACP, .grantWrite, .grantWriteACP, .tagging, .objectLockMode,
            .objectLockRetainUntil, .objectLockLegalHold, .bypassGovernance, .bucketObjectLockEnabled, .websiteRedirect,
            .encryptionKeyID, .encryptionContext, .encryptionBucketKey, .customerAlgorithm, .customerKey,
            .customerKeyMD5, .expectedBucketOwner, .mfa, .objectAttributes, .maxParts, .partNumberMarker,
            .confirmRemoveSelfAccess, .objectOwnership, .transitionMinimumSize, .skipDestinationValidation,
            .objectLockToken, .copySourceCustomerAlgorithm, .copySourceCustomerKey, .copySourceCustomerKeyMD5,
            .sourceExpectedBucketOwner:
            throw Self.unknown(field)
        }
    }

    private static func unknown(_ field: AmzField) -> S3Error { unknown(field.rawValue) }

    private static func unknown(_ what: String) -> S3Error {
        S3Error(.notImplemented, "\(what) has no like at Google Cloud Storage.")
    }
}

/// How Google keeps an object; S3's names of classes that are about the same are understood.
enum GoogleStorageClass: String {
    case standard = "STANDARD"
    case nearline = "NEARLINE"
    case coldline = "COLDLINE"
    case archive = "ARCHIVE"

    init?(s3 name: ArraySlice<UInt8>) {
        switch String(decoding: name, as: UTF8.self) {
        case "STANDARD": self = .standard
        case "STANDARD_IA", "NEARLINE": self = .nearline
        case "GLACIER_IR", "COLDLINE": self = .coldline
        case "DEEP_ARCHIVE", "ARCHIVE": self = .archive
        default: return nil
        }
    }
}

/// Whether a value is this word, in any case.
private func isWord(_ value: ArraySlice<UInt8>, _ lowercase: String) -> Bool {
    value.elementsEqual(lowercase.utf8, by: { lowered($0) == $1 })
}

/// A condition's ETag in the quotes that it has to have, and that clients of S3 may leave out; what holds a date, a list or
/// `*` as it is.
private func quoted(_ value: ArraySlice<UInt8>) -> [UInt8] {
    let isBare =
        !value.isEmpty
        && value.allSatisfy { byte in
            (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || "+/=-_".utf8.contains(byte)
        }
    return isBare ? Array("\"".utf8) + value + Array("\"".utf8) : Array(value)
}
