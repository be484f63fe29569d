/// A request's id: 16 ASCII bytes in two words, so that carrying it costs no allocation.
public struct RequestID: Hashable, Sendable {
    /// The bytes in reading order, the first in the highest place.
    public let high: UInt64
    public let low: UInt64

    /// 16 upper-case hexadecimal digits that spell `random`.
    public init(random: UInt64) {
        var words: (UInt64, UInt64) = (0, 0)
        for place in 0..<16 {
            let digit = UInt64((random >> UInt64(60 - place * 4)) & 0xF)
            let letter = digit < 10 ? digit + 0x30 : digit + 0x37
            if place < 8 { words.0 = words.0 << 8 | letter } else { words.1 = words.1 << 8 | letter }
        }
        (high, low) = words
    }

    /// An id that exists already: exactly 16 printable ASCII bytes, nil otherwise.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 16, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for (place, byte) in bytes.enumerated() {
            if place < 8 { words.0 = words.0 << 8 | UInt64(byte) } else { words.1 = words.1 << 8 | UInt64(byte) }
        }
        (high, low) = words
    }

    public func append(to bytes: inout [UInt8]) {
        withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { bytes.append(contentsOf: $0) }
    }

    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        append(to: &bytes)
        return bytes
    }
}

extension RequestID: CustomStringConvertible {
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}
