package import Identity
package import WireFormats

/// How values are written into log lines: straight into a byte buffer, without an intermediate String.
package enum LineText {
    private static let hex: StaticString = "0123456789abcdef"

    @inline(__always)
    package static func append(_ literal: StaticString, to line: inout [UInt8]) {
        literal.withUTF8Buffer { line.append(contentsOf: $0) }
    }

    package static func append(_ number: some BinaryInteger, to line: inout [UInt8]) {
        if number < 0 { line.append(UInt8(ascii: "-")) }
        var rest = UInt64(number.magnitude)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var first = 20
            repeat {
                first -= 1
                digits[first] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            line.append(contentsOf: UnsafeBufferPointer(rebasing: digits[first...]))
        }
    }

    /// A duration in milliseconds with three decimals: `12.345`.
    package static func appendMilliseconds(_ duration: Duration, to line: inout [UInt8]) {
        let microseconds = max(0, duration.saturatingNanoseconds / 1000)
        append(microseconds / 1000, to: &line)
        line.append(UInt8(ascii: "."))
        let fraction = microseconds % 1000
        line.append(UInt8(ascii: "0") + UInt8(fraction / 100))
        line.append(UInt8(ascii: "0") + UInt8(fraction / 10 % 10))
        line.append(UInt8(ascii: "0") + UInt8(fraction % 10))
    }

    /// A JSON string with its quotes (RFC 8259, section 7). Bytes that are not UTF-8 become U+FFFD, so the line is
    /// JSON whatever a client sent; text beyond `limit` bytes is cut and ends in `…`.
    package static func appendQuoted(_ text: some Collection<UInt8>, limit: Int = .max, to line: inout [UInt8]) {
        line.append(UInt8(ascii: "\""))
        appendEscaped(text, limit: limit, to: &line)
        line.append(UInt8(ascii: "\""))
    }

    package static func appendQuoted(_ text: String, limit: Int = .max, to line: inout [UInt8]) {
        appendQuoted(text.utf8, limit: limit, to: &line)
    }

    /// The inside of a JSON string.
    package static func appendEscaped(_ text: some Collection<UInt8>, limit: Int = .max, to line: inout [UInt8]) {
        let done: Void? = text.withContiguousStorageIfAvailable { appendEscapedBytes($0, limit: limit, to: &line) }
        if done == nil { Array(text).withUnsafeBufferPointer { appendEscapedBytes($0, limit: limit, to: &line) } }
    }

    private static func appendEscapedBytes(_ text: UnsafeBufferPointer<UInt8>, limit: Int, to line: inout [UInt8]) {
        let end = cut(text, limit)
        var clean = 0
        var index = 0
        while index < end {
            let byte = text[index]
            if byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                index += 1
                continue
            }
            if byte >= 0x80 {
                let length = scalarLength(text, at: index, end: end)
                if length > 0 {
                    index += length
                    continue
                }
            }
            line.append(contentsOf: text[clean..<index])
            if byte == 0xC2, index + 1 < end, 0x80...0x9F ~= text[index + 1] {
                // A C1 control: a terminal would obey it, so it is spelled out.
                appendCodePoint(text[index + 1], to: &line)
                index += 2
            } else {
                appendEscape(byte, to: &line)
                index += 1
            }
            clean = index
        }
        line.append(contentsOf: text[clean..<end])
        if end < text.count { append("…", to: &line) }
    }

    private static func appendEscape(_ byte: UInt8, to line: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"", to: &line)
        case UInt8(ascii: "\\"): append("\\\\", to: &line)
        case 0x0A: append("\\n", to: &line)
        case 0x0D: append("\\r", to: &line)
        case 0x09: append("\\t", to: &line)
        case 0x80...: append("\\ufffd", to: &line)
        default: appendCodePoint(byte, to: &line)
        }
    }

    private static func appendCodePoint(_ value: UInt8, to line: inout [UInt8]) {
        append("\\u00", to: &line)
        hex.withUTF8Buffer {
            line.append($0[Int(value >> 4)])
            line.append($0[Int(value & 0xF)])
        }
    }

    /// Where to stop so that at most `limit` bytes remain and no scalar is cut in two.
    private static func cut(_ text: UnsafeBufferPointer<UInt8>, _ limit: Int) -> Int {
        guard text.count > limit else { return text.count }
        var end = limit
        while end > 0, text[end] & 0xC0 == 0x80 { end -= 1 }
        return end
    }

    /// The length of the well-formed UTF-8 sequence at `index` (Unicode, table 3-7), 0 where there is none or where
    /// it is a C1 control, which a terminal would obey.
    private static func scalarLength(_ text: UnsafeBufferPointer<UInt8>, at index: Int, end: Int) -> Int {
        func continues(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
            index + offset < end && range.contains(text[index + offset])
        }
        switch text[index] {
        case 0xC2: return continues(1, 0xA0...0xBF) ? 2 : 0
        case 0xC3...0xDF: return continues(1) ? 2 : 0
        case 0xE0: return continues(1, 0xA0...0xBF) && continues(2) ? 3 : 0
        case 0xED: return continues(1, 0x80...0x9F) && continues(2) ? 3 : 0
        case 0xE1...0xEF: return continues(1) && continues(2) ? 3 : 0
        case 0xF0: return continues(1, 0x90...0xBF) && continues(2) && continues(3) ? 4 : 0
        case 0xF1...0xF3: return continues(1) && continues(2) && continues(3) ? 4 : 0
        case 0xF4: return continues(1, 0x80...0x8F) && continues(2) && continues(3) ? 4 : 0
        default: return 0
        }
    }

    /// The typed identity, escaped for a JSON string but without quotes; `-` where nobody was recognised.
    package static func append(_ principal: Principal?, to line: inout [UInt8]) {
        switch principal {
        case nil: append("-", to: &line)
        case .user(let name):
            append("user:", to: &line)
            appendEscaped(name.utf8, limit: 256, to: &line)
        case .key(let name):
            append("key:", to: &line)
            appendEscaped(name.utf8, limit: 256, to: &line)
        case .identityProvider(let name, let subject):
            append("idp:", to: &line)
            appendEscaped(name.utf8, limit: 256, to: &line)
            append(":", to: &line)
            appendEscaped(subject.utf8, limit: 256, to: &line)
        case .role(let id, let session):
            append("role:", to: &line)
            appendEscaped(id.utf8, limit: 256, to: &line)
            append(":", to: &line)
            appendEscaped(session.utf8, limit: 256, to: &line)
        case .link(let id):
            append("link:", to: &line)
            appendEscaped(id.utf8, limit: 256, to: &line)
        case .anonymous: append("anonymous", to: &line)
        }
    }
}

/// Instants as `2027-01-01T00:00:00.000Z`. The part down to the second is kept from line to line, since neighbouring
/// lines nearly always share it.
package struct LineClock: Sendable {
    private var second: Int64 = .min
    private var prefix: [UInt8] = []

    package init() {}

    package mutating func append(_ instant: Instant, to line: inout [UInt8]) {
        let seconds = instant.secondsSince1970
        if seconds != second {
            prefix = Array(Timestamp.iso8601(Instant(secondsSince1970: seconds)).utf8.dropLast())
            second = seconds
        }
        line.append(contentsOf: prefix)
        let rest = instant.milliseconds
        line.append(UInt8(ascii: "."))
        line.append(UInt8(ascii: "0") + UInt8(rest / 100))
        line.append(UInt8(ascii: "0") + UInt8(rest / 10 % 10))
        line.append(UInt8(ascii: "0") + UInt8(rest % 10))
        line.append(UInt8(ascii: "Z"))
    }
}
