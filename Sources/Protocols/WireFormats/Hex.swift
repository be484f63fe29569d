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
        text.append(
            contentsOf: [UInt8](unsafeUninitializedCapacity: bytes.count * 2) { digits, count in
                for index in bytes.indices {
                    digits[index * 2] = lowerDigit(bytes[index] >> 4)
                    digits[index * 2 + 1] = lowerDigit(bytes[index] & 15)
                }
                count = bytes.count * 2
            }
        )
    }

    /// nil for an odd length or anything that is not a hexadecimal digit.
    @inlinable
    public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        var high: UInt8?
        for character in text {
            guard let digit = value(of: character) else { return nil }
            if let upper = high {
                bytes.append(upper << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? bytes : nil
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
