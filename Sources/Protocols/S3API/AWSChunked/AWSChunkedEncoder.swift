public import NIOCore
public import WireFormats

/// Frames an object's bytes as `STREAMING-UNSIGNED-PAYLOAD-TRAILER`, for a store. All chunks but the last are of one size
/// that is fixed beforehand, so that the length of the whole is known before its first byte.
public struct AWSChunkedEncoder: Sendable {
    /// S3 wants 8 KiB at least.
    public static let chunkSize: Int64 = 64 * 1024

    /// Bytes of the framed body, trailer included: the `Content-Length`.
    public let encodedLength: Int64

    private let trailer: ChecksumAlgorithm
    /// Of the object, not yet framed.
    private var remaining: Int64
    /// Of the chunk that is under way.
    private var remainingInChunk: Int64 = 0
    private var hasBegun = false
    /// What stands between two whole chunks, written once.
    private let seam: ByteBuffer

    public init(decodedLength: Int64, trailer: ChecksumAlgorithm) {
        precondition(decodedLength >= 0, "a length below zero")
        remaining = decodedLength
        self.trailer = trailer
        seam = ByteBuffer(string: "\r\n" + Self.header(Self.chunkSize))
        encodedLength = Self.encodedLength(decodedLength, trailer)
    }

    /// Hands out the next bytes of the object with the framing before them: as slices, not as copies.
    public mutating func frame(_ bytes: ByteBuffer, _ write: (ByteBuffer) -> Void) {
        var bytes = bytes
        precondition(Int64(bytes.readableBytes) <= remaining, "more bytes than were announced")
        while bytes.readableBytes > 0 {
            if remainingInChunk == 0 { write(beginChunk()) }
            let count = Int(min(remainingInChunk, Int64(bytes.readableBytes)))
            guard let slice = bytes.readSlice(length: count) else { return }
            remainingInChunk -= Int64(count)
            remaining -= Int64(count)
            write(slice)
        }
    }

    /// What follows the object's bytes, all of which have been framed.
    ///
    /// - Parameter digest: of the trailer's algorithm.
    public func finish(_ digest: [UInt8]) -> ByteBuffer {
        precondition(remaining == 0, "fewer bytes than were announced")
        precondition(digest.count == trailer.digestLength, "a digest of another algorithm")
        let end = "0\r\n\(trailer.header):\(Base64.encode(digest))\r\n\r\n"
        return ByteBuffer(string: hasBegun ? "\r\n" + end : end)
    }

    private mutating func beginChunk() -> ByteBuffer {
        remainingInChunk = min(Self.chunkSize, remaining)
        defer { hasBegun = true }
        if hasBegun, remainingInChunk == Self.chunkSize { return seam }
        let header = Self.header(remainingInChunk)
        return ByteBuffer(string: hasBegun ? "\r\n" + header : header)
    }

    private static func header(_ size: Int64) -> String { String(size, radix: 16) + "\r\n" }

    private static func encodedLength(_ decodedLength: Int64, _ trailer: ChecksumAlgorithm) -> Int64 {
        func framed(_ size: Int64) -> Int64 { Int64(header(size).utf8.count) + size + 2 }
        let (whole, last) = decodedLength.quotientAndRemainder(dividingBy: chunkSize)
        let base64 = (trailer.digestLength + 2) / 3 * 4
        let end =
            "0\r\n".utf8.count + trailer.header.utf8CodeUnitCount + ":".utf8.count + base64 + "\r\n\r\n".utf8.count
        return whole * framed(chunkSize) + (last > 0 ? framed(last) : 0) + Int64(end)
    }
}
