import HTTP1
import NIOCore
import Testing

struct ResponseParserTests {
    @Test(arguments: [
        (HTTPMethod.get, "200 OK", "Content-Length: 5", BodyFraming.length(5)),
        (.get, "200 OK", "Transfer-Encoding: chunked", .chunked),
        (.get, "200 OK", "X: y", .untilClose),
        (.head, "200 OK", "Content-Length: 5", .none),
        (.head, "200 OK", "Transfer-Encoding: chunked", .none),
        (.head, "200 OK", "X: y", .none),
        (.get, "100 Continue", "X: y", .none),
        (.get, "103 Early Hints", "X: y", .none),
        (.delete, "204 No Content", "X: y", .none),
        (.get, "304 Not Modified", "Content-Length: 5", .none),
        (.put, "500 Oops", "Content-Length: 0", .length(0)),
    ])
    func theBodyIsDelimitedByMethodStatusAndFields(
        method: HTTPMethod,
        status: String,
        field: String,
        expected: BodyFraming
    ) throws {
        #expect(try read("HTTP/1.1 \(status)\r\n\(field)\r\n\r\n", method).framing == expected)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0", true),
        ("HTTP/1.0 200 OK\r\nContent-Length: 0", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close", false),
        ("HTTP/1.1 200 OK", false),
        ("HTTP/1.1 204 No Content", true),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5", true),
    ])
    func theConnectionIsReusedOnlyWhereTheBodyEndsByItself(head: String, expected: Bool) throws {
        #expect(try read(head + "\r\n\r\n", .get).keepAlive == expected)
    }

    @Test(arguments: ["Content-Length: 5", "Transfer-Encoding: chunked"])
    func aConnectionIsNotReusedAfterA204ThatAnnouncesABody(field: String) throws {
        let head = try read("HTTP/1.1 204 No Content\r\n\(field)\r\n\r\n", .get)
        #expect(head.framing == .none)
        #expect(!head.keepAlive)
    }

    @Test func statusAndFieldsAreKept() throws {
        let head = try read("HTTP/1.1 206 Partial Content\r\nETag: \"x\"\r\nContent-Length: 1\r\n\r\n", .get)
        #expect(head.status == 206)
        #expect(head.fields.string("etag") == "\"x\"")
    }

    private func read(_ text: String, _ method: HTTPMethod) throws -> ResponseHead {
        var buffer = ByteBuffer(string: text)
        var parser = ResponseParser(requestMethod: method)
        guard case .head(let head) = parser.parse(&buffer) else { throw NoHead() }
        #expect(buffer.readableBytes == 0)
        return head
    }
}

private struct NoHead: Error {}
