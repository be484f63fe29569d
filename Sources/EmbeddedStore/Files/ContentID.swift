import WireFormats

/// The name of a run of bytes that never changes: one file in the data directory. Sixteen bytes, of which the first
/// six are the time in milliseconds, so that the index over them grows at its end; the rest is random. Keys of
/// objects never take part in it, which is what makes path traversal impossible.
struct ContentID: Hashable, Sendable {
    let bytes: [UInt8]

    static let length = 16

    /// A new one.
    init(at instant: Instant, using random: inout some RandomNumberGenerator) {
        let milliseconds = UInt64(max(0, instant.nanosecondsSince1970 / 1_000_000))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.length)
        for shift in stride(from: 40, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: milliseconds >> shift))
        }
        while bytes.count < Self.length { bytes.append(random.next()) }
        self.bytes = bytes
    }

    /// One from the index or from a file's name; nil where the length is wrong.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.length else { return nil }
        self.bytes = bytes
    }

    var fileName: String { Hex.encode(bytes) }
    /// One of 256 directories, by a random byte.
    var folder: String { Hex.encode(bytes.suffix(1)) }
}
