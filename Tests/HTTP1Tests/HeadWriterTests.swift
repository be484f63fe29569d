import HTTP1
import NIOCore
import Testing

struct HeadWriterTests {
    @Test func aResponseHeadIsItsLineItsFieldsAndAnEmptyLine() {
        var fields = FieldBlock()
        fields.append("content-length", "0")
        fields.append("x-amz-request-id", "1")
        var buffer = ByteBuffer()
        HeadWriter.append(status: 404, fields: fields, to: &buffer)
        #expect(
            String(buffer: buffer) == "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nx-amz-request-id: 1\r\n\r\n"
        )
    }

    @Test func anUnknownStatusHasNoReason() {
        var buffer = ByteBuffer()
        HeadWriter.append(status: 299, fields: FieldBlock(), to: &buffer)
        #expect(String(buffer: buffer) == "HTTP/1.1 299 \r\n\r\n")
    }

    @Test(arguments: [("", "PUT /b/k HTTP/1.1"), ("acl=&x=1", "PUT /b/k?acl=&x=1 HTTP/1.1")])
    func aRequestHeadCarriesItsTargetAsEncoded(query: String, line: String) {
        var request = OutgoingRequest(method: .put, path: Array("/b/k".utf8), query: Array(query.utf8))
        request.fields.append("host", "a")
        var buffer = ByteBuffer()
        HeadWriter.append(request, to: &buffer)
        #expect(String(buffer: buffer) == line + "\r\nhost: a\r\n\r\n")
    }

    @Test func aReceivedBlockIsWrittenAsItCame() {
        let head = "HTTP/1.1 200 OK\r\nETag:\"x\"\r\nX-A: \t b \r\n\r\n"
        var received = ByteBuffer(string: head)
        var parser = ResponseParser(requestMethod: .head)
        guard case .head(let response) = parser.parse(&received) else {
            Issue.record("no head")
            return
        }
        var written = ByteBuffer()
        HeadWriter.append(status: response.status, fields: response.fields, to: &written)
        #expect(String(buffer: written) == head)
    }

    @Test func aLineEndInAValueOrNameCannotSplitTheHead() {
        var fields = FieldBlock()
        fields.append("x-amz-meta-a", "b\r\nSet-Cookie: c\0d\ne")
        fields.append(Array("x\r\ny".utf8), Array("z".utf8))
        var buffer = ByteBuffer()
        HeadWriter.append(status: 200, fields: fields, to: &buffer)
        #expect(
            String(buffer: buffer) == "HTTP/1.1 200 OK\r\nx-amz-meta-a: b  Set-Cookie: c d e\r\nx  y: z\r\n\r\n"
        )
        #expect(fields.string("x-amz-meta-a") == "b  Set-Cookie: c d e")
    }

    @Test(arguments: [(1, "1"), (15, "f"), (16, "10"), (255, "ff"), (262_144, "40000"), (Int.max, "7fffffffffffffff")])
    func aChunkBeginsWithItsSizeInHex(count: Int, expected: String) {
        var buffer = ByteBuffer()
        HeadWriter.appendChunkHeader(count: count, to: &buffer)
        #expect(String(buffer: buffer) == expected + "\r\n")
    }

    @Test func writtenChunksReadBack() {
        var buffer = ByteBuffer()
        for piece in ["hello", " ", String(repeating: "x", count: 300)] {
            HeadWriter.appendChunkHeader(count: piece.utf8.count, to: &buffer)
            buffer.writeString(piece)
            buffer.writeString("\r\n")
        }
        buffer.writeString("0\r\n\r\n")
        let conversation = Conversation(.requestChunks, Array(buffer.readableBytesView))
        #expect(conversation.messages.first?.body.count == 306)
        #expect(conversation.messages.first?.isComplete == true)
    }
}
