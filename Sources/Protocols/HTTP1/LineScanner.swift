/// Finds lines ended by CRLF, looking at each byte once however the input was cut.
///
/// Everything that no head may hold is refused on sight, before its line is complete: LF without CR, CR without LF, and
/// control characters other than tab (RFC 9112, section 2.2; RFC 9110, section 5.5). Positions count from the head's
/// first byte.
struct LineScanner {
    /// Where the next line begins.
    private(set) var lineStart = 0
    /// Bytes before this are known to be clean.
    private var position = 0

    /// The next line without its CRLF, nil while it is incomplete.
    mutating func nextLine(in bytes: UnsafeRawBufferPointer) throws(HTTPRefusal) -> Range<Int>? {
        position = firstControl(in: bytes, from: position)
        while position < bytes.count {
            switch bytes[position] {
            case carriageReturn:
                guard position + 1 < bytes.count else { return nil }
                guard bytes[position + 1] == lineFeed else { throw .bareCarriageReturn }
                let line = lineStart..<position
                position += 2
                lineStart = position
                return line
            case lineFeed:
                throw .bareLineFeed
            case 0x09:
                position = firstControl(in: bytes, from: position + 1)
            default:
                throw .controlCharacter
            }
        }
        return nil
    }

    /// The lines so far were taken out of the buffer: positions count from the incomplete line from now on.
    mutating func rebase() {
        position -= lineStart
        lineStart = 0
    }

    /// The index of the first byte below 0x20 or equal to 0x7F, eight bytes at a time.
    @inline(__always)
    private func firstControl(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index + 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let delete = word ^ 0x7F7F_7F7F_7F7F_7F7F
            // The lowest mark is always true; borrows can only set false ones above it.
            let below = (word &- 0x2020_2020_2020_2020) & ~word
            let equal = (delete &- 0x0101_0101_0101_0101) & ~delete
            let marks = (below | equal) & 0x8080_8080_8080_8080
            if marks != 0 { return index + marks.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < bytes.count, bytes[index] >= 0x20, bytes[index] != 0x7F { index += 1 }
        return index
    }
}
