import WireFormats

/// The line before a chunk: its size in hexadecimal, and in signed forms `;chunk-signature=` and 64 digits. Nothing else.
struct ChunkHeader {
    /// Line end included.
    static let maxBytes = maxDigits + signatureStart.utf8CodeUnitCount + signatureDigits + 2

    /// Bytes.
    let size: Int64
    /// 32 bytes; nil where the form has none.
    let signature: [UInt8]?

    private static let maxDigits = 16
    private static let signatureDigits = 64
    private static let signatureStart: StaticString = ";chunk-signature="

    init(_ line: ArraySlice<UInt8>, isSigned: Bool) throws(S3Error) {
        let digits = line.prefix { $0 != UInt8(ascii: ";") }
        guard let size = Self.size(digits) else {
            throw S3Error(.incompleteBody, "A chunk's size is not a hexadecimal number that fits.")
        }
        self.size = size
        let rest = line[digits.endIndex...]
        if isSigned {
            guard let signature = Self.signature(rest) else {
                throw S3Error(.signatureDoesNotMatch, "A chunk is not signed as x-amz-content-sha256 says.")
            }
            self.signature = signature
        } else {
            guard rest.isEmpty else { throw Line.Place.framing.error }
            signature = nil
        }
    }

    private static func size(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard (1...maxDigits).contains(digits.count) else { return nil }
        var size: UInt64 = 0
        for digit in digits {
            guard let value = Hex.value(of: digit) else { return nil }
            size = size << 4 | UInt64(value)
        }
        return Int64(exactly: size)
    }

    private static func signature(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let isStarted = signatureStart.withUTF8Buffer { text.starts(with: $0) }
        return isStarted ? Hex.decodeSignature(text.dropFirst(signatureStart.utf8CodeUnitCount)) : nil
    }
}
