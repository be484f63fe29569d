public import NIOCore

/// Writes heads and chunk framing as HTTP/1.1 bytes.
///
/// A ``FieldBlock`` is already in its wire form, so a head is a few copies. The writer adds nothing: framing fields,
/// `date`, `connection` and the rest are the caller's to put into the block.
public enum HeadWriter {
    /// `HTTP/1.1 status reason`, the fields, and the empty line. `status` is 100...999.
    public static func append(status: Int, fields: FieldBlock, to buffer: inout ByteBuffer) {
        appendStatusLine(status, to: &buffer)
        buffer.writeBytes(fields.bytes)
        buffer.writeStaticString("\r\n")
    }

    /// `HTTP/1.1 status reason`, to be followed by field lines and an empty one. `status` is 100...999.
    public static func appendStatusLine(_ status: Int, to buffer: inout ByteBuffer) {
        if status == 200 {
            // As nearly every answer begins.
            buffer.writeStaticString("HTTP/1.1 200 OK\r\n")
            return
        }
        buffer.writeStaticString("HTTP/1.1 ")
        appendStatus(status, to: &buffer)
        buffer.writeStaticString(" ")
        buffer.writeStaticString(reasonPhrase(status))
        buffer.writeStaticString("\r\n")
    }

    /// The `content-length` line. `length` is not negative.
    public static func appendContentLength(_ length: Int64, to buffer: inout ByteBuffer) {
        precondition(length >= 0, "a negative length")
        buffer.writeStaticString("content-length: ")
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 21) { text in
            text[19] = UInt8(ascii: "\r")
            text[20] = UInt8(ascii: "\n")
            var first = 19
            var rest = length
            repeat {
                first -= 1
                text[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(text)[first...]))
        }
    }

    /// The request's whole head. Method, path and query must be free of spaces and controls, as encoding leaves them:
    /// anything else would be our own request smuggling, so it traps.
    public static func append(_ request: OutgoingRequest, to buffer: inout ByteBuffer) {
        precondition(isVisible(request.path) && isVisible(request.query), "an unencoded request target")
        let method = request.method.name
        buffer.reserveCapacity(
            minimumWritableBytes: method.utf8.count + request.path.count + request.query.count
                + request.fields.bytes.count + 16
        )
        buffer.writeString(method)
        buffer.writeStaticString(" ")
        buffer.writeBytes(request.path)
        if !request.query.isEmpty {
            buffer.writeStaticString("?")
            buffer.writeBytes(request.query)
        }
        buffer.writeStaticString(" HTTP/1.1\r\n")
        buffer.writeBytes(request.fields.bytes)
        buffer.writeStaticString("\r\n")
    }

    /// What stands before a chunk of `count` bytes, which must not be 0: that would end the body.
    public static func appendChunkHeader(count: Int, to buffer: inout ByteBuffer) {
        precondition(count > 0, "an empty chunk ends the body")
        let digits = (Int.bitWidth - count.leadingZeroBitCount + 3) / 4
        for place in (0..<digits).reversed() {
            let digit = UInt8(truncatingIfNeeded: count >> (place * 4) & 0xF)
            buffer.writeInteger(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
        buffer.writeStaticString("\r\n")
    }

    private static func appendStatus(_ status: Int, to buffer: inout ByteBuffer) {
        precondition((100...999).contains(status), "a status of three digits")
        buffer.writeInteger(UInt8(ascii: "0") + UInt8(status / 100))
        buffer.writeInteger(UInt8(ascii: "0") + UInt8(status / 10 % 10))
        buffer.writeInteger(UInt8(ascii: "0") + UInt8(status % 10))
    }

    private static func isVisible(_ bytes: [UInt8]) -> Bool {
        bytes.allSatisfy { ByteClass.isVisible($0) }
    }
}
