import NIOCore

/// Bounds on the chunked coding beyond the data itself.
public struct ChunkLimits: Hashable, Sendable {
    public enum Extensions: Hashable, Sendable {
        /// No S3 client sends any, and readers that disagree about where one ends are a way to smuggle requests.
        case refused
        /// Skipped, up to so many bytes on each chunk.
        case skipped(maxBytes: Int)
    }

    public var extensions: Extensions
    public var maxTrailerBytes: Int
    public var maxTrailers: Int

    /// For bodies that clients send.
    public static let request = ChunkLimits(extensions: .refused, maxTrailerBytes: 8 * 1024, maxTrailers: 32)
    /// For bodies that upstreams send.
    public static let response = ChunkLimits(
        extensions: .skipped(maxBytes: 256),
        maxTrailerBytes: 8 * 1024,
        maxTrailers: 32
    )
}

/// The chunked transfer coding (RFC 9112, section 7.1): says how many of the bytes at hand are data, and consumes the
/// rest. Trailers are checked as strictly as header fields and dropped.
struct ChunkedDecoder {
    enum Step {
        case needMore
        /// So many bytes of data stand at the front of the buffer, to be taken by the caller.
        case bytes(Int)
        case end
    }

    private enum State {
        // → size
        case sizeStart
        // → size, sizeLineFeed, chunkExtension
        case size(UInt64, digits: Int)
        // → sizeLineFeed
        case chunkExtension(UInt64, length: Int)
        // → data, trailers
        case sizeLineFeed(UInt64)
        // → data, dataReturn
        case data(remaining: UInt64)
        // → dataLineFeed
        case dataReturn
        // → sizeStart
        case dataLineFeed
        // → trailers, end
        case trailers(LineScanner, consumed: Int, count: Int)
    }

    private let limits: ChunkLimits
    private var state = State.sizeStart

    init(limits: ChunkLimits) { self.limits = limits }

    mutating func next(_ buffer: inout ByteBuffer) throws(HTTPRefusal) -> Step {
        while true {
            switch state {
            case .data(let remaining) where remaining > 0:
                guard buffer.readableBytes > 0 else { return .needMore }
                let count = Int(min(remaining, UInt64(buffer.readableBytes)))
                state = .data(remaining: remaining - UInt64(count))
                return .bytes(count)
            case .data:
                state = .dataReturn
            case .trailers(let scanner, let consumed, let count):
                return try readTrailers(&buffer, scanner, consumed: consumed, count: count)
            case .sizeStart, .size, .chunkExtension, .sizeLineFeed, .dataReturn, .dataLineFeed:
                guard let byte = buffer.readInteger(as: UInt8.self) else { return .needMore }
                try take(byte)
            }
        }
    }

    /// One byte of the framing around data.
    private mutating func take(_ byte: UInt8) throws(HTTPRefusal) {
        switch state {
        case .sizeStart:
            guard let digit = ByteClass.hexValue(byte) else { throw .invalidChunkSize }
            state = .size(UInt64(digit), digits: 1)
        case .size(let size, let digits):
            try takeInSize(byte, size: size, digits: digits)
        case .chunkExtension(let size, let length):
            try takeInExtension(byte, size: size, length: length)
        case .sizeLineFeed(let size):
            guard byte == lineFeed else { throw .bareCarriageReturn }
            state = size > 0 ? .data(remaining: size) : .trailers(LineScanner(), consumed: 0, count: 0)
        case .dataReturn:
            guard byte == carriageReturn else { throw .missingChunkEnd }
            state = .dataLineFeed
        case .dataLineFeed:
            guard byte == lineFeed else { throw .missingChunkEnd }
            state = .sizeStart
        case .data, .trailers:
            preconditionFailure("data and trailers are not taken byte by byte")
        }
    }

    /// `1*16HEXDIG`, then CRLF or an extension. No white space on either side.
    private mutating func takeInSize(_ byte: UInt8, size: UInt64, digits: Int) throws(HTTPRefusal) {
        if let digit = ByteClass.hexValue(byte) {
            guard digits < 16, size < 1 << 59 else { throw .chunkTooLarge }
            state = .size(size << 4 | UInt64(digit), digits: digits + 1)
            return
        }
        switch byte {
        case carriageReturn: state = .sizeLineFeed(size)
        case lineFeed: throw .bareLineFeed
        case UInt8(ascii: ";"):
            guard limits.extensions != .refused else { throw .chunkExtension }
            state = .chunkExtension(size, length: 1)
        default: throw .invalidChunkSize
        }
    }

    private mutating func takeInExtension(_ byte: UInt8, size: UInt64, length: Int) throws(HTTPRefusal) {
        guard case .skipped(let maxBytes) = limits.extensions else { throw .chunkExtension }
        switch byte {
        case carriageReturn: state = .sizeLineFeed(size)
        case lineFeed: throw .bareLineFeed
        case 0x09, 0x20..<0x7F, 0x80...:
            guard length < maxBytes else { throw .chunkExtensionTooLong }
            state = .chunkExtension(size, length: length + 1)
        default: throw .controlCharacter
        }
    }

    /// Fields that route or frame a message must not come after it (RFC 9110, section 6.5.1); a reader that merged them
    /// into the head would see another message.
    private func check(_ trailer: FieldLine, in bytes: UnsafeRawBufferPointer) throws(HTTPRefusal) {
        for name: StaticString in ["content-length", "transfer-encoding", "host"]
        where equalsIgnoringCase(trailer.name, in: bytes, name) {
            throw .forbiddenTrailer
        }
    }

    /// Each complete line is consumed; the scanner is at the start of the incomplete one.
    private mutating func readTrailers(
        _ buffer: inout ByteBuffer,
        _ scanner: LineScanner,
        consumed: Int,
        count: Int
    ) throws(HTTPRefusal) -> Step {
        var scanner = scanner
        var count = count
        let isLast = try buffer.withUnsafeReadableBytes { (readable) throws(HTTPRefusal) -> Bool in
            let bytes = UnsafeRawBufferPointer(rebasing: readable.prefix(limits.maxTrailerBytes - consumed))
            while let line = try scanner.nextLine(in: bytes) {
                if line.isEmpty { return true }
                try check(FieldLine(line, in: bytes), in: bytes)
                count += 1
                guard count <= limits.maxTrailers else { throw .trailersTooLong }
            }
            if bytes.count == limits.maxTrailerBytes - consumed { throw .trailersTooLong }
            return false
        }
        let length = scanner.lineStart
        buffer.moveReaderIndex(forwardBy: length)
        scanner.rebase()
        state = .trailers(scanner, consumed: consumed + length, count: count)
        return isLast ? .end : .needMore
    }
}
