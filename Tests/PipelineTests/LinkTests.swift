import Admission
import Crypto
import HTTP1
import Identity
import Pipeline
import S3API
import Testing
import WireFormats

@Suite("Links: whoever has one reads what it was made for, and nothing else")
struct LinkTests {
    private static let token = "S3cretTokenOf32CharactersOrSo_-x"
    private let book = GrantBook()
    private let counter = Counter()
    private let revocations = RevocationBook()
    private var gate: Gate

    init() { gate = Gate(grants: GrantSource(book: book, counter: counter), revocations: revocations) }

    private func link(
        _ reach: GivenRight.Reach = .key(ObjectKey("a b.html")),
        bucket: String = "photos",
        until end: Instant = noon + .seconds(60),
        uses: GivenRight.Uses = .unlimited,
        source: CIDR? = nil
    ) throws {
        let right = try GrantTests.right("l1", bucket: bucket, reach, until: end, uses: uses, source: source)
        book.update { $0.insert(right, for: .link(hash: Array(SHA256.hash(data: Array(Self.token.utf8))))) }
    }

    private static let address = "/-/l/" + token

    @Test("A link to an object reads it, as a principal of its own, and the store never sees the token")
    mutating func object() throws {
        try link()
        for call in [
            Call("GET", Self.address), Call("GET", Self.address + "?utm_source=mail"),
            Call("GET", "/photos/a%20b.html?gh-link=" + Self.token),
        ] {
            let decision = try gate.decide(call)
            #expect(decision.principal == .link("l1"), "\(call.testDescription)")
            #expect(decision.reason == "grant:l1")
            #expect(decision.bucket?.string == "photos" && decision.key == ObjectKey("a b.html"))
            let request = try decision.forward().request
            #expect(text(request.path) == "/photos/a%20b.html")
            #expect(text(request.query).isEmpty)
            #expect(!text(request.fields.bytes).contains(Self.token))
        }
        #expect(try gate.decide(Call("HEAD", Self.address)).forward().request.method == .head)
    }

    @Test("A link of somebody whose things were ended is like one that never was", arguments: [false, true])
    mutating func giverIsRevoked(isBlocked: Bool) throws {
        try link()
        #expect(try gate.decide(Call("GET", Self.address)).outcome == .allowed)
        revocations.update { $0.end(.principal(.user("alice")), issuedUpTo: noon, isBlocked: isBlocked) }
        for method in ["GET", "HEAD"] {
            #expect(try gate.decide(Call(method, Self.address)).reply().status == 404)
        }
        revocations.update { $0.end(.principal(.user("alice")), issuedUpTo: noon - .seconds(1), isBlocked: isBlocked) }
        #expect(try (gate.decide(Call("GET", Self.address)).outcome == .allowed) == !isBlocked)
    }

    @Test("Ranges and conditions go along")
    mutating func ranges() throws {
        try link()
        let call = Call("GET", Self.address, [("range", "bytes=5-"), ("if-none-match", "\"x\"")])
        let fields = try gate.decide(call).forward().request.fields
        #expect(fields.string("range") == "bytes=5-")
        #expect(fields.string("if-none-match") == "\"x\"")
    }

    @Test("A link to a prefix reads what lies behind it, by its whole key")
    mutating func prefix() throws {
        try link(.prefix(Array("shared/".utf8)))
        let decision = try gate.decide(Call("GET", Self.address + "/shared/a/b.txt"))
        #expect(text(try decision.forward().request.path) == "/photos/shared/a/b.txt")
        for bad in [
            "", "/", "/other", "/shared", "/sharedx", "/shared/../other", "/shared/%2e%2e/other", "/..%2fother",
            "//shared/a",
            "/%2Fshared/a", "/shared/%zz",
        ] {
            let decision = try gate.decide(Call("GET", Self.address + bad))
            switch decision.plan {
            // A key with dots in it is a key, inside of the prefix.
            case .forward(let forward): #expect(text(forward.request.path).hasPrefix("/photos/shared/"), "\(bad)")
            default: #expect(try decision.reply().status == 404, "\(bad)")
            }
        }
    }

    @Test("Unknown, expired, taken back, used up and misused links have one answer, to the byte")
    mutating func oneAnswer() async throws {
        var answers: [Reply] = []
        func ask(_ gate: inout Gate, _ call: Call, _ now: Instant = noon) async throws -> Reply {
            var findings = Findings()
            while true {
                let decision = try gate.decide(call, at: now, knowing: findings)
                guard case .wait(let make) = decision.plan else { return try decision.reply() }
                guard case .reconsider(let found) = await make() else { throw OtherPlan() }
                findings = found
            }
        }
        answers.append(try await ask(&gate, Call("GET", Self.address)))
        try link(uses: .counted)
        answers.append(try await ask(&gate, Call("GET", Self.address)))
        try link()
        answers.append(try await ask(&gate, Call("GET", Self.address), noon + .seconds(60)))
        gate.policies = try .nobodyReads()
        answers.append(try await ask(&gate, Call("GET", Self.address)))
        gate.policies = PolicySet()
        try link(bucket: "nowhere")
        answers.append(try await ask(&gate, Call("GET", Self.address)))
        try link(source: CIDR("198.51.100.0/24"))
        answers.append(try await ask(&gate, Call("GET", Self.address)))
        try link(.prefix(Array("shared/".utf8)))
        answers.append(try await ask(&gate, Call("GET", Self.address)))
        book.update { $0.remove("l1") }
        answers.append(try await ask(&gate, Call("GET", Self.address)))
        for answer in answers {
            #expect(answer.status == 404)
            #expect(answer.body == answers[0].body)
            #expect(answer.fields.bytes == answers[0].fields.bytes)
            #expect(answer.fields.string("cache-control") == "no-store")
            #expect(answer.fields.string("referrer-policy") == "no-referrer")
        }
    }

    @Test("An object that is not there, or that its store refuses, is no link either")
    mutating func missing() throws {
        try link()
        let unknown = try gate.decide(Call("GET", "/-/l/x")).reply()
        let forward = try gate.decide(Call("GET", Self.address)).forward()
        for status in [404, 403] {
            let reply = try forward.refused(status)
            #expect(reply.status == 404)
            #expect(!text(reply.body).contains("photos"))
            #expect(reply.fields.bytes == unknown.fields.bytes)
        }
    }

    @Test("Guessing is counted as failed authentication and slowed down")
    mutating func guessing() throws {
        var statuses: Set<Int> = []
        for number in 0..<200 { statuses.insert(try gate.decide(Call("GET", "/-/l/guess\(number)")).reply().status) }
        #expect(statuses == [404, 429])
        #expect(try gate.decide(Call("GET", "/-/l/guess"), from: "198.51.100.9").failureName == "unknown_link")
    }

    @Test("Links are read, nothing else", arguments: ["PUT", "POST", "DELETE", "PATCH"])
    mutating func methods(method: String) throws {
        try link()
        for call in [Call(method, Self.address), Call(method, "/photos/a%20b.html?gh-link=" + Self.token)] {
            #expect(try gate.decide(call).reply().status == 405)
        }
    }

    @Test(
        "In the query, a link is no way to more than the object",
        arguments: [
            "/photos?gh-link=TOKEN", "/?gh-link=TOKEN", "/photos/other?gh-link=TOKEN", "/docs/a%20b.html?gh-link=TOKEN",
            "/photos/a%20b.html?acl&gh-link=TOKEN", "/photos/a%20b.html?versionId=1&gh-link=TOKEN",
            "/photos/a%20b.html?response-content-type=text%2Fhtml&gh-link=TOKEN",
            "/photos/a%20b.html?gh-link=TOKEN&gh-link=TOKEN", "/photos/a%20b.html?gh-link=",
            "/public/open.txt?gh-link=TOKEN", "/public/open.txt?gh-link=wrong",
        ]
    )
    mutating func queries(path: String) throws {
        try link()
        let decision = try gate.decide(Call("GET", path.replacing("TOKEN", with: Self.token)))
        #expect(try decision.reply().status == 404)
        #expect(decision.outcome != .allowed)
    }

    @Test("A link and another credential are one too many")
    mutating func twoCredentials() throws {
        try link()
        try expect(400, .invalidRequest, gate.decide(Call("GET", Self.address).by(.alice)))
        try expect(400, .invalidRequest, gate.decide(Call("GET", Self.address).with("authorization", "Bearer abc.d.e")))
        try expect(400, .invalidRequest, gate.decide(Call("GET", Self.address).presigned()))
    }

    @Test("On a virtual host the path of a link is a key")
    mutating func virtualHost() throws {
        try link()
        let decision = try gate.decide(Call("GET", Self.address).on(host: "public.s3.example.com"))
        #expect(decision.key == ObjectKey(String(Self.address.dropFirst())))
        #expect(decision.principal == .anonymous)
    }

    @Test("On a virtual host, a link in the query reads the object that the path names, and no other")
    mutating func queryOnVirtualHost() throws {
        try link()
        let call = Call("GET", "/a%20b.html?gh-link=" + Self.token).on(host: "photos.s3.example.com")
        let decision = try gate.decide(call)
        #expect(decision.reason == "grant:l1" && decision.key == ObjectKey("a b.html"))
        #expect(text(try decision.forward().request.path) == "/photos/a%20b.html")
        // What the object's path would be in the path style is another key here.
        try link(.key(ObjectKey("photos/a b.html")))
        let other = try gate.decide(Call("GET", "/photos/a%20b.html?gh-link=" + Self.token).on(host: call.host))
        #expect(text(try other.forward().request.path) == "/photos/photos/a%20b.html")
        #expect(try gate.decide(call).reply().status == 404)
    }

    @Test(
        "What a link shows is kept nowhere, tells nobody its address, and can't act",
        arguments: [
            ("text/html", true), ("TEXT/HTML; charset=utf-8", true), ("image/svg+xml", true), ("application/xml", true),
            ("text/xml", true), ("application/xhtml+xml", true), (nil, true), ("image/png", false),
            ("text/plain", false),
            ("application/pdf", false),
        ]
    )
    mutating func fields(type: String?, isSandboxed: Bool) throws {
        try link()
        let sent = [
            ("cache-control", "public, max-age=99"), ("content-length", "1"), ("referrer-policy", "unsafe-url"),
        ]
        let forward = try gate.decide(Call("GET", Self.address)).forward()
        guard case .stream(200, let fields) = forward.given(200, sent + (type.map { [("content-type", $0)] } ?? []))
        else {
            Issue.record("not carried")
            return
        }
        #expect(fields.count(of: "cache-control") == 1 && fields.string("cache-control") == "no-store")
        #expect(fields.count(of: "referrer-policy") == 1 && fields.string("referrer-policy") == "no-referrer")
        #expect((fields.string("content-security-policy") == "sandbox") == isSandboxed)
    }
}

extension PolicySet {
    fileprivate static func nobodyReads() throws -> PolicySet {
        let document =
            #"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]}"#
        return PolicySet([
            PolicySet.Entry(
                name: "no",
                appliesTo: [try PrincipalPattern(parsing: "link:*")],
                document: try PolicyDocument(parsing: document.utf8)
            )
        ])
    }
}
