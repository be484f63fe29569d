import Foundation
import NIOCore
import S3API
import Testing
import WireFormats

@Suite struct AWSChunkedDecoderTests {
    static let signature = String(repeating: "0f", count: 32)
    private static let unsigned = "5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"

    static func decoder(
        _ form: AWSChunkedForm = .unsignedWithTrailer,
        length: Int64 = 11,
        trailer: ChecksumAlgorithm? = .crc32
    ) -> AWSChunkedDecoder {
        AWSChunkedDecoder(form, decodedLength: length, trailer: form.hasTrailer ? trailer : nil)
    }

    static func read(_ body: String, _ form: AWSChunkedForm = .unsignedWithTrailer) -> ChunkedReading {
        let signed = body.replacing("SIG", with: ";chunk-signature=" + signature).replacing("HEX", with: signature)
        return ChunkedReading(Array(signed.utf8), decoder(form))
    }

    // MARK: What is accepted

    @Test func anUnsignedBody() throws {
        let reading = Self.read(Self.unsigned)
        #expect(reading.refusal == nil && reading.disorder == nil)
        #expect(reading.payload == Array("hello world".utf8))
        #expect(reading.chunks.map(\.size) == [5, 6, 0])
        #expect(reading.chunks.allSatisfy { $0.signature == nil })
        #expect(reading.trailer?.digest == Checksum.of(Array("hello world".utf8), .crc32))
        #expect(reading.trailer?.signature == nil)
    }

    @Test func aSignedBody() {
        let reading = Self.read("bSIG\r\nhello world\r\n0SIG\r\n\r\n", .signed)
        #expect(reading.refusal == nil)
        #expect(reading.payload == Array("hello world".utf8))
        #expect(reading.chunks.allSatisfy { $0.signature == [UInt8](repeating: 0x0f, count: 32) })
        #expect(reading.chunksEnded == 2 && reading.trailer == nil)
    }

    /// The second is minio-go's.
    @Test(arguments: ["\r\n", "\n\r\n"])
    func aSignedTrailer(lineEnd: String) {
        let reading = Self.read(
            "BSIG\r\nhello world\r\n0SIG\r\nX-Amz-Checksum-CRC32: DUoRhQ== \(lineEnd)x-amz-trailer-signature:HEX\r\n\r\n",
            .signedWithTrailer
        )
        #expect(reading.refusal == nil)
        #expect(reading.trailer?.signedText == Array("x-amz-checksum-crc32:DUoRhQ==\n".utf8))
        #expect(reading.trailer?.signature == [UInt8](repeating: 0x0f, count: 32))
    }

    @Test func minioGoEndsAnUnsignedTrailerWithALineFeedMore() {
        let reading = Self.read("b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\n\r\n\r\n")
        #expect(reading.refusal == nil && reading.trailer?.digest?.count == 4)
    }

    @Test(arguments: AWSChunkedForm.allCases)
    func anEmptyObject(_ form: AWSChunkedForm) {
        let end =
            switch form {
            case .signed: "0SIG\r\n\r\n"
            case .signedWithTrailer: "0SIG\r\nx-amz-trailer-signature:HEX\r\n\r\n"
            case .unsignedWithTrailer: "0\r\n\r\n"
            }
        let body = end.replacing("SIG", with: ";chunk-signature=" + Self.signature)
            .replacing("HEX", with: Self.signature)
        let decoder = Self.decoder(form, length: 0, trailer: nil)
        let reading = ChunkedReading(Array(body.utf8), decoder)
        #expect(reading.refusal == nil && reading.payload.isEmpty && reading.chunksEnded == 1)
        #expect(reading.trailer?.digest == nil)
    }

    /// The lengths that the S3 API reference states.
    @Test func theExampleOfTheReference() {
        let parts = [(65536, "10000"), (1024, "400"), (0, "0")]
        let body = parts.reduce(into: [UInt8]()) { body, part in
            body += Array("\(part.1);chunk-signature=\(Self.signature)\r\n".utf8)
            body += [UInt8](repeating: UInt8(ascii: "a"), count: part.0) + Array("\r\n".utf8)
        }
        #expect(body.count == 66824)
        let reading = ChunkedReading(body, Self.decoder(.signed, length: 66560))
        #expect(reading.refusal == nil && reading.payload.count == 66560)
    }

    @Test(arguments: BotocoreBody.all)
    func whatBotocoreSends(_ vector: BotocoreBody) throws {
        let algorithm = try #require(ChecksumAlgorithm(rawValue: vector.algorithm))
        let decoder = Self.decoder(length: Int64(vector.payload.count), trailer: algorithm)
        let reading = ChunkedReading(Array(vector.body), decoder)
        #expect(reading.refusal == nil)
        #expect(reading.payload == Array(vector.payload))
        #expect(reading.trailer?.digest == Checksum.of(Array(vector.payload), algorithm))
    }

    @Test func botocoresBodiesAreThere() { #expect(BotocoreBody.all.count == 30) }

    @Test(arguments: [
        (AWSChunkedForm.unsignedWithTrailer, unsigned),
        (.signed, "4SIG\r\nhell\r\n7SIG\r\no world\r\n0SIG\r\n\r\n"),
        (
            .signedWithTrailer,
            "bSIG\r\nhello world\r\n0SIG\r\nx-amz-checksum-crc32:DUoRhQ==\n\r\nx-amz-trailer-signature:HEX\r\n\r\n"
        ),
    ])
    func whereABodyIsCutMakesNoDifference(_ form: AWSChunkedForm, _ template: String) {
        let whole = Self.read(template, form)
        #expect(whole.refusal == nil)
        let body = Array(
            template.replacing("SIG", with: ";chunk-signature=" + Self.signature).replacing("HEX", with: Self.signature)
                .utf8
        )
        for first in 0...body.count {
            #expect(ChunkedReading(body, cutAt: [first], Self.decoder(form)) == whole)
            #expect(ChunkedReading(body, cutAt: [first, min(first + 1, body.count)], Self.decoder(form)) == whole)
        }
        for end in 0..<body.count {
            #expect(ChunkedReading(Array(body[..<end]), Self.decoder(form)).refusal?.code == .incompleteBody)
        }
    }

    @Test func bytesAreSlicesOfWhatArrived() {
        var decoder = Self.decoder()
        var buffer = ByteBuffer(string: Self.unsigned)
        let storage = buffer.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        while true {
            switch decoder.next(&buffer) {
            case .bytes(let slice):
                let start = slice.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
                #expect(start >= storage && start < storage + UInt(Self.unsigned.utf8.count))
            case .end: return
            case .refused(let error):
                Issue.record("\(error)")
                return
            case .needMore, .chunkBegan, .chunkEnded, .trailer: continue
            }
        }
    }

    // MARK: What is refused

    @Test(arguments: [
        "", "\r\n", "b", "b\r\nhello world", "b\nhello world\r\n0\r\n", " b\r\nhello world\r\n",
        "b \r\nhello world\r\n",
        "0xb\r\nhello world\r\n", "+b\r\nhello world\r\n", "-1\r\n", "g\r\n", "b\r\nhello world0\r\n",
        "b\r\nhello world\n0\r\n", "b\r\nhello world\r0\r\n", "b\r\nhello worlds\r\n0\r\n", "c\r\nhello world\r\n",
        "7fffffffffffffff\r\n", "ffffffffffffffff\r\n", "8000000000000000\r\n", "10000000000000000\r\n",
        "0000000000000000b\r\nhello world\r\n", "b;x\r\nhello world\r\n", "b;chunk-signature=\r\nhello world\r\n",
        "bSIG\r\nhello world\r\n", "a\r\nhello worl\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n", "0\r\n",
        "b\r\nhello world\r\n1\r\n!\r\n", unsigned + "x", unsigned + "0\r\n\r\n", unsigned + "\r\n",
    ])
    func brokenFramingIsAnIncompleteBody(_ body: String) {
        let reading = Self.read(body)
        #expect(reading.refusal?.code == .incompleteBody && reading.disorder == nil)
    }

    @Test func tooManyBytesAreRefusedAsSoonAsTheyAreAnnounced() {
        var decoder = Self.decoder(length: 10)
        var buffer = ByteBuffer(string: "b\r\n")
        guard case .refused(let error) = decoder.next(&buffer) else {
            Issue.record("accepted")
            return
        }
        #expect(error.code == .incompleteBody)
    }

    @Test(arguments: [
        "b\r\nhello world\r\n", "b;\r\nhello world\r\n", "b;chunk-signature=\r\n", "b;chunk-signature=0f\r\n",
        "b; chunk-signature=HEX\r\n", "b;Chunk-Signature=HEX\r\n", "b;chunk-signature=HEX;x\r\n",
        "b;chunk-signature=HE\r\n", "b;chunk-signature=" + String(repeating: "0F", count: 32) + "\r\n",
        "b;chunk-signature=" + String(repeating: "0g", count: 32) + "\r\n", "b;x=HEX\r\n",
    ])
    func aChunkWithoutItsSignatureDoesNotMatch(_ body: String) {
        for form in [AWSChunkedForm.signed, .signedWithTrailer] {
            #expect(Self.read(body, form).refusal?.code == .signatureDoesNotMatch)
        }
    }

    @Test func aSignedBodyWhoseLastChunkIsNotSignedDoesNotMatch() {
        #expect(Self.read("bSIG\r\nhello world\r\n0\r\n\r\n", .signed).refusal?.code == .signatureDoesNotMatch)
    }

    @Test func aTrailerWhereTheFormHasNoneIsRefused() {
        let body = "bSIG\r\nhello world\r\n0SIG\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"
        #expect(Self.read(body, .signed).refusal?.code == .incompleteBody)
    }

    @Test(arguments: [
        "\r\n", "x-amz-checksum-crc32c:DUoRhQ==\r\n\r\n", "x-amz-checksum-sha256:DUoRhQ==\r\n\r\n",
        "x-amz-meta-a:b\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n",
        "x-amz-checksum-crc32:DUoRhQ==\r\nx-amz-meta-a:b\r\n\r\n",
        "x-amz-checksum-crc32:DUoRhQ==\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n", "x-amz-checksum-crc32\r\n\r\n",
        "x-amz-checksum-crc32:\r\n\r\n", "x-amz-checksum-crc32:DUoRhQ\r\n\r\n", "x-amz-checksum-crc32:DUoRhQ=\r\n\r\n",
        "x-amz-checksum-crc32:DUoRhR==\r\n\r\n", "x-amz-checksum-crc32:DUoRhQAA\r\n\r\n", ":DUoRhQ==\r\n\r\n",
        "x-amz-checksum-crc32 :DUoRhQ==\r\n\r\n", " x-amz-checksum-crc32:DUoRhQ==\r\n\r\n",
        "x-amz-checksum-crc32:DUoRhQ==\r\nx-amz-trailer-signature:HEX\r\n\r\n",
        "x-amz-checksum-crc32:DUoRhQ==\n\n\r\n\r\n", "\n\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n",
        "x-amz-checksum-crc32:" + String(repeating: " ", count: 2000) + "DUoRhQ==\r\n\r\n",
        String(repeating: "a", count: 2000),
    ])
    func aTrailerThatWasNotAnnouncedSoIsMalformed(_ trailer: String) {
        let reading = Self.read("b\r\nhello world\r\n0\r\n" + trailer)
        #expect(reading.refusal?.code == .malformedTrailer && reading.disorder == nil)
    }

    @Test(arguments: [
        "x-amz-checksum-crc32:DUoRhQ==\r\n\r\n", "x-amz-trailer-signature:HEX\r\n\r\n",
        "x-amz-trailer-signature:HEX\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n",
        "x-amz-checksum-crc32:DUoRhQ==\r\nx-amz-trailer-signature:\r\n\r\n",
        "x-amz-checksum-crc32:DUoRhQ==\r\nx-amz-trailer-signature:00\r\n\r\n",
        "x-amz-checksum-crc32:DUoRhQ==\r\nx-amz-trailer-signature:HEX\r\nx-amz-trailer-signature:HEX\r\n\r\n",
    ])
    func aTrailerThatIsNotSignedIsMalformed(_ trailer: String) {
        let reading = Self.read("bSIG\r\nhello world\r\n0SIG\r\n" + trailer, .signedWithTrailer)
        #expect(reading.refusal?.code == .malformedTrailer)
    }

    @Test func whatWasNotAnnouncedIsRefusedWhereNothingWas() {
        let decoder = Self.decoder(trailer: nil)
        #expect(ChunkedReading(Array(Self.unsigned.utf8), decoder).refusal?.code == .malformedTrailer)
    }

    @Test func aLineWithoutAnEndIsBounded() {
        var decoder = Self.decoder()
        var fed = 0
        while fed < 10_000 {
            var buffer = ByteBuffer(string: "0")
            if case .refused(let error) = decoder.next(&buffer) {
                #expect(error.code == .incompleteBody)
                #expect(fed < 128)
                return
            }
            fed += 1
        }
        Issue.record("never refused")
    }

    // MARK: Mutations

    /// Whatever is changed in the framing: the body is refused, or it means the same object.
    @Test(arguments: AWSChunkedForm.allCases)
    func mutatedBodiesAreRefusedOrMeanTheSame(_ form: AWSChunkedForm) {
        let sign = form.isSigned ? ";chunk-signature=" + Self.signature : ""
        var body = "5\(sign)\r\nhello\r\n6\(sign)\r\n world\r\n0\(sign)\r\n"
        if form.hasTrailer { body += "x-amz-checksum-crc32:DUoRhQ==\r\n" }
        if form == .signedWithTrailer { body += "x-amz-trailer-signature:\(Self.signature)\r\n" }
        let original = Array((body + "\r\n").utf8)
        let whole = ChunkedReading(original, Self.decoder(form))
        #expect(whole.refusal == nil)
        var random = LinearGenerator(seed: 7)
        for _ in 0..<1000 {
            var bytes = original
            let place = random.below(bytes.count)
            switch random.below(4) {
            case 0: bytes[place] ^= 1 << UInt8(random.below(8))
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(UInt8(truncatingIfNeeded: random.below(256)), at: place)
            default: bytes.insert(contentsOf: bytes[place..<min(place + random.below(12), bytes.count)], at: place)
            }
            let reading = ChunkedReading(bytes, Self.decoder(form))
            #expect(reading.disorder == nil)
            guard reading.refusal == nil else { continue }
            // The payload and what vouches for it may differ from the original: that is found by signature or checksum.
            #expect(reading.payload.count == 11)
            if reading.payload != whole.payload {
                let vouched = reading.trailer?.digest == whole.trailer?.digest && reading.chunks == whole.chunks
                #expect(vouched, "both the bytes and what vouches for them changed by one mutation")
            }
        }
    }

    @Test func theFuzzersCorpusHolds() throws {
        let folder = #filePath.replacing(
            "Tests/S3APITests/AWSChunked/AWSChunkedDecoderTests.swift",
            with: "Fuzz/aws-chunked"
        )
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect((10...100).contains(names.count))
        for name in names {
            let data = try #require(FileManager.default.contents(atPath: "\(folder)/\(name)"))
            #expect(brokenChunkedInvariant(of: Array(data)) == nil, "\(name)")
        }
    }
}

/// A body that botocore framed: `Vectors/aws-chunked.json`.
struct BotocoreBody: Decodable, Sendable, CustomTestStringConvertible {
    let algorithm: String
    let payload: Data
    let body: Data

    var testDescription: String { "\(algorithm), \(payload.count) bytes" }

    private struct File: Decodable { let cases: [BotocoreBody] }

    static let all: [BotocoreBody] = {
        let url = Bundle.module.url(forResource: "aws-chunked", withExtension: "json", subdirectory: "Vectors")
        guard let url, let data = try? Data(contentsOf: url) else { return [] }
        return (try? JSONDecoder().decode(File.self, from: data))?.cases ?? []
    }()
}

/// The same numbers on every run and machine.
struct LinearGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }
}
