import HTTP1
import NIOCore
import Testing

@Test func aPlainRequestIsUnderstood() throws {
    var buffer = ByteBuffer(string: "GET /a?b=c HTTP/1.1\r\nHost: x.test\r\n\r\nrest")
    var parser = RequestParser()
    guard case .head(let head) = parser.parse(&buffer) else {
        Issue.record("no head")
        return
    }
    #expect(head.method == .get)
    #expect(head.path == Array("/a".utf8))
    #expect(head.query == Array("b=c".utf8))
    #expect(buffer.readableBytes == 4)
}
