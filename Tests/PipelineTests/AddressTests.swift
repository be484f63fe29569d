import HTTP1
import Pipeline
import S3API
import Testing

@Suite("Hosts, reserved paths and the service itself")
struct AddressTests {
    private static let virtual = "public.s3.example.com"

    @Test(
        "Under /-/ there is health and readiness, and no bucket",
        arguments: [
            ("GET", "/-/health", 200), ("HEAD", "/-/health", 200), ("GET", "/-/ready", 200), ("PUT", "/-/health", 404),
            ("GET", "/-/", 404), ("GET", "/-/v1/uploads", 404), ("GET", "/-/health/x", 404),
        ]
    )
    func reserved(method: String, path: String, status: Int) throws {
        var gate = Gate()
        for host in ["files.example.com", "s3.example.com", "127.0.0.1:9000"] {
            let decision = try gate.decide(Call(method, path).on(host: host))
            #expect(try decision.reply().status == status)
            #expect(decision.bucket == nil)
            #expect(decision.outcome == .undecided)
        }
    }

    @Test("On a bucket's own host every path is a key", arguments: ["/-/health", "/-/ready", "/-/v1/uploads", "/-/"])
    func virtualHost(path: String) throws {
        var gate = Gate()
        for host in [Self.virtual, "PUBLIC.S3.example.com:443"] {
            let decision = try gate.decide(Call("GET", path).on(host: host))
            #expect(decision.bucket?.string == "public")
            #expect(decision.key.map { text($0.bytes) } == String(path.dropFirst()))
            #expect(try decision.forward().target == "/public" + path)
        }
    }

    @Test("A host that only looks like one of ours is path style")
    func otherHosts() throws {
        var gate = Gate()
        for host in ["publics3.example.com", "s3.example.com", "public.s3.example.com.evil.example"] {
            #expect(try gate.decide(Call("GET", "/docs/a.txt").on(host: host)).bucket?.string == "docs")
        }
    }

    @Test(
        "What could mean another key is refused",
        arguments: ["/public/../docs/a", "/public/%2e%2e/docs/a", "/public/a/./b", "/public/%00", "/public/%ff"]
    )
    func ambiguousPaths(path: String) throws {
        var gate = Gate()
        #expect(try gate.decide(Call("GET", path).by(.root)).reply().status == 400)
        let virtual = String(path.dropFirst("/public".count))
        #expect(try gate.decide(Call("GET", virtual).on(host: Self.virtual)).reply().status == 400)
    }

    @Test("Keys reach the store as they are", arguments: ["a+b", "a%20b", "a%2Fb", "%E4%BD%A0", "a//b", "(a)", "~a"])
    func keys(key: String) throws {
        var gate = Gate()
        let forward = try gate.decide(Call("GET", "/public/" + key)).forward()
        let expected = ["a+b": "a%2Bb", "a%2Fb": "a/b", "(a)": "%28a%29"][key] ?? key
        #expect(forward.target == "/public/" + expected)
    }

    // MARK: - ListBuckets

    private static func names(_ reply: Reply) -> [String] {
        reply.text.split(separator: "<Name>").dropFirst().map { String($0.prefix { $0 != "<" }) }
    }

    @Test("ListBuckets shows each caller what it may list, and strangers nothing")
    func listBuckets() throws {
        var gate = Gate()
        let all = [
            "checked", "docs", "encrypted", "far", "free", "local", "photos", "prefixed", "public", "renamed",
            "shared-too",
            "web",
        ]
        let list = Call("GET", "/")
        #expect(Self.names(try gate.decide(list.by(.root)).reply()) == all)
        #expect(Self.names(try gate.decide(list.signed()).reply()) == all)
        #expect(Self.names(try gate.decide(list.by(.watcher)).reply()) == ["docs", "photos", "public"])
        #expect(Self.names(try gate.decide(list.by(.alice)).reply()) == ["photos", "public"])
        // A part of a bucket is enough to see that it is there.
        #expect(Self.names(try gate.decide(list.signed(by: .models)).reply()) == ["photos", "public"])
        try expect(403, .accessDenied, gate.decide(list))
    }

    @Test("The buckets of an account that owns all others are asked for, and filtered too")
    func openAccount() throws {
        var gate = Gate()
        gate.hasOpenAccount = true
        let page = { (names: [String], token: String) in
            "<ListAllMyBucketsResult><Buckets>"
                + names.map {
                    "<Bucket><Name>\($0)</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket>"
                }.joined() + "</Buckets>\(token)</ListAllMyBucketsResult>"
        }
        // `shared` is reached as `prefixed`, `at-the-store` as `renamed`, neither by its own name; Upper is no name at all.
        let names = ["zebra", "photos", "Upper", "shared", "at-the-store"]
        let first = page(names, "<ContinuationToken>t</ContinuationToken>")
        let forward = try gate.decide(Call("GET", "/").by(.root)).forward()
        #expect(forward.target == "/")
        let second = try forward.given(200, document: first).forward()
        #expect(second.target == "/?continuation-token=t")
        let shown = Self.names(try second.given(200, document: page(["apple"], "")).reply())
        #expect(
            shown == [
                "apple", "checked", "docs", "encrypted", "far", "free", "local", "photos", "prefixed", "public",
                "renamed",
                "shared-too", "web", "zebra",
            ]
        )
        let hers = try gate.decide(Call("GET", "/").by(.alice)).forward()
        #expect(Self.names(try hers.given(200, document: page(["zebra"], "")).reply()) == ["photos", "public"])
    }
}
