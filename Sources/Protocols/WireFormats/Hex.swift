/// Base 16 (RFC 4648, section 8): lower case out, either case in.
public enum Hex {
    @inlinable
    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(64)
        append(bytes, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    @inlinable
    public static func append(_ bytes: some Sequence<UInt8>, to text: inout [UInt8]) {
        for byte in bytes {
            text.append(lowerDigit(byte >> 4))
            text.append(lowerDigit(byte & 15))
        }
    }

    /// The same for bytes that lie together.
    public static func append(_ bytes: UnsafeRawBufferPointer, to text: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bytes.count * 2) { digits in
            for index in bytes.indices {
                digits[index * 2] = lowerDigit(bytes[index] >> 4)
                digits[index * 2 + 1] = lowerDigit(bytes[index] & 15)
            }
            text.append(contentsOf: UnsafeBufferPointer(digits))
        }
    }

    /// nil for an odd length or anything that is not a hexadecimal digit.
    @inlinable
    public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        let count = text.count
        guard count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count / 2)
        var characters = text.makeIterator()
        while let first = characters.next(), let second = characters.next() {
            guard let high = value(of: first), let low = value(of: second) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    /// 32 bytes of exactly 64 lower-case digits: one spelling of each signature. nil for anything else.
    public static func decodeSignature(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count == 64, !text.contains(where: { $0 &- UInt8(ascii: "A") < 26 }) else { return nil }
        return decode(text)
    }

    @inlinable
    @inline(__always)
    public static func lowerDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") - 10 + nibble
    }

    @inlinable
    @inline(__always)
    public static func upperDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "A") - 10 + nibble
    }

    @inlinable
    @inline(__always)
    public static func value(of character: UInt8) -> UInt8? {
        if character &- UInt8(ascii: "0") < 10 { return character - UInt8(ascii: "0") }
        let letter = (character | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter + 10 : nil
    }
}
