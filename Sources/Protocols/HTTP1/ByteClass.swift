/// The byte classes of HTTP's grammar, as bit sets rather than tables: a global table would cost a lazy-initialisation
/// check for each access.
enum ByteClass {
    /// `tchar` (RFC 9110, section 5.6.2).
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        // ! # $ % & ' * + - . 0-9 | A-Z ^ _ ` a-z | ~
        member(byte, low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE)
    }

    /// Letters, digits, `-`, `.`, `_`: what a registered name consists of here. RFC 3986 would also allow sub-delimiters
    /// and percent-encoding, which no DNS name and no bucket has, and which the next reader may see differently.
    @inline(__always)
    static func isHostName(_ byte: UInt8) -> Bool {
        member(byte, low: 0x03FF_6000_0000_0000, high: 0x07FF_FFFE_87FF_FFFE)
    }

    /// Visible ASCII, the space excluded.
    @inline(__always)
    static func isVisible(_ byte: UInt8) -> Bool { byte &- 0x21 < 0x5E }

    /// The same without `?` and `#`, which end a part of a target.
    @inline(__always)
    static func isPlainInTarget(_ byte: UInt8) -> Bool {
        member(byte, low: 0x7FFF_FFF6_0000_0000, high: 0x7FFF_FFFF_FFFF_FFFF)
    }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// Optional white space: space or tab.
    @inline(__always)
    static func isWhitespace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// The value of a hexadecimal digit of either case.
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte &- 0x30 }
        let letter = lowered(byte) &- UInt8(ascii: "a")
        return letter < 6 ? letter &+ 10 : nil
    }

    @inline(__always)
    private static func member(_ byte: UInt8, low: UInt64, high: UInt64) -> Bool {
        guard byte < 128 else { return false }
        let set = byte < 64 ? low : high
        return set &>> UInt64(byte & 63) & 1 == 1
    }
}

let carriageReturn = UInt8(ascii: "\r")
let lineFeed = UInt8(ascii: "\n")
