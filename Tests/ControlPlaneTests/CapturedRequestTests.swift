import HTTP1
import Testing
import WireFormats

@testable import ControlPlane

@Suite("A captured request, as people have it")
struct CapturedRequestTests {
    private static func read(_ text: String) throws -> CapturedRequest {
        try CapturedRequest(parsing: Array(text.utf8))
    }

    @Test("A URL is a GET; its query stays as it is, and what a request line can't hold is encoded")
    func url() throws {
        let captured = try Self.read("https://files.example.com:8443/photos/a%20b é.txt?X-Amz-Date=1&x=%2F#part\n")
        #expect(captured.head.method == .get)
        #expect(captured.head.host == Array("files.example.com:8443".utf8))
        #expect(captured.head.path == Array("/photos/a%20b%20%C3%A9.txt".utf8))
        #expect(captured.head.query == Array("X-Amz-Date=1&x=%2F".utf8))
        #expect(captured.isSecure == true)
        #expect(captured.assumptions.count == 1)
        #expect(try Self.read("http://h?list-type=2").head.path == Array("/".utf8))
    }

    @Test("An HTTP request as text, whichever way its lines end, with its body")
    func message() throws {
        for end in ["\r\n", "\n"] {
            let lines = ["PUT /b/k HTTP/1.1", "Host: h", "Content-Length: 5", "X-Amz-Date: now", "", "hello"]
            let captured = try Self.read(lines.joined(separator: end))
            #expect(captured.head.method == .put)
            #expect(captured.head.fields.string("x-amz-date") == "now")
            #expect(captured.body == Array("hello".utf8))
        }
        // An editor's line end behind the body.
        let edited = try Self.read("PUT /b/k HTTP/1.1\nHost: h\nContent-Length: 5\n\nhello\n")
        #expect(edited.body == Array("hello".utf8))
        let cut = try Self.read("PUT /b/k HTTP/1.1\nHost: h\nContent-Length: 500\n\nhello")
        #expect(cut.body == nil)
        #expect(cut.assumptions.contains { $0.contains("500") })
    }

    @Test("What curl -v prints")
    func verbose() throws {
        let captured = try Self.read("> GET /b/k HTTP/2\n> Host: h\n> x-api-key: k\n>\n< HTTP/2 403\n< server: x\n")
        #expect(captured.head.path == Array("/b/k".utf8))
        #expect(captured.head.fields.string("x-api-key") == "k")
        #expect(captured.head.fields.entries.count == 2)
    }

    /// As curl 7.88 prints it to a pipe.
    private static let meter =
        "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
        + "                                 Dload  Upload   Total   Spent    Left  Speed\n"
        + "\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0"
    private static let answer =
        "* HTTP 1.0, assume close after body\n< HTTP/1.0 403 Forbidden\r\n< Content-Type: text/html\r\n< \r\n"
        + "{ [335 bytes data]\n\r100   335  100   335    0     0   3200      0 --:--:-- --:--:-- --:--:--  3221\n"
        + "* Closing connection 0\n<!DOCTYPE HTML>\n<p>\n> quoted\n</p>\n"

    private static func trace(_ path: String, isSilent: Bool = false) -> String {
        (isSilent ? "" : meter) + "*   Trying 127.0.0.1:9000...\n* Connected to 127.0.0.1 (127.0.0.1) port 9000 (#0)\n"
            + "* Server auth using AWS_SIGV4 with user 'AK'\n> PUT \(path) HTTP/1.1\r\n> Host: 127.0.0.1:9000\r\n"
            + "> x-api-key: k\r\n> Accept: */*\r\n> Content-Length: 5\r\n> \r\n} [5 bytes data]\n" + answer
    }

    @Test("What curl -v prints to a pipe, with the progress meter or without", arguments: [false, true])
    func verboseToPipe(isSilent: Bool) throws {
        let captured = try Self.read(Self.trace("/b/k", isSilent: isSilent))
        #expect(captured.head.method == .put)
        #expect(captured.head.path == Array("/b/k".utf8))
        #expect(captured.head.fields.string("x-api-key") == "k")
        #expect(captured.head.fields.entries.count == 4)
        #expect(captured.body == nil)
        #expect(captured.assumptions.isEmpty)
        // The meter's last line goes on where curl has waited for a second.
        let late = Self.meter + "> GET /late HTTP/1.1\r\n> Host: h\r\n> \r\n"
        #expect(try Self.read(late).head.path == Array("/late".utf8))
    }

    @Test("Of several requests that curl -v shows, the last complete one is meant, and that is said")
    func verboseTwice() throws {
        let cut = "> GET /cut HTTP/1.1\r\n> Host: h\r\n* Closing connection 1\n"
        let captured = try Self.read(Self.trace("/first") + Self.trace("/second") + cut)
        #expect(captured.head.path == Array("/second".utf8))
        #expect(captured.assumptions.contains { $0.contains("3 requests") && $0.contains("last") })
        #expect(try Self.read(cut).head.path == Array("/cut".utf8))
    }

    @Test("A request's own body is not taken for what curl -v prints")
    func quotedInBody() throws {
        let quoted = "> GET /other HTTP/1.1\n> Host: h\n>\n"
        let captured = try Self.read("PUT /b/k HTTP/1.1\nHost: h\nContent-Length: \(quoted.utf8.count)\n\n" + quoted)
        #expect(captured.head.path == Array("/b/k".utf8))
        #expect(captured.body == Array(quoted.utf8))
    }

    @Test("A curl command line, in each shell's quoting")
    func curl() throws {
        let pasted = """
            curl -sS -X PUT 'https://h/b/it'\\''s' \\
              -H "x-amz-meta-a: \\"quoted\\"" --header=X-Amz-Date:now -H 'Accept:' -d 'a=1' --data-raw '@b'
            """
        let captured = try Self.read(pasted)
        #expect(captured.head.method == .put)
        #expect(captured.head.path == Array("/b/it's".utf8))
        #expect(captured.head.fields.string("x-amz-meta-a") == "\"quoted\"")
        #expect(captured.head.fields.string("x-amz-date") == "now")
        #expect(captured.head.fields.string("accept") == nil)
        #expect(captured.body == Array("a=1&@b".utf8))
        #expect(captured.isSecure == true)
        let browser = try Self.read("curl 'http://h/b/k' --data-raw $'one\\ntwo\\'' --compressed")
        #expect(browser.head.method == .post)
        #expect(browser.body == Array("one\ntwo'".utf8))
        #expect(try Self.read("curl -I http://h/b/k").head.method == .head)
        #expect(try Self.read("curl -T big.bin h/b/k").head.method == .put)
        #expect(try Self.read("curl -G -d a=b http://h/b").head.query == Array("a=b".utf8))
    }

    @Test(
        "What can't be read is refused with the reason",
        arguments: [
            ("", "nothing"), ("   \n", "nothing"), ("ftp://h/x", "no request"), ("https:///x", "no host"),
            ("https://user:secret@h/x", "user name"), ("curl", "no request"), ("curl -s", "no URL"),
            ("curl http://a http://b", "two URLs"), ("curl 'http://a", "quote"),
            ("curl --config x http://a", "--config"),
            ("curl -H", "no value"), ("curl -H plain http://a", "colon"), ("curl -X 'G T' http://a", "method"),
            ("curl -H $'a: b\\r\\nc: d' http://a", "line break"), ("GET / HTTP/1.1\n\n", "Host"),
            ("GET / HTTP/1.1\nHost: a\nHost: b\n\n", "Host"), ("GET /\n", "request line"),
            ("PUT / HTTP/1.1\nHost: a\nContent-Length: 1\nTransfer-Encoding: chunked\n\n", "Content-Length"),
        ]
    )
    func refused(_ text: String, _ word: String) {
        let failure = #expect(throws: CaptureFailure.self) { try Self.read(text) }
        #expect(failure?.message.contains(word) == true, "\(failure?.message ?? "")")
    }
}

@Suite("POST /api/explain", .timeLimit(.minutes(10)))
struct ExplainRouteTests {
    private static let admin = ("x-api-key", Situation.adminKey)

    @Test("Only an admin is told")
    func onlyAdmins() async throws {
        try await withListener { client async throws in
            #expect(try await client.send("POST", "/api/explain", form: "http://h/photos/a").status == 401)
            let user = ("x-api-key", Situation.userKey)
            #expect(try await client.send("POST", "/api/explain", [user], form: "http://h/photos/a").status == 403)
        }
    }

    @Test("A capture as it is, as JSON and as text for people")
    func answers() async throws {
        let capture = "GET /photos/a.txt HTTP/1.1\nHost: files.example.com\nx-api-key: alice-key\n\n"
        try await withListener { client async throws in
            let answer = try await client.send("POST", "/api/explain", [Self.admin], form: capture)
            #expect(answer.status == 200)
            #expect(answer.field("x-gatehouse-outcome") == "undecided")
            let body = try #require(JSONObject(try StrictJSON(parsing: Array(answer.body.utf8))))
            #expect(body.object("understood")?.text("bucket") == "photos")
            #expect(body.object("caller")?.text("principal") == "user:alice")
            // The bucket is allowed to alice, and is not configured.
            #expect(body.object("decision")?.text("code") == "NoSuchBucket")
            #expect(!answer.body.contains("alice-key"))
            let plain = ("accept", "text/plain")
            let people = try await client.send("POST", "/api/explain", [Self.admin, plain], form: capture)
            #expect(people.body.contains("user:alice"))
            #expect(people.field("content-type")?.hasPrefix("text/plain") == true)
        }
    }

    @Test("What is not understood is 422 with the reason, and nothing of the text in it")
    func notUnderstood() async throws {
        try await withListener { client async throws in
            let answer = try await client.send("POST", "/api/explain", [Self.admin], form: "secret words")
            #expect(answer.status == 422)
            #expect(!answer.body.contains("secret words"))
        }
    }

    @Test("Control characters of a key do not reach a terminal")
    func terminal() async throws {
        try await withListener { client async throws in
            let plain = ("accept", "text/plain")
            let url = "http://files.example.com/photos/%1B%5B2J%C2%9B"
            let answer = try await client.send("POST", "/api/explain", [Self.admin, plain], form: url)
            #expect(answer.status == 200)
            #expect(
                answer.body.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7f..<0xa0 ~= $0.value) }
            )
        }
    }
}
