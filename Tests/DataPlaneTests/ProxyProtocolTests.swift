import NIOCore
import Testing
import WireFormats

@testable import DataPlane

@Suite("The PROXY protocol's preamble")
struct ProxyProtocolTests {
    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]

    private static func binary(command: UInt8 = 0x21, family: UInt8 = 0x11, _ rest: [UInt8]) -> [UInt8] {
        signature + [command, family, UInt8(rest.count >> 8), UInt8(rest.count & 255)] + rest
    }

    private static let v4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 1, 0xDC, 0x04, 0x01, 0xBB]

    @Test(
        "Text and binary forms name the client and leave what follows",
        arguments: [
            (Array("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n".utf8), "192.0.2.1"),
            (Array("PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n".utf8), "2001:db8::1"),
            (binary(v4), "192.0.2.1"),
            // A TLV after the addresses is skipped.
            (binary(v4 + [0x04, 0, 1, 9]), "192.0.2.1"),
            (
                binary(
                    family: 0x21,
                    [UInt8](repeating: 0, count: 15) + [1] + [UInt8](repeating: 0, count: 16) + [0, 1, 0, 2]
                ), "::1"
            ),
        ]
    )
    func understands(preamble: [UInt8], address: String) throws {
        for cut in 0..<preamble.count {
            var partial = ByteBuffer(bytes: preamble[..<cut])
            guard case .needMore = ProxyProtocol.parse(&partial) else {
                Issue.record("\(cut) bytes are not a whole preamble")
                continue
            }
        }
        var buffer = ByteBuffer(bytes: preamble + Array("GET / HTTP/1.1".utf8))
        guard case .client(let found) = ProxyProtocol.parse(&buffer) else {
            Issue.record("not understood")
            return
        }
        #expect(found == IPAddress(address))
        #expect(String(buffer: buffer) == "GET / HTTP/1.1")
    }

    @Test(
        "A balancer that speaks for itself keeps its address",
        arguments: [Array("PROXY UNKNOWN\r\n".utf8), binary(command: 0x20, family: 0, []), binary(family: 0, [])]
    )
    func keepsOwnAddress(preamble: [UInt8]) {
        var buffer = ByteBuffer(bytes: preamble)
        guard case .client(nil) = ProxyProtocol.parse(&buffer) else {
            Issue.record("not understood")
            return
        }
    }

    @Test(
        "Anything else is refused",
        arguments: [
            Array("GET / HTTP/1.1\r\n".utf8),
            Array("PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n".utf8),
            Array("PROXY TCP4 192.0.2.1 198.51.100.1 56324 70000\r\n".utf8),
            Array("PROXY TCP4 192.0.2.999 198.51.100.1 1 2\r\n".utf8),
            Array("PROXY TCP5 192.0.2.1 198.51.100.1 1 2\r\n".utf8),
            Array("PROXY TCP4  192.0.2.1 198.51.100.1 1 2\r\n".utf8),
            Array("PROXY TCP4 192.0.2.1 198.51.100.1 1 2\n".utf8),
            Array(("PROXY TCP4 " + String(repeating: "1", count: 200)).utf8),
            binary(command: 0x11, v4), binary(command: 0x22, v4), binary(family: 0x12, v4),
            binary(family: 0x31, v4), binary(Array(v4.prefix(11))),
            signature + [0x21, 0x11, 0xFF, 0xFF],
        ]
    )
    func refuses(preamble: [UInt8]) {
        var buffer = ByteBuffer(bytes: preamble)
        guard case .refused = ProxyProtocol.parse(&buffer) else {
            Issue.record("accepted")
            return
        }
    }
}
