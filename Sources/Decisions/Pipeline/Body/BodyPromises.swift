import HTTP1
import S3API
import Signatures
import WireFormats

/// What a request's head says of its body: its form, its length, and what it must turn out to be. Those fields count that
/// a signing SDK moved into the query, too.
struct BodyPromises: Sendable {
    /// Bytes of the object, whatever the form; nil where it is not told.
    private(set) var length: Int64?
    private(set) var chunked: Chunked?
    /// Of `Content-MD5`, 16 bytes.
    private(set) var contentMD5: [UInt8]?
    private(set) var checksum: Value?
    /// A hash that the caller signed or stated, 32 bytes.
    private(set) var payloadHash: [UInt8]?

    /// A checksum in a header: the algorithm and the digest.
    struct Value: Hashable, Sendable {
        let algorithm: ChecksumAlgorithm
        let digest: [UInt8]
    }

    /// How an aws-chunked body is sent.
    struct Chunked: Hashable, Sendable {
        let form: AWSChunkedForm
        /// The checksum that the trailer tells; nil: none.
        let trailer: ChecksumAlgorithm?
    }

    /// - Throws: `InvalidDigest`, `InvalidRequest`, `InvalidArgument`, `MissingContentLength`; `NotImplemented` for a form
    ///   of body that is not known.
    init(_ head: RequestHead, _ request: S3Request, payload: PayloadHash) throws(S3Error) {
        var fields = Fields()
        for entry in head.fields.entries {
            if head.fields.hasPrefix(entry, "x-amz-") {
                try fields.note(head.fields.name(entry), head.fields.value(entry))
            } else if head.fields.isNamed(entry, "content-md5") {
                guard contentMD5 == nil else { throw S3Error(.invalidRequest, "Content-MD5 was given twice.") }
                guard let digest = Base64.decode(head.fields.value(entry)), digest.count == 16 else {
                    throw S3Error(.invalidDigest, "The Content-MD5 you specified is not valid.")
                }
                contentMD5 = digest
            }
        }
        if !request.query.isEmpty {
            try request.query.forEach { (name, value, _) throws(S3Error) in try fields.note(name, value) }
        }
        if case .length(let length) = head.framing { self.length = length }
        if case .sha256(let digest) = payload { payloadHash = digest }
        // What a completion states is of the object that its parts make.
        if request.operation != .completeMultipartUpload { checksum = fields.checksum }
        try takeForm(payload, fields, head)
        if let stated = fields.statedAlgorithm, let found = checksum?.algorithm ?? chunked?.trailer, stated != found {
            throw S3Error(.invalidRequest, "Value for x-amz-sdk-checksum-algorithm header is invalid.")
        }
    }

    private mutating func takeForm(_ payload: PayloadHash, _ fields: Fields, _ head: RequestHead) throws(S3Error) {
        let form: AWSChunkedForm
        switch payload {
        case .chunked(let stated): form = stated
        case .unsigned where fields.trailer != nil && head.fields.first("x-amz-content-sha256") == nil:
            // An SDK without a credential leaves the one header out that names the form, and keeps the others.
            form = .unsignedWithTrailer
        case .unsigned, .sha256:
            guard fields.trailer == nil else {
                throw S3Error(.invalidRequest, "x-amz-trailer belongs to aws-chunked bodies.")
            }
            guard fields.decodedLength == nil || fields.decodedLength == length else {
                throw S3Error(.invalidRequest, "x-amz-decoded-content-length is not the length of the body.")
            }
            return
        }
        guard let decodedLength = fields.decodedLength else {
            throw S3Error(.missingContentLength, "You must provide the x-amz-decoded-content-length HTTP header.")
        }
        guard form.hasTrailer || fields.trailer == nil else {
            throw S3Error(.invalidRequest, "A trailer was announced that this form of body does not have.")
        }
        guard fields.trailer == nil || checksum == nil else { throw Fields.severalChecksums }
        length = decodedLength
        chunked = Chunked(form: form, trailer: fields.trailer)
    }

    /// What the body must turn out to be, in the order in which a breach of it is told.
    ///
    /// - Parameter hashing: whether a signed hash is held against the body here.
    func checks(hashing: Hashing) -> [BodyCheck] {
        var checks: [BodyCheck] = []
        if let payloadHash, hashing == .here { checks.append(BodyCheck(.payloadHash, expected: payloadHash)) }
        if let contentMD5 { checks.append(BodyCheck(.contentMD5, expected: contentMD5)) }
        if let checksum { checks.append(BodyCheck(.checksum(checksum.algorithm), expected: checksum.digest)) }
        if let trailer = chunked?.trailer { checks.append(BodyCheck(.checksum(trailer), expected: nil)) }
        return checks
    }

    /// Who compares a body with the hash that its sender signed.
    enum Hashing { case here, atTheStore }

    /// The algorithm whose checksum the client gives, in whichever way.
    var algorithm: ChecksumAlgorithm? { checksum?.algorithm ?? chunked?.trailer }
}

/// The `x-amz-` fields about a body. That each is there once at most has been seen to.
private struct Fields {
    private(set) var checksum: BodyPromises.Value?
    private(set) var decodedLength: Int64?
    private(set) var trailer: ChecksumAlgorithm?
    private(set) var statedAlgorithm: ChecksumAlgorithm?

    static var severalChecksums: S3Error {
        S3Error(
            .invalidRequest,
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
    }

    mutating func note(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) throws(S3Error) {
        guard name.count > 6, let field = AmzField(name: name) else { return }
        switch field {
        case .decodedContentLength:
            guard let length = Self.length(value) else {
                throw S3Error(.invalidArgument, "x-amz-decoded-content-length must be a number of bytes.")
            }
            decodedLength = length
        case .trailer:
            guard let algorithm = ChecksumAlgorithm(header: value) else {
                throw S3Error(.invalidRequest, "The value specified in the x-amz-trailer header is not supported.")
            }
            trailer = algorithm
        case .sdkChecksumAlgorithm:
            guard let algorithm = ChecksumAlgorithm(name: value) else {
                throw S3Error(.invalidRequest, "Value for x-amz-sdk-checksum-algorithm header is invalid.")
            }
            statedAlgorithm = algorithm
        case .checksumCRC32: try take(.crc32, value)
        case .checksumCRC32C: try take(.crc32c, value)
        case .checksumCRC64NVME: try take(.crc64nvme, value)
        case .checksumSHA1: try take(.sha1, value)
        case .checksumSHA256: try take(.sha256, value)
        default: return
        }
    }

    private mutating func take(_ algorithm: ChecksumAlgorithm, _ value: ArraySlice<UInt8>) throws(S3Error) {
        guard checksum == nil else { throw Self.severalChecksums }
        guard let digest = Base64.decode(value), digest.count == algorithm.digestLength else {
            throw S3Error(.invalidRequest, "Value for \(algorithm.header) header is invalid.")
        }
        checksum = BodyPromises.Value(algorithm: algorithm, digest: digest)
    }

    /// A decimal number of at most 18 digits.
    private static func length(_ text: ArraySlice<UInt8>) -> Int64? {
        guard (1...18).contains(text.count), text.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }) else { return nil }
        return text.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }
}
