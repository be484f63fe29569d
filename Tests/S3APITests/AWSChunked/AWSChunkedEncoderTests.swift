import NIOCore
import S3API
import Testing
import WireFormats

@Suite struct AWSChunkedEncoderTests {
    @Test(arguments: [0, 1, 15, 16, 65_535, 65_536, 65_537, 131_071, 131_072, 200_000], ChecksumAlgorithm.allCases)
    func aBodyHasTheLengthThatWasForetoldAndReadsBack(_ size: Int, _ algorithm: ChecksumAlgorithm) {
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
        for piece in [size + 1, 60_000, 65_536] {
            var encoder = AWSChunkedEncoder(decodedLength: Int64(size), trailer: algorithm)
            var body: [UInt8] = []
            for start in stride(from: 0, to: size, by: piece) {
                encoder.frame(ByteBuffer(bytes: payload[start..<min(start + piece, size)])) {
                    #expect($0.readableBytes > 0)
                    body += $0.readableBytesView
                }
            }
            encoder.frame(ByteBuffer()) { _ in Issue.record("something came of nothing") }
            body += encoder.finish(Checksum.of(payload, algorithm)).readableBytesView
            #expect(Int64(body.count) == encoder.encodedLength)
            let decoder = AWSChunkedDecoder(.unsignedWithTrailer, decodedLength: Int64(size), trailer: algorithm)
            let reading = ChunkedReading(body, decoder)
            #expect(reading.refusal == nil && reading.payload == payload)
            #expect(reading.trailer?.digest == Checksum.of(payload, algorithm))
            #expect(reading.chunks.dropLast(2).allSatisfy { $0.size == AWSChunkedEncoder.chunkSize })
        }
    }

    @Test func bytesThatComeOneByOneMakeTheSameBody() {
        let payload = Array("hello world".utf8)
        var encoder = AWSChunkedEncoder(decodedLength: 11, trailer: .crc32)
        var body: [UInt8] = []
        for byte in payload { encoder.frame(ByteBuffer(bytes: [byte])) { body += $0.readableBytesView } }
        body += encoder.finish(Checksum.of(payload, .crc32)).readableBytesView
        #expect(body == Array("b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n".utf8))
    }
}
