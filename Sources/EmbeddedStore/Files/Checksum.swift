import Crypto
import WireFormats

/// The additional checksums of S3 (S3 User Guide, "Checking object integrity"). The store computes and compares all
/// of them; none is taken on trust.
enum ChecksumAlgorithm: String, CaseIterable, Sendable {
    case crc32 = "CRC32"
    case crc32c = "CRC32C"
    case crc64nvme = "CRC64NVME"
    case sha1 = "SHA1"
    case sha256 = "SHA256"

    /// The header that carries it, in lower case.
    var field: StaticString {
        switch self {
        case .crc32: "x-amz-checksum-crc32"
        case .crc32c: "x-amz-checksum-crc32c"
        case .crc64nvme: "x-amz-checksum-crc64nvme"
        case .sha1: "x-amz-checksum-sha1"
        case .sha256: "x-amz-checksum-sha256"
        }
    }

    /// The element that carries it in XML.
    var element: StaticString {
        switch self {
        case .crc32: "ChecksumCRC32"
        case .crc32c: "ChecksumCRC32C"
        case .crc64nvme: "ChecksumCRC64NVME"
        case .sha1: "ChecksumSHA1"
        case .sha256: "ChecksumSHA256"
        }
    }

    var length: Int {
        switch self {
        case .crc32, .crc32c: 4
        case .crc64nvme: 8
        case .sha1: 20
        case .sha256: 32
        }
    }

    /// How the checks of parts make one of the whole, where nothing was asked for.
    var usualComposition: ChecksumComposition {
        switch self {
        case .crc64nvme: .fullObject
        case .crc32, .crc32c, .sha1, .sha256: .composite
        }
    }

    var crc: CRC.Kind? {
        switch self {
        case .crc32: .crc32
        case .crc32c: .crc32c
        case .crc64nvme: .crc64nvme
        case .sha1, .sha256: nil
        }
    }
}

/// What the checksum of a multipart object is over (`x-amz-checksum-type`).
enum ChecksumComposition: String, Sendable {
    /// The checksums of the parts, with `-N` appended.
    case composite = "COMPOSITE"
    /// All the bytes: only what is linear can do it.
    case fullObject = "FULL_OBJECT"
}

/// A checksum and its algorithm.
struct Checksum: Hashable, Sendable {
    let algorithm: ChecksumAlgorithm
    /// Big endian, `algorithm.length` bytes.
    let digest: [UInt8]

    init(algorithm: ChecksumAlgorithm, digest: [UInt8]) {
        self.algorithm = algorithm
        self.digest = digest
    }

    var base64: String { Base64.encode(digest) }

    /// The checksum of a whole object from those of its parts, as S3 words it; nil where the algorithm can't do it.
    static func combining(
        _ parts: [(digest: [UInt8], size: Int64)],
        algorithm: ChecksumAlgorithm,
        as composition: ChecksumComposition
    ) -> String? {
        switch composition {
        case .composite:
            var running = RunningChecksum(algorithm)
            for part in parts { part.digest.withUnsafeBytes { running.update($0) } }
            return Base64.encode(running.digest) + "-\(parts.count)"
        case .fullObject:
            guard let kind = algorithm.crc, let first = parts.first else { return nil }
            var value = number(first.digest)
            for part in parts.dropFirst() {
                value = kind.combined(value, number(part.digest), secondLength: part.size)
            }
            return Base64.encode(bigEndian(value, length: algorithm.length))
        }
    }

    private static func number(_ digest: [UInt8]) -> UInt64 { digest.reduce(0) { $0 << 8 | UInt64($1) } }
}

/// A checksum under way.
struct RunningChecksum: Sendable {
    private enum State: Sendable {
        case crc(CRC)
        case sha1(Insecure.SHA1)
        case sha256(SHA256)
    }

    private var state: State
    let algorithm: ChecksumAlgorithm

    init(_ algorithm: ChecksumAlgorithm) {
        self.algorithm = algorithm
        switch algorithm {
        case .crc32: state = .crc(CRC(.crc32))
        case .crc32c: state = .crc(CRC(.crc32c))
        case .crc64nvme: state = .crc(CRC(.crc64nvme))
        case .sha1: state = .sha1(Insecure.SHA1())
        case .sha256: state = .sha256(SHA256())
        }
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        switch state {
        case .crc(var crc):
            crc.update(bytes)
            state = .crc(crc)
        case .sha1(var hash):
            hash.update(bufferPointer: bytes)
            state = .sha1(hash)
        case .sha256(var hash):
            hash.update(bufferPointer: bytes)
            state = .sha256(hash)
        }
    }

    var digest: [UInt8] {
        switch state {
        case .crc(let crc): bigEndian(crc.value, length: algorithm.length)
        case .sha1(let hash): Array(hash.finalize())
        case .sha256(let hash): Array(hash.finalize())
        }
    }
}

private func bigEndian(_ value: UInt64, length: Int) -> [UInt8] {
    (0..<length).reversed().map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
}
