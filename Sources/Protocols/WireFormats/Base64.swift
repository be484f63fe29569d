/// Base 64 with padding (RFC 4648, section 4). Decoding is strict: no whitespace, padding required, unused bits zero,
/// so that each value has one spelling.
public enum Base64 {
    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        Base64Alphabet.standard.encode(bytes, padded: .padded)
    }

    public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        return Base64Alphabet.standard.decode(text.dropLast(padding))
    }
}

/// The URL- and filename-safe alphabet without padding (RFC 4648, section 5; RFC 7515). As strict as ``Base64``.
public enum Base64URL {
    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        Base64Alphabet.urlSafe.encode(bytes, padded: .bare)
    }

    public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        Base64Alphabet.urlSafe.decode(text)
    }
}

private struct Base64Alphabet: Sendable {
    enum Padding { case padded, bare }

    static let standard = Base64Alphabet("+/")
    static let urlSafe = Base64Alphabet("-_")

    private let characters: [UInt8]
    /// 255 where a byte is not in the alphabet.
    private let values: [UInt8]

    private init(_ lastTwo: String) {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        characters = Array((letters + lastTwo).utf8)
        var table = [UInt8](repeating: 255, count: 256)
        for (value, character) in characters.enumerated() { table[Int(character)] = UInt8(value) }
        values = table
    }

    func encode(_ bytes: some Sequence<UInt8>, padded: Padding) -> String {
        var text: [UInt8] = []
        var accumulator: UInt32 = 0
        var bits = 0
        for byte in bytes {
            accumulator = accumulator << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(characters[Int(accumulator >> UInt32(bits) & 63)])
            }
        }
        if bits > 0 { text.append(characters[Int(accumulator << UInt32(6 - bits) & 63)]) }
        if padded == .padded {
            while text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
        }
        return String(decoding: text, as: UTF8.self)
    }

    func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count * 3 / 4)
        var accumulator: UInt32 = 0
        var bits = 0
        for character in text {
            let value = values[Int(character)]
            guard value != 255 else { return nil }
            accumulator = accumulator << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: accumulator >> UInt32(bits)))
            }
        }
        let unused = accumulator & ((1 << UInt32(bits)) - 1)
        return unused == 0 ? bytes : nil
    }
}
