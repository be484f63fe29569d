/// Whether the bytes are `host [":" port]` as ``RequestParser`` accepts it: a registered name of letters, digits, `-`,
/// `.` and `_`, or an IP literal in brackets; at most 255 bytes; a port of 1...65535. No user information, no empty host,
/// no empty port (RFC 9110, section 7.2; RFC 3986, section 3.2).
func isAuthority(_ range: Range<Int>, in bytes: UnsafeRawBufferPointer) -> Bool {
    guard (1...262).contains(range.count) else { return false }
    let hostEnd: Int
    if bytes[range.lowerBound] == UInt8(ascii: "[") {
        var index = range.lowerBound + 1
        while index < range.upperBound, isAddressByte(bytes[index]) { index += 1 }
        guard index < range.upperBound, bytes[index] == UInt8(ascii: "]"), index > range.lowerBound + 2 else {
            return false
        }
        hostEnd = index + 1
    } else {
        var index = range.lowerBound
        while index < range.upperBound, ByteClass.isHostName(bytes[index]) { index += 1 }
        guard (1...255).contains(index - range.lowerBound) else { return false }
        hostEnd = index
    }
    return hostEnd == range.upperBound || isPort(hostEnd..<range.upperBound, in: bytes)
}

/// `:` and a number of 1...65535.
private func isPort(_ range: Range<Int>, in bytes: UnsafeRawBufferPointer) -> Bool {
    guard (2...6).contains(range.count), bytes[range.lowerBound] == UInt8(ascii: ":") else { return false }
    var port = 0
    for index in range.dropFirst() {
        guard ByteClass.isDigit(bytes[index]) else { return false }
        port = port * 10 + Int(bytes[index] &- 0x30)
    }
    return (1...65535).contains(port)
}

private func isAddressByte(_ byte: UInt8) -> Bool {
    ByteClass.hexValue(byte) != nil || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
}
