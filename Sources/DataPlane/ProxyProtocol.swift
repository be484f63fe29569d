package import NIOCore
package import WireFormats

/// The PROXY protocol's preamble, versions 1 and 2, with which a load balancer says whom it speaks for.
///
/// Source: HAProxy, "The PROXY protocol", version 2 (2020). Only TCP over IPv4 and IPv6 is understood; `LOCAL` and
/// `UNKNOWN` keep the connection's own address. TLVs are skipped.
package enum ProxyProtocol {
    package enum Outcome {
        case needMore
        /// The client's address; nil: the balancer speaks for itself.
        case client(IPAddress?)
        case refused(String)
    }

    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]

    /// Consumes the preamble from `buffer` where it is complete.
    package static func parse(_ buffer: inout ByteBuffer) -> Outcome {
        let seen = buffer.readableBytesView.prefix(12)
        if seen.elementsEqual(signature) { return parseBinary(&buffer) }
        if signature.starts(with: seen) { return .needMore }
        return parseText(&buffer)
    }

    /// `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n`, at most 107 bytes.
    private static func parseText(_ buffer: inout ByteBuffer) -> Outcome {
        let view = buffer.readableBytesView.prefix(107)
        guard "PROXY ".utf8.starts(with: view.prefix(6)) else { return .refused("no PROXY protocol preamble") }
        guard let lineFeed = view.firstIndex(of: 0x0A) else {
            return view.count < 107 ? .needMore : .refused("PROXY preamble is longer than 107 bytes")
        }
        guard lineFeed > view.startIndex, view[lineFeed - 1] == 0x0D else {
            return .refused("PROXY preamble does not end in CRLF")
        }
        let line = String(decoding: view[view.startIndex..<lineFeed - 1], as: UTF8.self)
        buffer.moveReaderIndex(forwardBy: lineFeed - view.startIndex + 1)
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 2 else { return .refused("PROXY preamble has no protocol") }
        if words[1] == "UNKNOWN" { return .client(nil) }
        guard words.count == 6, words[1] == "TCP4" || words[1] == "TCP6", UInt16(words[4]) != nil,
            UInt16(words[5]) != nil, let source = IPAddress(words[2]), IPAddress(words[3]) != nil
        else { return .refused("PROXY preamble is malformed") }
        return .client(source)
    }

    private static func parseBinary(_ buffer: inout ByteBuffer) -> Outcome {
        guard buffer.readableBytes >= 16 else { return .needMore }
        let start = buffer.readerIndex
        guard let versionCommand: UInt8 = buffer.getInteger(at: start + 12),
            let family: UInt8 = buffer.getInteger(at: start + 13),
            let length: UInt16 = buffer.getInteger(at: start + 14)
        else { return .needMore }
        guard versionCommand >> 4 == 2 else { return .refused("PROXY preamble of an unknown version") }
        guard length <= 536 else { return .refused("PROXY preamble is too long") }
        guard buffer.readableBytes >= 16 + Int(length) else { return .needMore }
        defer { buffer.moveReaderIndex(to: start + 16 + Int(length)) }
        switch versionCommand & 0x0F {
        case 0: return .client(nil)
        case 1: break
        default: return .refused("PROXY preamble with an unknown command")
        }
        let size: Int
        switch family {
        case 0x11: size = 4
        case 0x21: size = 16
        case 0x00: return .client(nil)
        default: return .refused("PROXY preamble for something that is not TCP")
        }
        guard Int(length) >= size * 2 + 4, let source = buffer.getBytes(at: start + 16, length: size) else {
            return .refused("PROXY preamble is shorter than its addresses")
        }
        guard let address = IPAddress(networkBytes: source) else { return .refused("PROXY preamble is malformed") }
        return .client(address)
    }
}
