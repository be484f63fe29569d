public import NIOCore
public import WireFormats

/// Takes an object's bytes out of an aws-chunked body, as slices of the buffers they arrived in (S3 API reference,
/// "Signature calculations for the Authorization header: transferring payload in multiple chunks", both parts).
///
/// It reads the framing and nothing else: signatures and checksums come out as events, for others to verify. Everything in
/// a buffer is consumed; a line that is split over two of them is kept here, a trailer's at most
/// ``maxTrailerBytes`` long.
///
/// Chunks may be of any size. S3 refuses all but the last below 8 KiB (`InvalidChunkSizeError`), other stores do not, and
/// SDKs that chunk as their source delivers (JavaScript's before 2025) send such. What is sent on is framed anew.
public struct AWSChunkedDecoder: Sendable {
    public enum Event: Sendable {
        /// The buffer is used up.
        case needMore
        /// A chunk of so many bytes; none in the last one. The signature is 32 bytes, there where the form is signed, and
        /// to be verified at the chunk's end.
        case chunkBegan(size: Int64, signature: [UInt8]?)
        /// The next bytes of the chunk, never empty: a slice, not a copy.
        case bytes(ByteBuffer)
        /// Also of the last chunk, before the trailer.
        case chunkEnded
        /// Comes where the form has a trailer, between the last chunk and the end.
        case trailer(AWSChunkedTrailer)
        /// The body is complete. Bytes that follow are refused; with an empty buffer, later calls say the same.
        case end
        /// Nothing can be made of the rest; later calls say the same.
        case refused(S3Error)
    }

    /// Of the whole trailer, line ends included.
    public static let maxTrailerBytes = 1024

    private enum State: Sendable {
        // → data, lastChunk
        case chunkHeader
        // → data, chunkEnd
        case data(remaining: Int64)
        // → chunkHeader
        case chunkEnd
        // → trailer, finalLine
        case lastChunk
        // → finished
        case finalLine
        // → finished
        case trailer
        case finished
        case refused(S3Error)
    }

    private let form: AWSChunkedForm
    /// Of the object, not yet announced by a chunk.
    private var remaining: Int64
    private var state = State.chunkHeader
    private var line = Line()
    private var trailer: TrailerReader

    /// - Parameters:
    ///   - decodedLength: Bytes of the object: `x-amz-decoded-content-length`.
    ///   - trailer: The checksum that `x-amz-trailer` announces; nil: none is to come.
    public init(_ form: AWSChunkedForm, decodedLength: Int64, trailer: ChecksumAlgorithm?) {
        precondition(decodedLength >= 0, "a length below zero")
        self.form = form
        remaining = decodedLength
        self.trailer = TrailerReader(announced: trailer, isSigned: form.isSigned)
    }

    /// Whether ``Event/end`` has been reached.
    public var isFinished: Bool {
        if case .finished = state { true } else { false }
    }

    /// The next event; call until it is `needMore`, `end` or `refused`.
    public mutating func next(_ buffer: inout ByteBuffer) -> Event {
        if case .refused(let error) = state { return .refused(error) }
        do throws(S3Error) {
            return try step(&buffer)
        } catch {
            state = .refused(error)
            return .refused(error)
        }
    }

    /// The body as it was sent is over: nil where it was whole.
    public mutating func closed() -> S3Error? {
        switch state {
        case .finished: return nil
        case .refused(let error): return error
        case .chunkHeader, .data, .chunkEnd, .lastChunk, .finalLine, .trailer:
            let error = S3Error(.incompleteBody, "The request body ends before its last chunk.")
            state = .refused(error)
            return error
        }
    }

    private mutating func step(_ buffer: inout ByteBuffer) throws(S3Error) -> Event {
        while true {
            switch state {
            case .data(let left):
                guard left > 0 else {
                    state = .chunkEnd
                    continue
                }
                let count = Int(min(left, Int64(buffer.readableBytes)))
                guard count > 0, let slice = buffer.readSlice(length: count) else { return .needMore }
                state = .data(remaining: left - Int64(count))
                return .bytes(slice)
            case .chunkHeader:
                guard let text = try line.read(&buffer, limit: ChunkHeader.maxBytes, .framing) else { return .needMore }
                return try begin(ChunkHeader(text, isSigned: form.isSigned))
            case .chunkEnd:
                guard let text = try line.read(&buffer, limit: 2, .framing) else { return .needMore }
                guard text.isEmpty else { throw Line.Place.framing.error }
                state = .chunkHeader
                return .chunkEnded
            case .lastChunk:
                state = form.hasTrailer ? .trailer : .finalLine
                return .chunkEnded
            case .finalLine:
                guard let text = try line.read(&buffer, limit: 2, .framing) else { return .needMore }
                guard text.isEmpty else { throw Line.Place.framing.error }
                state = .finished
            case .trailer:
                let limit = Self.maxTrailerBytes - trailer.consumed
                guard let text = try line.read(&buffer, limit: limit, .trailer) else { return .needMore }
                guard let trailer = try trailer.take(text) else { continue }
                state = .finished
                return .trailer(trailer)
            case .finished:
                guard buffer.readableBytes == 0 else {
                    throw S3Error(.incompleteBody, "The request body goes on after its last chunk.")
                }
                return .end
            case .refused(let error):
                throw error
            }
        }
    }

    private mutating func begin(_ header: ChunkHeader) throws(S3Error) -> Event {
        guard header.size <= remaining else {
            throw S3Error(.incompleteBody, "The chunks hold more than x-amz-decoded-content-length says.")
        }
        remaining -= header.size
        if header.size > 0 {
            state = .data(remaining: header.size)
        } else {
            guard remaining == 0 else {
                throw S3Error(.incompleteBody, "The chunks hold less than x-amz-decoded-content-length says.")
            }
            state = .lastChunk
        }
        return .chunkBegan(size: header.size, signature: header.signature)
    }
}
