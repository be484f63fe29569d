/// Reads the parts of a textual timestamp from left to right; every step is nil or false where the text differs.
struct TimeScanner<Bytes: Collection> where Bytes.Element == UInt8 {
    private var rest: Bytes.SubSequence

    init(_ bytes: Bytes) { rest = bytes[...] }

    var atEnd: Bool { rest.isEmpty }

    /// Exactly `width` decimal digits.
    mutating func number(width: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<width {
            guard let byte = rest.first, byte &- UInt8(ascii: "0") < 10 else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            rest = rest.dropFirst()
        }
        return value
    }

    mutating func skip(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { wanted in
            guard rest.starts(with: wanted) else { return false }
            rest = rest.dropFirst(wanted.count)
            return true
        }
    }

    /// A run of ASCII letters.
    mutating func name() -> Bytes.SubSequence? {
        let letters = rest.prefix { ($0 | 0x20) &- UInt8(ascii: "a") < 26 }
        rest = rest.dropFirst(letters.count)
        return letters.isEmpty ? nil : letters
    }

    /// `Jan` ... `Dec` as 1...12.
    mutating func month() -> Int64? {
        guard let name = name(), let index = monthNames.firstIndex(where: { $0.utf8.elementsEqual(name) }) else {
            return nil
        }
        return Int64(index) + 1
    }

    /// `HH:MM:SS`.
    mutating func clock() -> (hour: Int64, minute: Int64, second: Int64)? {
        guard let hour = number(width: 2), skip(":"), let minute = number(width: 2), skip(":"),
            let second = number(width: 2)
        else { return nil }
        return (hour, minute, second)
    }

    /// One to nine decimals, as nanoseconds.
    mutating func fraction() -> Int64? {
        var value: Int64 = 0
        var scale: Int64 = 1_000_000_000
        while let digit = number(width: 1) {
            guard scale > 1 else { return nil }
            scale /= 10
            value += digit * scale
        }
        return scale == 1_000_000_000 ? nil : value
    }

    /// `Z` or `+HH:MM`, as seconds east of UTC.
    mutating func zone() -> Int64? {
        if skip("Z") { return 0 }
        let sign: Int64
        if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
        guard let hours = number(width: 2), skip(":"), let minutes = number(width: 2), hours < 24, minutes < 60 else {
            return nil
        }
        return sign * (hours * 3600 + minutes * 60)
    }
}
