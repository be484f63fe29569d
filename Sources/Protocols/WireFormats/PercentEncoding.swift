/// Percent-encoding of paths and query components (RFC 3986, section 2.1).
public enum PercentEncoding {
    public enum Slash: Sendable {
        /// `/` separates and stays.
        case keep
        /// `/` is data and becomes `%2F`.
        case encode
    }

    /// Replaces each `%XX` by its byte. Strict: a `%` that two hexadecimal digits don't follow is an error. `+` stays.
    @inlinable
    public static func decode(_ text: some Collection<UInt8>) throws(PercentEncodingError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        try appendDecoded(text, to: &bytes, plus: UInt8(ascii: "+"))
        return bytes
    }

    /// Encodes every byte but the unreserved `A-Z a-z 0-9 - . _ ~`, with upper-case digits: the `UriEncode` of the
    /// AWS S3 API reference ("Signature Calculations for the Authorization Header").
    @inlinable
    public static func append(_ raw: some Sequence<UInt8>, to text: inout [UInt8], keepSlash: Slash = .keep) {
        let done: Void? = raw.withContiguousStorageIfAvailable { append($0, to: &text, keepSlash: keepSlash) }
        guard done == nil else { return }
        for byte in raw {
            if isUnreserved(byte) || (byte == UInt8(ascii: "/") && keepSlash == .keep) {
                text.append(byte)
            } else {
                text.append(UInt8(ascii: "%"))
                text.append(Hex.upperDigit(byte >> 4))
                text.append(Hex.upperDigit(byte & 15))
            }
        }
    }

    /// The same for bytes that lie together: what stays is copied in runs.
    public static func append(_ raw: UnsafeBufferPointer<UInt8>, to text: inout [UInt8], keepSlash: Slash = .keep) {
        var runStart = 0
        for index in raw.indices {
            let byte = raw[index]
            if isUnreserved(byte) || (byte == UInt8(ascii: "/") && keepSlash == .keep) { continue }
            text.append(contentsOf: UnsafeBufferPointer(rebasing: raw[runStart..<index]))
            text.append(UInt8(ascii: "%"))
            text.append(Hex.upperDigit(byte >> 4))
            text.append(Hex.upperDigit(byte & 15))
            runStart = index + 1
        }
        text.append(contentsOf: UnsafeBufferPointer(rebasing: raw[runStart...]))
    }

    @inlinable
    public static func encode(_ raw: some Sequence<UInt8>, keepSlash: Slash = .keep) -> [UInt8] {
        var text: [UInt8] = []
        append(raw, to: &text, keepSlash: keepSlash)
        return text
    }

    /// Letters, digits and `- . _ ~` (RFC 3986, section 2.3).
    @inlinable
    @inline(__always)
    public static func isUnreserved(_ byte: UInt8) -> Bool {
        // A bit for each byte below 128: `-.0-9` in the first word, `A-Z_a-z~` in the second.
        let bits: UInt64 = byte < 64 ? 0x03ff_6000_0000_0000 : 0x47ff_fffe_87ff_fffe
        return byte < 128 && bits >> UInt64(byte & 63) & 1 == 1
    }

    /// `plus` is what a `+` becomes: itself in a path, a space in a form-encoded query.
    @inlinable
    public static func appendDecoded(
        _ text: some Collection<UInt8>,
        to bytes: inout [UInt8],
        plus: UInt8
    ) throws(PercentEncodingError) {
        var index = text.startIndex
        while index != text.endIndex {
            let byte = text[index]
            text.formIndex(after: &index)
            if byte == UInt8(ascii: "+") {
                bytes.append(plus)
            } else if byte == UInt8(ascii: "%") {
                guard index != text.endIndex, let high = Hex.value(of: text[index]) else { throw .malformedEscape }
                text.formIndex(after: &index)
                guard index != text.endIndex, let low = Hex.value(of: text[index]) else { throw .malformedEscape }
                text.formIndex(after: &index)
                bytes.append(high << 4 | low)
            } else {
                bytes.append(byte)
            }
        }
    }
}

public enum PercentEncodingError: Error, Hashable, Sendable {
    /// A `%` without two hexadecimal digits.
    case malformedEscape
    /// More query parameters than a request may have.
    case tooManyItems
}
