/// One header line taken apart: `name ":" OWS value OWS` (RFC 9112, section 5). Ranges are into the bytes given.
struct FieldLine {
    let name: Range<Int>
    /// Without the white space around it; may be empty; may hold tabs and bytes above 0x7F.
    let value: Range<Int>

    /// The line must come from ``LineScanner``, which has refused control characters.
    init(_ line: Range<Int>, in bytes: UnsafeRawBufferPointer) throws(HTTPRefusal) {
        var index = line.lowerBound
        while index < line.upperBound, ByteClass.isToken(bytes[index]) { index += 1 }
        guard index < line.upperBound, bytes[index] == UInt8(ascii: ":") else {
            throw FieldLine.refusal(for: line, stoppedAt: index, in: bytes)
        }
        guard index > line.lowerBound else { throw .emptyFieldName }
        name = line.lowerBound..<index
        value = trimmed((index + 1)..<line.upperBound, in: bytes)
    }

    private static func refusal(
        for line: Range<Int>,
        stoppedAt index: Int,
        in bytes: UnsafeRawBufferPointer
    ) -> HTTPRefusal {
        guard index < line.upperBound else { return .missingColon }
        guard ByteClass.isWhitespace(bytes[index]) else { return .invalidFieldName }
        // Obsolete line folding, or white space before the first field.
        if index == line.lowerBound { return .whitespaceBeforeField }
        var next = index
        while next < line.upperBound, ByteClass.isWhitespace(bytes[next]) { next += 1 }
        return next < line.upperBound && bytes[next] == UInt8(ascii: ":") ? .spaceBeforeColon : .invalidFieldName
    }
}

/// The range without spaces and tabs at either end.
@inline(__always)
func trimmed(_ range: Range<Int>, in bytes: UnsafeRawBufferPointer) -> Range<Int> {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high, ByteClass.isWhitespace(bytes[low]) { low += 1 }
    while high > low, ByteClass.isWhitespace(bytes[high - 1]) { high -= 1 }
    return low..<high
}

/// Whether the bytes are `text`, which must be in lower case, in any case.
@inline(__always)
func equalsIgnoringCase(_ range: Range<Int>, in bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
    guard range.count == text.utf8CodeUnitCount else { return false }
    return text.withUTF8Buffer { wanted in
        for offset in 0..<wanted.count where lowered(bytes[range.lowerBound + offset]) != wanted[offset] {
            return false
        }
        return true
    }
}
