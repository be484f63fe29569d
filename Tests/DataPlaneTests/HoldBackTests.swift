import Crypto
import NIOCore
import Testing

@testable import DataPlane

@Suite("The end of a body is held back until its hash agrees")
struct HoldBackTests {
    private static func body(_ length: Int) -> [UInt8] {
        (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    }

    @Test(
        "Whatever the length and the pieces, all bytes come out in order once the digest agrees",
        arguments: [0, 1, 16_383, 16_384, 16_385, 100_000],
        [1, 7, 4096, 200_000]
    )
    func passesEverything(length: Int, piece: Int) throws {
        // Tiny pieces of a large body only cost time.
        guard length / piece < 20_000 else { return }
        let body = Self.body(length)
        var holdBack = HoldBack(length: Int64(length), sha256: Array(SHA256.hash(data: body)))
        var out: [UInt8] = []
        for start in stride(from: 0, to: length, by: piece) {
            let part = ByteBuffer(bytes: body[start..<min(start + piece, length)])
            if let free = holdBack.take(part) {
                #expect(free.readableBytes > 0)
                out.append(contentsOf: free.readableBytesView)
            }
        }
        #expect(Int64(length - out.count) == min(Int64(length), HoldBack.reserve))
        let released = holdBack.release()
        let rest = try #require(released)
        out.append(contentsOf: rest.readableBytesView)
        #expect(out == body)
    }

    @Test("One changed bit keeps the last bytes back", arguments: [0, 5_000, 39_999])
    func refusesAnotherBody(changed: Int) {
        var body = Self.body(40_000)
        let digest = Array(SHA256.hash(data: body))
        body[changed] ^= 1
        var holdBack = HoldBack(length: 40_000, sha256: digest)
        let free = holdBack.take(ByteBuffer(bytes: body))
        #expect(free?.readableBytes == 40_000 - Int(HoldBack.reserve))
        #expect(holdBack.release() == nil)
    }

    @Test("A body that is shorter than announced never matches the digest of the whole")
    func refusesShortBody() {
        let body = Self.body(1000)
        var holdBack = HoldBack(length: 1000, sha256: Array(SHA256.hash(data: body)))
        #expect(holdBack.take(ByteBuffer(bytes: body[..<999])) == nil)
        #expect(holdBack.release() == nil)
    }
}
