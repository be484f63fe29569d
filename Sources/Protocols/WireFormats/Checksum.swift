import CChecksums
import Crypto

/// A checksum of S3 under way.
public struct Checksum: Sendable {
    public let algorithm: ChecksumAlgorithm
    // One of the three is in use. Not an enumeration: a payload taken out and put back would copy the hash each time.
    private var crc: UInt64 = 0
    private var sha1: Insecure.SHA1?
    private var sha256: SHA256?

    public init(_ algorithm: ChecksumAlgorithm) {
        self.algorithm = algorithm
        switch algorithm {
        case .crc32, .crc32c, .crc64nvme: break
        case .sha1: sha1 = Insecure.SHA1()
        case .sha256: sha256 = SHA256()
        }
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if let kind = algorithm.kind {
            crc = gatehouse_crc(kind, crc, bytes.baseAddress, bytes.count)
        } else {
            sha1?.update(bufferPointer: bytes)
            sha256?.update(bufferPointer: bytes)
        }
    }

    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The checksum of all bytes so far, big endian, `algorithm.digestLength` bytes.
    public func finalize() -> [UInt8] {
        if let sha256 { return Array(sha256.finalize()) }
        if let sha1 { return Array(sha1.finalize()) }
        return Self.bigEndian(crc, length: algorithm.digestLength)
    }

    /// The checksum of `bytes`.
    public static func of(_ bytes: [UInt8], _ algorithm: ChecksumAlgorithm) -> [UInt8] {
        var checksum = Checksum(algorithm)
        checksum.update(bytes)
        return checksum.finalize()
    }

    /// The checksum of a whole from the digests and lengths in bytes of its parts, in order: what S3 calls
    /// `FULL_OBJECT`. nil where the algorithm cannot do it or a digest is not one of it.
    public static func combining(
        _ parts: [(digest: [UInt8], length: Int64)],
        algorithm: ChecksumAlgorithm
    ) -> [UInt8]? {
        guard let kind = algorithm.kind else { return nil }
        var whole: UInt64 = 0
        for part in parts {
            guard part.digest.count == algorithm.digestLength, let length = UInt64(exactly: part.length) else {
                return nil
            }
            whole = gatehouse_crc_combine(kind, whole, part.digest.reduce(0) { $0 << 8 | UInt64($1) }, length)
        }
        return bigEndian(whole, length: algorithm.digestLength)
    }

    private static func bigEndian(_ value: UInt64, length: Int) -> [UInt8] {
        (0..<length).reversed().map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }
}

extension ChecksumAlgorithm {
    fileprivate var kind: gatehouse_crc_kind? {
        switch self {
        case .crc32: GATEHOUSE_CRC32
        case .crc32c: GATEHOUSE_CRC32C
        case .crc64nvme: GATEHOUSE_CRC64NVME
        case .sha1, .sha256: nil
        }
    }
}
