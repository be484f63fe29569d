/// The additional checksums of S3 (S3 User Guide, "Checking object integrity"). The raw value is the name that S3 calls
/// it by: `CRC32` ...
public enum ChecksumAlgorithm: String, CaseIterable, Hashable, Sendable {
    case crc32 = "CRC32"
    case crc32c = "CRC32C"
    case crc64nvme = "CRC64NVME"
    case sha1 = "SHA1"
    case sha256 = "SHA256"

    /// By its name, in either case.
    public init?(name: some Collection<UInt8>) {
        guard let match = Self.allCases.first(where: { Self.isSame(name, $0.rawValue.utf8) }) else { return nil }
        self = match
    }

    /// By the field or trailer that carries it, in either case.
    public init?(header: some Collection<UInt8>) {
        guard let match = Self.allCases.first(where: { $0.header.withUTF8Buffer { Self.isSame(header, $0) } }) else {
            return nil
        }
        self = match
    }

    public var name: String { rawValue }

    /// The field or trailer that carries it, in lower case.
    public var header: StaticString {
        switch self {
        case .crc32: "x-amz-checksum-crc32"
        case .crc32c: "x-amz-checksum-crc32c"
        case .crc64nvme: "x-amz-checksum-crc64nvme"
        case .sha1: "x-amz-checksum-sha1"
        case .sha256: "x-amz-checksum-sha256"
        }
    }

    /// The element that carries it in XML.
    public var element: StaticString {
        switch self {
        case .crc32: "ChecksumCRC32"
        case .crc32c: "ChecksumCRC32C"
        case .crc64nvme: "ChecksumCRC64NVME"
        case .sha1: "ChecksumSHA1"
        case .sha256: "ChecksumSHA256"
        }
    }

    /// Bytes.
    public var digestLength: Int {
        switch self {
        case .crc32, .crc32c: 4
        case .crc64nvme: 8
        case .sha1: 20
        case .sha256: 32
        }
    }

    /// Whether the checksum of a whole follows from those of its parts: ``Checksum/combining(_:algorithm:)``.
    public var isCombinable: Bool {
        switch self {
        case .crc32, .crc32c, .crc64nvme: true
        case .sha1, .sha256: false
        }
    }

    private static func isSame(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        left.count == right.count && left.elementsEqual(right) { lowered($0) == lowered($1) }
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }
}
