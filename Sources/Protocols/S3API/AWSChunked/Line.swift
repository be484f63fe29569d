import NIOCore

/// A line on its way in, as far as it has come.
struct Line: Sendable {
    /// What a line belongs to, which decides what its defects are called.
    enum Place: Sendable {
        case framing, trailer

        var error: S3Error {
            switch self {
            case .framing: S3Error(.incompleteBody, "The request body is not framed as aws-chunked says.")
            case .trailer: S3Error(.malformedTrailer)
            }
        }
    }

    private var bytes: [UInt8] = []
    private var isComplete = false

    /// The next line without its CRLF, once it is whole. What was looked at is consumed.
    ///
    /// - Parameter limit: bytes, line end included. A longer line is refused as soon as that is seen.
    mutating func read(
        _ buffer: inout ByteBuffer,
        limit: Int,
        _ place: Place
    ) throws(S3Error) -> ArraySlice<UInt8>? {
        if isComplete {
            bytes.removeAll(keepingCapacity: true)
            isComplete = false
        }
        let room = limit - bytes.count
        let (count, ends) = buffer.withUnsafeReadableBytes { readable in
            let window = readable.prefix(room)
            var last = bytes.last
            for (index, byte) in window.enumerated() {
                if byte == UInt8(ascii: "\n"), last == UInt8(ascii: "\r") { return (index + 1, true) }
                last = byte
            }
            return (window.count, false)
        }
        buffer.readWithUnsafeReadableBytes { readable in
            bytes.append(contentsOf: readable.prefix(count))
            return count
        }
        guard ends else {
            guard bytes.count < limit else { throw place.error }
            return nil
        }
        isComplete = true
        return bytes.dropLast(2)
    }
}
