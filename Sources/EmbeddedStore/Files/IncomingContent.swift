import Crypto
import NIOCore
import S3API
import WireFormats

/// What the sender said of a body; what arrives must agree in every respect, or nothing of it is kept.
struct BodyClaims: Sendable {
    /// Bytes.
    var length: Int64
    /// Of `x-amz-content-sha256`; nil for `UNSIGNED-PAYLOAD`.
    var sha256: [UInt8]?
    /// Of `Content-MD5`.
    var md5: [UInt8]?
    /// Of `x-amz-checksum-*`.
    var checksum: ObjectChecksum?
    /// A checksum to compute although none was sent.
    var computing: ChecksumAlgorithm?

    init(
        length: Int64,
        sha256: [UInt8]? = nil,
        md5: [UInt8]? = nil,
        checksum: ObjectChecksum? = nil,
        computing: ChecksumAlgorithm? = nil
    ) {
        self.length = length
        self.sha256 = sha256
        self.md5 = md5
        self.checksum = checksum
        self.computing = computing
    }
}

/// Bytes that were received whole, agree with their claims, and will survive a crash; without a row in the index yet.
struct ReceivedContent: Sendable {
    let id: ContentID
    let size: Int64
    /// 16 bytes.
    let md5: [UInt8]
    let checksum: ObjectChecksum?
}

/// A body on its way into a file: hashed and written in one pass, on the thread pool, a batch of buffers a hop.
struct IncomingContent: Sendable {
    let id: ContentID
    let file: SystemFile
    private let claims: BodyClaims
    private var size: Int64 = 0
    private var md5 = Insecure.MD5()
    private var sha256: SHA256?
    private var checksum: Checksum?

    init(id: ContentID, file: SystemFile, claims: BodyClaims) {
        self.id = id
        self.file = file
        self.claims = claims
        sha256 = claims.sha256 == nil ? nil : SHA256()
        checksum = (claims.checksum?.algorithm ?? claims.computing).map { Checksum($0) }
    }

    mutating func append(_ buffers: [ByteBuffer]) throws {
        for buffer in buffers {
            size += Int64(buffer.readableBytes)
            guard size <= claims.length else { throw S3Error(.incompleteBody) }
            try buffer.withUnsafeReadableBytes { bytes in
                md5.update(bufferPointer: bytes)
                sha256?.update(bufferPointer: bytes)
                checksum?.update(bytes)
                try file.write(bytes)
            }
        }
    }

    /// Compares everything that was claimed.
    /// - Throws: `IncompleteBody`, `XAmzContentSHA256Mismatch`, `BadDigest`.
    func finish() throws(S3Error) -> ReceivedContent {
        guard size == claims.length else { throw S3Error(.incompleteBody) }
        if let claimed = claims.sha256, let sha256, !constantTimeEqual(Array(sha256.finalize()), claimed) {
            throw S3Error(.contentSHA256Mismatch)
        }
        let md5 = Array(md5.finalize())
        if let claimed = claims.md5, claimed != md5 { throw S3Error(.badDigest) }
        let computed = checksum.map { ObjectChecksum(algorithm: $0.algorithm, digest: $0.finalize()) }
        if let claimed = claims.checksum, claimed != computed {
            throw S3Error(
                .badDigest,
                "The \(claimed.algorithm.rawValue) you specified did not match what was received."
            )
        }
        return ReceivedContent(id: id, size: size, md5: md5, checksum: computed)
    }
}

/// The ETag of an object made of parts: the MD5 of their MD5s, and how many there are.
func multipartETag(_ digests: [[UInt8]]) -> String {
    var hash = Insecure.MD5()
    for digest in digests { hash.update(data: digest) }
    return Hex.encode(Array(hash.finalize())) + "-\(digests.count)"
}

func sha256(of bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
func md5(of bytes: [UInt8]) -> [UInt8] { Array(Insecure.MD5.hash(data: bytes)) }
