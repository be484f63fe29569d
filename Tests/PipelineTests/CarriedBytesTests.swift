import HTTP1
import NIOCore
import Pipeline
import Testing
import WireFormats

@Suite("Bytes carried between stores")
struct CarriedBytesTests {
    private static let content = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

    private static func carried(length: Int64, of known: [UInt8]? = nil) throws -> CarriedBytes {
        let crc = known.map { [("x-amz-checksum-crc32", Base64.encode(Checksum.of($0, .crc32)))] } ?? []
        let step = try farCopy().transfer().question().next(described(length, crc))
        return CarriedBytes(try step.carriage().delivery(length: length))
    }

    /// What left in time, in pieces of `size`, and what came at the end.
    private static func passed(_ carried: inout CarriedBytes, _ content: [UInt8], pieces size: Int) -> [UInt8] {
        var out: [UInt8] = []
        for start in stride(from: 0, to: content.count, by: size) {
            let piece = ByteBuffer(bytes: content[start..<min(start + size, content.count)])
            if case .free(let free?) = carried.take(piece) { out += free.readableBytesView }
        }
        return out
    }

    @Test("Without a checksum everything passes at once", arguments: [1, 1000, 40_000])
    func unchecked(size: Int) throws {
        var carried = try Self.carried(length: 40_000)
        #expect(Self.passed(&carried, Self.content, pieces: size) == Self.content)
        guard case .whole(let rest) = carried.finish() else {
            Issue.record("not whole")
            return
        }
        #expect(rest.readableBytes == 0)
    }

    @Test("With one the end waits for it", arguments: [1, 1000, 16_384, 40_000])
    func checked(size: Int) throws {
        var carried = try Self.carried(length: 40_000, of: Self.content)
        let early = Self.passed(&carried, Self.content, pieces: size)
        #expect(early.count == 40_000 - Int(CarriedBytes.reserve))
        guard case .whole(let rest) = carried.finish() else {
            Issue.record("not whole")
            return
        }
        #expect(early + rest.readableBytesView == Self.content)
    }

    @Test("One bit makes a difference, wherever it is", arguments: [0, 20_000, 39_999])
    func differing(place: Int) throws {
        var carried = try Self.carried(length: 40_000, of: Self.content)
        var content = Self.content
        content[place] ^= 1
        #expect(Self.passed(&carried, content, pieces: 4096).count < 40_000)
        guard case .differing = carried.finish() else {
            Issue.record("it agrees")
            return
        }
    }

    @Test("Neither more nor fewer bytes than were announced")
    func lengths() throws {
        var long = try Self.carried(length: 10)
        guard case .tooMany = long.take(ByteBuffer(bytes: Self.content.prefix(11))) else {
            Issue.record("too many are taken")
            return
        }
        var short = try Self.carried(length: 10)
        _ = short.take(ByteBuffer(bytes: Self.content.prefix(9)))
        guard case .tooFew = short.finish() else {
            Issue.record("too few are whole")
            return
        }
    }
}

@Suite("Errors of copies inside of an answer that has begun")
struct LateAnswerTests {
    @Test("A document without its declaration, whatever form the client reads errors in")
    func form() throws {
        // An API key reads JSON.
        let reply = try farCopy().transfer().question().next(StoreReply(404)).reply()
        #expect(reply.isJSON)
        #expect(text(reply.bodyWithin).hasPrefix("<Error><Code>NoSuchKey</Code>"))
        let delivery = try farCopy().transfer().question().next(described(1)).carriage().delivery(length: 1)
        let copied = try delivery.next(StoreReply(200, [("etag", "\"n\"")]), []).reply()
        #expect(text(copied.bodyWithin).hasPrefix("<CopyObjectResult"))
    }
}
