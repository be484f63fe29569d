public import NIOCore

/// Takes the file out of the last part of a form: everything up to the closing delimiter, as slices of the buffers it
/// arrived in. Nothing may follow but a line's end.
public struct FormFileDecoder: Sendable {
    private enum State: Sendable {
        // → closed
        case data
        /// Of what follows the delimiter: at most four bytes.
        case closed(tail: [UInt8])
    }

    private let delimiter: [UInt8]
    private var state = State.data
    /// The beginning of what may become a delimiter, shorter than one.
    private var carry: [UInt8] = []

    init(_ boundary: FormBoundary) {
        delimiter = boundary.delimiter
    }

    /// How many bytes clients send behind a file: the closing delimiter and a line's end.
    var usualEnding: Int { delimiter.count + 4 }

    /// The next bytes of the file, none of them empty.
    ///
    /// - Throws: `MalformedPOSTRequest` where something follows the file.
    public mutating func take(_ bytes: ByteBuffer) throws(S3Error) -> [ByteBuffer] {
        var bytes = bytes
        if !carry.isEmpty {
            var joined = ByteBuffer(bytes: carry)
            joined.writeBuffer(&bytes)
            bytes = joined
            carry = []
        }
        guard case .data = state else {
            try close(bytes)
            return []
        }
        let (length, isDelimiter) = bytes.withUnsafeReadableBytes { find(in: $0) }
        let file = bytes.readSlice(length: length) ?? ByteBuffer()
        if isDelimiter {
            bytes.moveReaderIndex(forwardBy: delimiter.count)
            state = .closed(tail: [])
            try close(bytes)
        } else {
            carry = Array(bytes.readableBytesView)
        }
        return file.readableBytes > 0 ? [file] : []
    }

    /// - Throws: `MalformedPOSTRequest` where the form is not complete.
    public func finish() throws(S3Error) {
        guard case .closed(let tail) = state, tail == Self.end || tail == Self.end.dropLast(2) else {
            throw .malformedForm("The form does not end behind the file.")
        }
    }

    private static let end = Array("--\r\n".utf8)

    private mutating func close(_ bytes: ByteBuffer) throws(S3Error) {
        guard case .closed(var tail) = state else { return }
        tail += bytes.readableBytesView.prefix(Self.end.count + 1)
        guard Self.end.starts(with: tail) else { throw .malformedForm("The file must be the last field of the form.") }
        state = .closed(tail: tail)
    }

    /// Where the delimiter begins, or the longest beginning of one at the end.
    private func find(in bytes: UnsafeRawBufferPointer) -> (place: Int, isWhole: Bool) {
        var from = 0
        while let place = bytes[from...].firstIndex(of: UInt8(ascii: "\r")) {
            let candidate = bytes[place...].prefix(delimiter.count)
            if delimiter.starts(with: candidate) { return (place, candidate.count == delimiter.count) }
            from = place + 1
        }
        return (bytes.count, false)
    }
}
