/// What a reader does with characters that XML 1.0 can't hold, bare or as references (section 2.2): control characters,
/// mostly, which keys may have all the same.
public enum ForbiddenCharacters: Hashable, Sendable {
    /// The document is not well-formed.
    case malformed
    /// Each is read as U+FFFD. Stores write such keys into their listings, and one of them must not hide the others.
    case replaced

    private static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    /// The document with U+FFFD in the place of each; itself where there is none.
    static func replaced(in document: [UInt8]) -> [UInt8] {
        guard var index = document.firstIndex(where: mayBegin) else { return document }
        var result = Array(document[..<index])
        result.reserveCapacity(document.count + 64)
        while index < document.endIndex {
            let length = mayBegin(document[index]) ? length(at: index, in: document) : 0
            if length > 0 {
                result += replacement
                index += length
            } else {
                result.append(document[index])
                index += 1
            }
        }
        return result
    }

    private static func mayBegin(_ byte: UInt8) -> Bool {
        byte < 0x20 && !isSpace(byte) || byte == UInt8(ascii: "&") || byte == 0xEF
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x09 || byte == 0x0A || byte == 0x0D }

    /// The length of the forbidden character at `index`; 0 where what is there is none.
    private static func length(at index: Int, in document: [UInt8]) -> Int {
        switch document[index] {
        case UInt8(ascii: "&"): return referenceLength(document[index...])
        case 0xEF:
            let isNoncharacter =
                index + 2 < document.count && document[index + 1] == 0xBF && document[index + 2] | 1 == 0xBF
                && document[index + 2] >= 0xBE
            return isNoncharacter ? 3 : 0
        default: return 1
        }
    }

    /// The length of `&#1;` or `&#x1;`, where that names what is forbidden.
    private static func referenceLength(_ text: ArraySlice<UInt8>) -> Int {
        guard text.starts(with: "&#".utf8) else { return 0 }
        let isHex = text.dropFirst(2).first == UInt8(ascii: "x")
        let digits = text.dropFirst(isHex ? 3 : 2).prefix(9).prefix { $0 != UInt8(ascii: ";") }
        let end = digits.endIndex
        guard end < text.endIndex, text[end] == UInt8(ascii: ";"), !digits.isEmpty,
            let value = UInt32(String(decoding: digits, as: UTF8.self), radix: isHex ? 16 : 10)
        else { return 0 }
        let isForbidden = value < 0x20 && value != 9 && value != 10 && value != 13 || value == 0xFFFE || value == 0xFFFF
        return isForbidden ? end + 1 - text.startIndex : 0
    }
}
