import WireFormats

/// The checksum of a body or an object, and its algorithm. The store computes and compares all of them; none is taken
/// on trust.
struct ObjectChecksum: Hashable, Sendable {
    let algorithm: ChecksumAlgorithm
    /// Big endian, `algorithm.digestLength` bytes.
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
            var running = Checksum(algorithm)
            for part in parts { running.update(part.digest) }
            return Base64.encode(running.finalize()) + "-\(parts.count)"
        case .fullObject:
            return Checksum.combining(parts.map { (digest: $0.digest, length: $0.size) }, algorithm: algorithm)
                .map { Base64.encode($0) }
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

extension ChecksumAlgorithm {
    /// What the store computes where the client names nothing, as S3 does.
    static let usual = Self.crc64nvme

    /// How the checks of parts make one of the whole, where nothing was asked for.
    var usualComposition: ChecksumComposition {
        switch self {
        case .crc64nvme: .fullObject
        case .crc32, .crc32c, .sha1, .sha256: .composite
        }
    }
}
