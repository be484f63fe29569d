import HTTP1
import S3API
import Signatures
import WireFormats

/// What the store reads from a request's fields: conditions, ranges, claims about the body, what to keep with an
/// object. Repeated `x-amz-*` fields have been refused by ``S3Classifier`` before.
struct RequestReading {
    let head: RequestHead
    let query: Query

    // MARK: What the store does not do

    /// Refuses what was asked for and would be lost: nothing is dropped in silence.
    /// - Throws: `NotImplemented`, `InvalidStorageClass`, `AccessControlListNotSupported`.
    func refuseUnsupported(_ operation: S3Operation) throws(S3Error) {
        for entry in head.fields.entries where head.fields.hasPrefix(entry, "x-amz-") {
            guard let field = AmzField(name: head.fields.name(entry)) else { continue }
            switch field {
            case .acl:
                let value = head.fields.value(entry)
                guard value.elementsEqual("private".utf8) || value.elementsEqual("bucket-owner-full-control".utf8)
                else { throw S3Error(.accessControlListNotSupported) }
            case .grantFullControl, .grantRead, .grantReadACP, .grantWrite, .grantWriteACP:
                throw S3Error(.accessControlListNotSupported)
            case .storageClass:
                guard Self.storageClasses.contains(where: { head.fields.value(entry).elementsEqual($0.utf8) }) else {
                    throw S3Error(.invalidStorageClass)
                }
            case .tagging:
                guard operation == .putObject || operation == .copyObject || operation == .createMultipartUpload
                else { throw Self.unsupported(field) }
            case .objectAttributes, .maxParts, .partNumberMarker:
                guard operation == .getObjectAttributes else { throw Self.unsupported(field) }
            case .objectLockMode, .objectLockRetainUntil, .objectLockLegalHold, .bypassGovernance,
                .bucketObjectLockEnabled, .websiteRedirect, .encryption, .encryptionKeyID, .encryptionContext,
                .encryptionBucketKey, .customerAlgorithm, .customerKey, .customerKeyMD5, .mfa,
                .optionalObjectAttributes, .copySourceCustomerAlgorithm, .copySourceCustomerKey,
                .copySourceCustomerKeyMD5, .trailer, .decodedContentLength:
                throw Self.unsupported(field)
            default:
                continue
            }
        }
        for item in query.items where item.name.starts(with: "x-amz-".utf8) || item.name.starts(with: "X-Amz-".utf8) {
            throw S3Error(.notImplemented, "The embedded store takes no headers from the query.")
        }
    }

    /// Those whose objects can be read at once: the others would need to be restored first.
    private static let storageClasses = [
        "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR",
    ]

    private static func unsupported(_ field: AmzField) -> S3Error {
        S3Error(.notImplemented, "The embedded store does not implement \(field.rawValue).")
    }

    // MARK: Conditions and ranges

    var conditions: Conditions {
        Conditions(
            ifMatch: head.fields.first("if-match").map { ETagCondition(parsing: $0) },
            ifNoneMatch: head.fields.first("if-none-match").map { ETagCondition(parsing: $0) },
            ifModifiedSince: head.fields.first("if-modified-since").flatMap { Timestamp.parseHTTP($0) },
            ifUnmodifiedSince: head.fields.first("if-unmodified-since").flatMap { Timestamp.parseHTTP($0) }
        )
    }

    var copySourceConditions: Conditions {
        let fields = head.fields
        return Conditions(
            ifMatch: fields.first("x-amz-copy-source-if-match").map { ETagCondition(parsing: $0) },
            ifNoneMatch: fields.first("x-amz-copy-source-if-none-match").map { ETagCondition(parsing: $0) },
            ifModifiedSince: fields.first("x-amz-copy-source-if-modified-since").flatMap { Timestamp.parseHTTP($0) },
            ifUnmodifiedSince: fields.first("x-amz-copy-source-if-unmodified-since")
                .flatMap { Timestamp.parseHTTP($0) }
        )
    }

    /// The bytes a GET or HEAD asks for. `If-Range` is still to be judged.
    /// - Throws: `InvalidRequest` for a range within a part.
    func selection() throws(S3Error) -> Selection {
        let range = head.fields.first("range").flatMap { ByteRange(parsing: $0) }
        guard let part = query.first("partNumber") else { return range.map { .range($0) } ?? .whole }
        guard range == nil else {
            throw S3Error(.invalidRequest, "Cannot specify both Range header and partNumber query parameter")
        }
        return .part(try Self.number(part, "partNumber", in: ObjectStore.partNumbers))
    }

    // MARK: The body

    /// What the request says of its body.
    /// - Throws: `MissingContentLength`, `NotImplemented`, `InvalidDigest`, `InvalidRequest`.
    func claims(_ payload: PayloadHash) throws(S3Error) -> BodyClaims {
        guard case .length(let length) = head.framing else { throw S3Error(.missingContentLength) }
        return BodyClaims(
            length: length,
            sha256: try digest(payload),
            md5: try md5(),
            checksum: try checksum(),
            computing: try namedAlgorithm()
        )
    }

    func digest(_ payload: PayloadHash) throws(S3Error) -> [UInt8]? {
        switch payload {
        case .unsigned: nil
        case .sha256(let digest): digest
        case .chunked: throw S3Error(.notImplemented)
        }
    }

    func md5() throws(S3Error) -> [UInt8]? {
        guard let text = head.fields.first("content-md5") else { return nil }
        guard let digest = Base64.decode(text), digest.count == 16 else { throw S3Error(.invalidDigest) }
        return digest
    }

    /// The one checksum sent with the request.
    func checksum() throws(S3Error) -> ObjectChecksum? {
        var found: ObjectChecksum?
        for algorithm in ChecksumAlgorithm.allCases {
            guard let text = head.fields.first(algorithm.header) else { continue }
            guard found == nil else {
                throw S3Error(.invalidRequest, "Expecting a single x-amz-checksum- header. Multiple checksums found.")
            }
            guard let digest = Base64.decode(text), digest.count == algorithm.digestLength else {
                throw S3Error(.invalidRequest, "Value for \(algorithm.header) header is invalid.")
            }
            found = ObjectChecksum(algorithm: algorithm, digest: digest)
        }
        return found
    }

    /// The algorithm that the request names, with or without a checksum.
    func namedAlgorithm() throws(S3Error) -> ChecksumAlgorithm? {
        guard
            let name = head.fields.first("x-amz-checksum-algorithm")
                ?? head.fields.first("x-amz-sdk-checksum-algorithm")
        else { return nil }
        guard let algorithm = ChecksumAlgorithm(name: name) else {
            throw S3Error(.invalidRequest, "Checksum algorithm provided is unsupported.")
        }
        return algorithm
    }

    /// What a completion says of the whole object.
    func claimedWhole() throws(S3Error) -> ClaimedWhole {
        var claimed = ClaimedWhole()
        for algorithm in ChecksumAlgorithm.allCases {
            guard let text = head.fields.string(algorithm.header) else { continue }
            guard claimed.checksum == nil else {
                throw S3Error(.invalidRequest, "Expecting a single x-amz-checksum- header. Multiple checksums found.")
            }
            claimed.checksum = (algorithm, text)
        }
        if let name = head.fields.string("x-amz-checksum-type") {
            claimed.composition = ChecksumComposition(rawValue: name)
            guard claimed.composition != nil else {
                throw S3Error(.invalidRequest, "Value for x-amz-checksum-type header is invalid.")
            }
        }
        if let text = head.fields.string("x-amz-mp-object-size") {
            guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let size = Int64(text) else {
                throw S3Error(.invalidRequest, "Value for x-amz-mp-object-size header is invalid.")
            }
            claimed.size = size
        }
        return claimed
    }

    /// The algorithm and composition that a new upload names.
    func uploadChecksum() throws(S3Error) -> (ChecksumAlgorithm?, ChecksumComposition?) {
        var algorithm: ChecksumAlgorithm?
        if let name = head.fields.string("x-amz-checksum-algorithm") {
            algorithm = ChecksumAlgorithm(rawValue: name)
            guard algorithm != nil else { throw S3Error(.invalidRequest, "Checksum algorithm is not known.") }
        }
        guard let name = head.fields.string("x-amz-checksum-type") else { return (algorithm, nil) }
        guard let algorithm, let composition = ChecksumComposition(rawValue: name) else {
            throw S3Error(.invalidRequest, "x-amz-checksum-type needs a known value and x-amz-checksum-algorithm.")
        }
        let isPossible = composition == .fullObject ? algorithm.isCombinable : algorithm != .crc64nvme
        guard isPossible else {
            throw S3Error(.invalidRequest, "\(name) is not possible with \(algorithm.rawValue).")
        }
        return (algorithm, composition)
    }

    // MARK: What is kept with an object

    /// Content headers, metadata, tags and storage class.
    /// - Throws: `MetadataTooLarge`: S3 allows 2 KB of names and values; `InvalidTag`, `InvalidArgument`.
    func storedFields() throws(S3Error) -> StoredFields {
        var stored = StoredFields()
        var metadata = 0
        for entry in head.fields.entries {
            let name = head.fields.name(entry).map { lowered($0) }
            let value = head.fields.value(entry)
            if isUserMetadata(name[...]) {
                metadata += name.count - "x-amz-meta-".utf8.count + value.count
                guard metadata <= 2048 else { throw S3Error(.metadataTooLarge) }
                stored.append(name, value)
            } else if Self.contentFields.contains(where: { name.elementsEqual($0.utf8) }) {
                stored.append(name, value)
            }
        }
        stored.set("x-amz-tagging", try tags())
        stored.set("x-amz-storage-class", storageClass)
        return stored
    }

    /// As kept; nil where there is none.
    func tags() throws(S3Error) -> [UInt8]? {
        guard let text = head.fields.first("x-amz-tagging") else { return nil }
        let header = try TagSet(header: text).header
        return header.isEmpty ? nil : header
    }

    /// As kept; nil for `STANDARD`.
    var storageClass: [UInt8]? {
        head.fields.first("x-amz-storage-class").flatMap { $0.elementsEqual("STANDARD".utf8) ? nil : Array($0) }
    }

    private static let contentFields = [
        "content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires",
    ]

    // MARK: Numbers of the query

    /// The value of a parameter between two numbers.
    static func number(_ text: [UInt8], _ name: StaticString, in allowed: ClosedRange<Int>) throws(S3Error) -> Int {
        guard let number = decimal(text), allowed.contains(number) else {
            throw S3Error(.invalidArgument, "\(name) must be between \(allowed.lowerBound) and \(allowed.upperBound)")
        }
        return number
    }

    /// A page size: at most 1000, which is also what an absent or empty one means.
    func limit(_ name: StaticString) -> Int {
        min(1000, query.first(name).flatMap { decimal($0) } ?? 1000)
    }
}
