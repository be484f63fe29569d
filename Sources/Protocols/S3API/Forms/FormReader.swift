public import NIOCore

/// Reads a form up to its file, and a short form to its end (RFC 7578; S3 API reference, "POST Object"). Strict: what two
/// readers could read differently is refused. Every bound is small: fields are kept, the file is not.
public struct FormReader: Sendable {
    /// Of everything that precedes the file, headers and delimiters included (S3's own limit for the fields).
    public static let maxFieldBytes = 20 << 10
    public static let maxFields = 100
    /// A form with no more than so many bytes behind the file's header is read whole: its file's length is known then,
    /// and not reckoned from how clients usually end a form.
    public static let wholeLimit: Int64 = 64 << 10
    private static let maxHeaderBytes = 4 << 10

    private enum State: Sendable {
        // → header
        case opening
        // → value, file
        case header
        // → header
        case value(name: String)
        case file
    }

    private let boundary: FormBoundary
    /// Of the body, not yet taken.
    private var remaining: Int64
    private var state = State.opening
    private var pending = ByteBuffer()
    /// How much of `pending` is known not to begin what is looked for.
    private var scanned = 0
    private var fieldBytes = 0
    private var fields = FormFields()
    private var file: FormFileDecoder
    private var content: [UInt8] = []
    /// Bytes of the body from the beginning of the file on.
    private var fileBytes: Int64 = 0

    /// - Parameter length: of the whole body.
    public init(_ boundary: FormBoundary, length: Int64) {
        self.boundary = boundary
        remaining = length
        file = FormFileDecoder(boundary)
    }

    /// Takes the next bytes of the body. Returns the form once its fields are known and its file is long; the rest of the
    /// body belongs to it then.
    ///
    /// - Throws: `MalformedPOSTRequest`, `MaxPostPreDataLengthExceeded`, `InvalidArgument`.
    public mutating func take(_ bytes: ByteBuffer) throws(S3Error) -> PostForm? {
        var bytes = bytes
        remaining -= Int64(bytes.readableBytes)
        if case .file = state {
            try takeFile(bytes)
            return nil
        }
        pending.writeBuffer(&bytes)
        while true {
            if case .file = state { break }
            guard try step() else {
                guard fieldBytes + pending.readableBytes <= Self.maxFieldBytes else { throw Self.tooLong }
                return nil
            }
            guard fieldBytes <= Self.maxFieldBytes else { throw Self.tooLong }
        }
        fileBytes = Int64(pending.readableBytes) + remaining
        guard fileBytes <= Self.wholeLimit else {
            let length = fileBytes - Int64(file.usualEnding)
            return PostForm(fields: fields, file: .streamed(length: length, file, beginning: pending))
        }
        try takeFile(pending)
        return nil
    }

    /// After the body's last byte: the whole form.
    ///
    /// - Throws: as ``take(_:)``; `IncorrectNumberOfFilesInPostRequest` where there is no file.
    public mutating func finish() throws(S3Error) -> PostForm {
        guard case .file = state else { throw .malformedForm("The form ends early.") }
        try file.finish()
        return PostForm(fields: fields, file: .whole(content))
    }

    private mutating func takeFile(_ bytes: ByteBuffer) throws(S3Error) {
        for piece in try file.take(bytes) { content += piece.readableBytesView }
    }

    private static var tooLong: S3Error { S3Error(.maxPostPreDataLengthExceeded) }

    // MARK: - Fields

    /// Whether something was read; false where more bytes are needed.
    private mutating func step() throws(S3Error) -> Bool {
        switch state {
        case .opening:
            let opening = boundary.delimiter.dropFirst(2) + Array("\r\n".utf8)
            let begun = pending.readableBytesView.prefix(opening.count)
            guard opening.starts(with: begun) else {
                throw .malformedForm("The form does not begin with its boundary.")
            }
            guard begun.count == opening.count else { return false }
            consume(opening.count)
            state = .header
            return true
        case .header: return try readHeader()
        case .value(let name): return try readValue(of: name)
        case .file: return false
        }
    }

    private mutating func readHeader() throws(S3Error) -> Bool {
        guard let end = find(Self.emptyLine) else {
            guard pending.readableBytes <= Self.maxHeaderBytes else {
                throw .malformedForm("The header of a part is too long.")
            }
            return false
        }
        guard end <= Self.maxHeaderBytes else { throw .malformedForm("The header of a part is too long.") }
        let header = try FormPartHeader(Array(pending.readableBytesView.prefix(end))[...])
        consume(end + Self.emptyLine.count)
        if header.name == "file" {
            fields.filename = FormFields.lastSegment(of: header.filename ?? [])
            // It stands for a part of a key; put into fields many times, a longer one would be very long.
            guard fields.filename.count <= ObjectKey.maximumLength else { throw S3Error(.keyTooLong) }
            state = .file
        } else {
            state = .value(name: header.name)
        }
        return true
    }

    private mutating func readValue(of name: String) throws(S3Error) -> Bool {
        let delimiter = boundary.delimiter
        guard let end = find(delimiter), pending.readableBytes >= end + delimiter.count + 2 else { return false }
        let value = Array(pending.readableBytesView.prefix(end))
        let following = Array(pending.readableBytesView.dropFirst(end + delimiter.count).prefix(2))
        guard following != Array("--".utf8) else { throw S3Error(.incorrectNumberOfFiles) }
        guard following == Array("\r\n".utf8) else { throw .malformedForm("A boundary can't be read.") }
        guard fields.count < Self.maxFields else { throw .malformedForm("There are too many fields.") }
        try fields.add(name, value)
        consume(end + delimiter.count + 2)
        state = .header
        return true
    }

    private static let emptyLine = Array("\r\n\r\n".utf8)

    private mutating func consume(_ count: Int) {
        pending.moveReaderIndex(forwardBy: count)
        fieldBytes += count
        scanned = 0
    }

    /// Where `wanted` begins. Bytes once looked at are not looked at again, however slowly the rest arrives.
    private mutating func find(_ wanted: [UInt8]) -> Int? {
        let start = scanned
        let (found, seen) = pending.withUnsafeReadableBytes { bytes -> (Int?, Int) in
            var place = start
            while place + wanted.count <= bytes.count {
                if bytes[place] == wanted[0], bytes[place..<(place + wanted.count)].elementsEqual(wanted) {
                    return (place, place)
                }
                place += 1
            }
            return (nil, place)
        }
        scanned = seen
        return found
    }
}
