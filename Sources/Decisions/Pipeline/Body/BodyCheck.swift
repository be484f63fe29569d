import Crypto
import NIOCore
import S3API

/// One promise about the bytes of a body: what a digest of them must turn out to be.
struct BodyCheck: Sendable {
    private var digest: SHA256
    private let expected: [UInt8]

    /// The hash that a caller signed, 32 bytes.
    init(signedSHA256 expected: [UInt8]) {
        digest = SHA256()
        self.expected = expected
    }

    mutating func update(_ bytes: ByteBuffer) {
        bytes.withUnsafeReadableBytes { digest.update(bufferPointer: $0) }
    }

    mutating func finish() throws(S3Error) {
        guard digest.finalize() == expected else { throw S3Error(.contentSHA256Mismatch) }
    }
}
