import Crypto
import NIOCore
import S3API
import WireFormats

/// One promise about the bytes of a body: what a digest of them must turn out to be.
struct BodyCheck: Sendable {
    /// What was promised, which decides what its breach is called.
    enum Promise: Hashable, Sendable {
        /// The hash that a caller signed or stated.
        case payloadHash
        case contentMD5
        /// A checksum in a header or in the trailer.
        case checksum(ChecksumAlgorithm)
    }

    let promise: Promise
    /// Nil as long as the trailer that tells it has not come.
    var expected: [UInt8]?
    // One of the two is in use.
    private var checksum: Checksum?
    private var md5: Insecure.MD5?

    init(_ promise: Promise, expected: [UInt8]?) {
        self.promise = promise
        self.expected = expected
        switch promise {
        case .payloadHash: checksum = Checksum(.sha256)
        case .checksum(let algorithm): checksum = Checksum(algorithm)
        case .contentMD5: md5 = Insecure.MD5()
        }
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        checksum?.update(bytes)
        md5?.update(bufferPointer: bytes)
    }

    /// - Throws: `XAmzContentSHA256Mismatch`, `BadDigest`; `MalformedTrailerError` where no trailer told what to expect.
    func finish() throws(S3Error) {
        guard let expected else { throw S3Error(.malformedTrailer, "The announced trailer is missing.") }
        let found = checksum?.finalize() ?? md5.map { Array($0.finalize()) } ?? []
        guard found != expected else { return }
        switch promise {
        case .payloadHash: throw S3Error(.contentSHA256Mismatch)
        case .contentMD5:
            throw S3Error(.badDigest, "The Content-MD5 you specified did not match what we received.")
        case .checksum(let algorithm):
            throw S3Error(
                .badDigest,
                "The \(algorithm.name) you specified did not match the calculated checksum."
            )
        }
    }

    /// Whether a document of a request is what its head promises.
    static func check(_ document: [UInt8], _ checks: [BodyCheck]) throws(S3Error) {
        for check in checks {
            var check = check
            document.withUnsafeBytes { check.update($0) }
            try check.finish()
        }
    }
}
