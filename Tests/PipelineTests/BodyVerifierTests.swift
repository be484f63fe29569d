import Crypto
import NIOCore
import S3API
import Testing

@testable import Pipeline

@Suite("The end of a body is held back until its hash agrees")
struct BodyVerifierTests {
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
        var verifier = Self.verifier(length, SHA256.hash(data: body))
        var out: [UInt8] = []
        for start in stride(from: 0, to: length, by: piece) {
            let part = ByteBuffer(bytes: body[start..<min(start + piece, length)])
            for free in try verifier.take(part) {
                #expect(free.readableBytes > 0)
                out.append(contentsOf: free.readableBytesView)
            }
        }
        #expect(Int64(length - out.count) == min(Int64(length), BodyVerifier.reserve))
        for rest in try verifier.finish() { out.append(contentsOf: rest.readableBytesView) }
        #expect(out == body)
    }

    @Test("One changed bit keeps the last bytes back", arguments: [0, 5_000, 39_999])
    func refusesAnotherBody(changed: Int) throws {
        var body = Self.body(40_000)
        let digest = SHA256.hash(data: body)
        body[changed] ^= 1
        var verifier = Self.verifier(40_000, digest)
        let free = try verifier.take(ByteBuffer(bytes: body))
        #expect(free.map(\.readableBytes) == [40_000 - Int(BodyVerifier.reserve)])
        #expect(throws: S3Error(.contentSHA256Mismatch)) { try verifier.finish() }
    }

    @Test("A body that is shorter or longer than announced is refused")
    func refusesAnotherLength() throws {
        let body = Self.body(1000)
        var short = Self.verifier(1000, SHA256.hash(data: body[..<999]))
        #expect(try short.take(ByteBuffer(bytes: body[..<999])).isEmpty)
        #expect(throws: S3Error(.incompleteBody)) { try short.finish() }
        var long = Self.verifier(999, SHA256.hash(data: body))
        #expect(throws: S3Error(.incompleteBody)) { try long.take(ByteBuffer(bytes: body)) }
    }

    private static func verifier(_ length: Int, _ digest: SHA256Digest) -> BodyVerifier {
        BodyVerifier(
            .plain,
            of: .object,
            length: Int64(length),
            checks: [BodyCheck(.payloadHash, expected: Array(digest))]
        )
    }
}
