/// One range of a `Range` field (RFC 9110, section 14.1.2). Several ranges, other units and bad syntax count as no
/// range at all, as S3 has it.
enum ByteRange: Hashable, Sendable {
    case from(Int64)
    case between(Int64, Int64)
    case last(Int64)

    init?(parsing value: some Collection<UInt8>) {
        let bytes = Array(value)
        let unit = Array("bytes=".utf8)
        guard bytes.starts(with: unit) else { return nil }
        let text = bytes.dropFirst(unit.count).drop { $0 == UInt8(ascii: " ") }
        guard let dash = text.firstIndex(of: UInt8(ascii: "-")) else { return nil }
        let left = text[..<dash]
        let right = text[(dash + 1)...]
        switch (Self.number(left), Self.number(right)) {
        case (.some(let first), .some(let last)) where first <= last: self = .between(first, last)
        case (.some(let first), nil) where right.isEmpty: self = .from(first)
        case (nil, .some(let count)) where left.isEmpty: self = .last(count)
        default: return nil
        }
    }

    /// The bytes it means of `size`; nil where it means none (416).
    func resolved(size: Int64) -> Range<Int64>? {
        switch self {
        case .from(let first):
            first < size ? first..<size : nil
        case .between(let first, let last):
            first < size ? first..<(last < size ? last + 1 : size) : nil
        case .last(let count):
            count > 0 && size > 0 ? max(0, size - count)..<size : nil
        }
    }

    /// Digits as a number, capped at the largest one.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard !digits.isEmpty else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int64(digit - 0x30))
            value = overflow || carry ? Int64.max : sum
        }
        return value
    }
}
