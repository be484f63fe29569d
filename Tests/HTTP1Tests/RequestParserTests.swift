import HTTP1
import NIOCore
import Testing

struct RequestParserTests {
    @Test func aHeadIsTakenApartAndItsBodyLeftInTheBuffer() throws {
        let head = try read(
            "PUT /b/k%20x?acl&x=1 HTTP/1.1\r\nHost: S3.test:9000\r\nX-A: \t one \r\nContent-Length: 4\r\n\r\n"
        )
        #expect(head.method == .put)
        #expect(head.version == .http11)
        #expect(head.path == Array("/b/k%20x".utf8))
        #expect(head.query == Array("acl&x=1".utf8))
        #expect(head.host == Array("S3.test:9000".utf8))
        #expect(head.fields.string("x-a") == "one")
        #expect(head.framing == .length(4))
        #expect(head.keepAlive)
        #expect(!head.expectsContinue)
    }

    @Test func theAbsoluteFormGivesItsPath() throws {
        let head = try read("GET http://a/b/c?d HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(head.path == Array("/b/c".utf8))
        #expect(head.query == Array("d".utf8))
        #expect(try read("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n").path == Array("/".utf8))
        #expect(try read("GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n").path == Array("/".utf8))
    }

    @Test func aQueryMayBeEmptyOrAbsent() throws {
        #expect(try read("GET /? HTTP/1.1\r\nHost: a\r\n\r\n").query == [])
        #expect(try read("GET / HTTP/1.1\r\nHost: a\r\n\r\n").query == nil)
    }

    @Test(arguments: [
        ("HTTP/1.1", "", true), ("HTTP/1.0", "", false),
        ("HTTP/1.1", "close", false), ("HTTP/1.1", "TE, CLOSE", false), ("HTTP/1.1", "closed", true),
        ("HTTP/1.1", "keep-alive, close", false), ("HTTP/1.0", "keep-alive", true),
        ("HTTP/1.0", ", Keep-Alive ,", true), ("HTTP/1.0", "close, keep-alive", false),
    ])
    func theConnectionStaysOpenByVersionAndTokens(version: String, connection: String, expected: Bool) throws {
        let head = try read("GET / \(version)\r\nHost: a\r\nConnection: \(connection)\r\n\r\n")
        #expect(head.keepAlive == expected)
    }

    @Test(arguments: [
        ("HTTP/1.1", "Content-Length: 1", true), ("HTTP/1.1", "Transfer-Encoding: chunked", true),
        ("HTTP/1.1", "Content-Length: 0", true), ("HTTP/1.1", "X: y", false), ("HTTP/1.0", "Content-Length: 1", false),
    ])
    func continueIsExpectedOnlyWithABodyThoughItHasNoByte(version: String, field: String, expected: Bool) throws {
        let head = try read("PUT / \(version)\r\nHost: a\r\nExpect: 100-continue\r\n\(field)\r\n\r\n")
        #expect(head.expectsContinue == expected)
    }

    @Test func requestsInOnePieceComeOutOneByOne() {
        let bytes = Array(
            """
            PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\
            GET /2 HTTP/1.1\r\nHost: a\r\n\r\n\
            PUT /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\nX: y\r\n\r\n\
            \r\nDELETE /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n
            """.utf8
        )
        let conversation = Conversation(.requests, bytes)
        #expect(
            conversation.messages.map { String($0.start.prefix { $0 != "h" }) } == [
                "PUT /1 ", "GET /2 ", "PUT /3 ", "DELETE /4 ",
            ]
        )
        #expect(conversation.messages.map { String(decoding: $0.body, as: UTF8.self) } == ["abc", "", "def", ""])
        #expect(conversation.messages.map(\.isKeptAlive) == [true, true, true, false])
        #expect(conversation.rest == 0)
        for cut in 0...bytes.count {
            #expect(Conversation(.requests, bytes, cutAt: [cut]).messages == conversation.messages)
        }
    }

    @Test func aRefusalIsFinalAndConsumesNothing() {
        var parser = RequestParser()
        var bad = ByteBuffer(string: "GET / HTTP/1.1\n")
        guard case .refused(.bareLineFeed) = parser.parse(&bad) else {
            Issue.record("not refused")
            return
        }
        var good = ByteBuffer(string: "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        guard case .refused(.bareLineFeed) = parser.parse(&good) else {
            Issue.record("not refused again")
            return
        }
        #expect(good.readerIndex == 0)
    }

    @Test func aHalfSeenHeadIsKnownAsSuch() {
        var parser = RequestParser()
        var buffer = ByteBuffer()
        _ = parser.parse(&buffer)
        #expect(!parser.isMidHead)
        buffer.writeString("\r\n")
        _ = parser.parse(&buffer)
        #expect(!parser.isMidHead)
        buffer.writeString("GET / HT")
        _ = parser.parse(&buffer)
        #expect(parser.isMidHead)
        buffer.writeString("TP/1.1\r\nHost: a\r\n\r\n")
        _ = parser.parse(&buffer)
        #expect(!parser.isMidHead)
    }

    @Test func everyRefusalHasAStatusAndDistinctWords() {
        #expect(HTTPRefusal.allCases.allSatisfy { (400...505).contains($0.status) })
        #expect(Set(HTTPRefusal.allCases.map(\.reason)).count == HTTPRefusal.allCases.count)
    }

    private func read(_ text: String) throws -> RequestHead {
        var buffer = ByteBuffer(string: text)
        var parser = RequestParser()
        guard case .head(let head) = parser.parse(&buffer) else { throw NoHead() }
        #expect(buffer.readableBytes == 0)
        return head
    }
}

private struct NoHead: Error {}
