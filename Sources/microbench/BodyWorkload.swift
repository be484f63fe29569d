import NIOCore
import S3API
import WireFormats

/// What a body costs by its bytes: checksums, and aws-chunked framing read in the pieces that sockets deliver.
struct BodyWorkload {
    private static let pieceSize = 64 * 1024
    private let piece = (0..<pieceSize).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }

    func measureAll() throws -> [Measurement] {
        try ChecksumAlgorithm.allCases.map(checksum) + [try decode()]
    }

    private func checksum(_ algorithm: ChecksumAlgorithm) throws -> Measurement {
        var checksum = Checksum(algorithm)
        return try Measurement("checksum, \(algorithm.name)", bytes: piece.count) {
            checksum.update(piece)
            return true
        }
    }

    /// 16 MiB in chunks of 64 KiB.
    private func decode() throws -> Measurement {
        let pieces = 256
        var encoder = AWSChunkedEncoder(decodedLength: Int64(pieces * piece.count), trailer: .crc32)
        var buffers: [ByteBuffer] = []
        for _ in 0..<pieces {
            var buffer = ByteBuffer()
            encoder.frame(ByteBuffer(bytes: piece)) { buffer.writeImmutableBuffer($0) }
            buffers.append(buffer)
        }
        buffers.append(encoder.finish([0, 0, 0, 0]))
        let length = Int64(pieces * piece.count)
        return try Measurement("aws-chunked, decode 16 MiB", bytes: Int(length)) {
            var decoder = AWSChunkedDecoder(.unsignedWithTrailer, decodedLength: length, trailer: .crc32)
            var seen: Int64 = 0
            for buffer in buffers {
                var buffer = buffer
                read: while true {
                    switch decoder.next(&buffer) {
                    case .bytes(let slice): seen += Int64(slice.readableBytes)
                    case .chunkBegan, .chunkEnded, .trailer: continue
                    case .needMore, .end, .refused: break read
                    }
                }
            }
            return seen == length && decoder.isFinished
        }
    }
}
