/// A reflected cyclic redundancy check with all-ones start and final inversion, eight bytes a step.
///
/// One code for the three that S3 knows: CRC-32 (RFC 1952), CRC-32C (RFC 3720) and CRC-64/NVME (NVM Express NVM
/// Command Set Specification, 5.2.1.3.4). Narrower ones live in the low bits.
struct CRC: Sendable {
    /// The kind: its reflected polynomial, its width, and the table that follows from both.
    struct Kind: Sendable {
        fileprivate let width: UInt64
        fileprivate let polynomial: UInt64
        fileprivate let table: [UInt64]

        static let crc32 = Kind(width: 32, polynomial: 0xEDB8_8320)
        static let crc32c = Kind(width: 32, polynomial: 0x82F6_3B78)
        static let crc64nvme = Kind(width: 64, polynomial: 0x9A6C_9329_AC4B_C9B5)

        private init(width: UInt64, polynomial: UInt64) {
            self.width = width
            self.polynomial = polynomial
            var table = [UInt64](repeating: 0, count: 8 * 256)
            for index in 0..<256 {
                var value = UInt64(index)
                for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ polynomial : value >> 1 }
                table[index] = value
            }
            for index in 256..<table.count {
                let previous = table[index - 256]
                table[index] = previous >> 8 ^ table[Int(previous & 0xFF)]
            }
            self.table = table
        }

        fileprivate var allOnes: UInt64 { width == 64 ? .max : 1 << width - 1 }
        fileprivate var highBit: UInt64 { 1 << (width - 1) }

        /// The check of two runs of bytes after one another, from the check of each and the second one's length.
        func combined(_ first: UInt64, _ second: UInt64, secondLength: Int64) -> UInt64 {
            product(power(bits: UInt64(secondLength) &* 8), first) ^ second
        }

        /// a · b modulo the polynomial, coefficients reflected.
        private func product(_ a: UInt64, _ b: UInt64) -> UInt64 {
            var mask = highBit
            var b = b
            var result: UInt64 = 0
            while mask != 0 {
                if a & mask != 0 { result ^= b }
                b = b & 1 == 1 ? b >> 1 ^ polynomial : b >> 1
                mask >>= 1
            }
            return result
        }

        /// x to the power of `bits` modulo the polynomial.
        private func power(bits: UInt64) -> UInt64 {
            var rest = bits
            var square = highBit >> 1
            var result = highBit
            while rest != 0 {
                if rest & 1 == 1 { result = product(square, result) }
                square = product(square, square)
                rest >>= 1
            }
            return result
        }
    }

    private let kind: Kind
    private var state: UInt64

    init(_ kind: Kind) {
        self.kind = kind
        state = kind.allOnes
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        state = kind.table.withUnsafeBufferPointer { table in
            var state = state
            var offset = 0
            while offset + 8 <= bytes.count {
                let word = state ^ UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                var next: UInt64 = 0
                for lane in 0..<8 {
                    next ^= table[(7 - lane) * 256 + Int(truncatingIfNeeded: word >> UInt64(8 * lane) & 0xFF)]
                }
                state = next
                offset += 8
            }
            while offset < bytes.count {
                state = state >> 8 ^ table[Int(truncatingIfNeeded: (state ^ UInt64(bytes[offset])) & 0xFF)]
                offset += 1
            }
            return state
        }
    }

    var value: UInt64 { state ^ kind.allOnes }
}
