import Admission
import Backends
import Foundation
import HTTP1
import Identity
import Journal
import Pipeline
import S3API
import Signatures
import Testing
import WireFormats

@testable import ControlPlane

@Suite("Downloads are URLs that do one thing, and no longer than what they rest on")
struct DownloadTests {
    private let directory: TemporaryDirectory
    private let auditLog: AuditLog
    private var caller: APICaller

    init() throws {
        directory = try TemporaryDirectory()
        auditLog = try AuditLog(AuditLog.Settings(path: directory.file("audit.jsonl")), now: { noon })
        let downloads = Downloads(IssueLog(auditLog)) { count in (0..<count).map { _ in UInt8.random(in: 0...255) } }
        caller = APICaller(desk: Desk([downloads.operation], version: "9"))
        caller.buckets = [
            try Self.bucket("photos", at: "https://store.example.com", public: "https://cdn.example.com"),
            try Self.bucket("local", at: "http://127.0.0.1:1", kind: .file),
        ]
    }

    private static func bucket(
        _ name: String,
        at url: String,
        public publicURL: String? = nil,
        kind: BackendKind = .s3
    ) throws -> Bucket {
        let endpoint = try #require(Endpoint(url: url))
        return Bucket(
            name: try #require(BucketName(validating: name)),
            backend: S3Backend(
                endpoint: endpoint,
                publicEndpoint: publicURL.flatMap { Endpoint(url: $0) },
                region: "eu-west-1",
                bucketName: "b-" + name,
                prefix: "v2",
                signer: SigV4Signer(accessKeyID: "AKSTORE", secret: Secret("store-secret"), region: "eu-west-1")
            ),
            upstream: Upstream(name: name, endpoint: endpoint),
            kind: kind,
            hardening: []
        )
    }

    private static func azureBucket() throws -> Bucket {
        let endpoint = try #require(Endpoint(url: "https://acct.blob.example.com"))
        let signer = try #require(SharedKeySigner(account: "acct", key: Secret("c2VjcmV0")))
        return Bucket(
            name: try #require(BucketName(validating: "photos")),
            backend: AzureBackend(
                account: "acct",
                container: "photos",
                endpoint: endpoint,
                credential: .sharedKey(signer)
            ),
            upstream: Upstream(name: "azure", endpoint: endpoint),
            kind: .azure,
            hardening: []
        )
    }

    @Test("At Azure the URL to look at a head leads here: one to the store would read", arguments: ["auto", "store"])
    mutating func headAtAzure(via: String) async throws {
        caller.buckets = [try Self.azureBucket()]
        func asked(_ method: String) -> String {
            #"{"bucket":"photos","key":"a","via":"\#(via)","method":"\#(method)"}"#
        }
        let get = try await caller.ask(.post, "/-/v1/downloads", asked("GET"))
        #expect(get.body.text("via") == "store" && get.body.text("url")?.contains("sp=r&") == true)
        let head = try await caller.ask(.post, "/-/v1/downloads", asked("HEAD"))
        #expect(head.status == 200 && head.body.text("via") == "gatehouse")
        let url = try #require(head.body.text("url"))
        #expect(!url.contains("sig=") && url.hasPrefix("https://files.example.com/photos/a?"))
        #expect(try caller.follow(url, .head).outcome == .allowed)
        #expect(try caller.follow(url).outcome == .unauthenticated)
    }

    private static func policy(_ effect: String, _ condition: String) throws -> PolicySet {
        PolicySet([
            PolicySet.Entry(
                name: "p",
                appliesTo: [try PrincipalPattern(parsing: "*")],
                document: try PolicyDocument(
                    parsing: Array(
                        """
                        {"Version":"2012-10-17","Statement":[{"Effect":"\(effect)","Action":"s3:GetObject",
                        "Resource":"arn:aws:s3:::photos/*","Condition":\(condition)}]}
                        """.utf8
                    )
                )
            )
        ])
    }

    private static let ask = #"{"bucket":"photos","key":"a b/ü.png","ttl":"15m"}"#

    @Test("A URL leads to the store under its public endpoint, signed with the bucket's credential")
    func store() async throws {
        let answer = try await caller.ask(.post, "/-/v1/downloads", Self.ask)
        #expect(answer.status == 200)
        let url = try #require(answer.body.text("url"))
        #expect(url.hasPrefix("https://cdn.example.com/b-photos/v2/a%20b/%C3%BC.png?X-Amz-Algorithm="))
        #expect(url.contains("X-Amz-Credential=AKSTORE%2F"))
        #expect(url.contains("X-Amz-Expires=900&"))
        #expect(answer.body.text("via") == "store")
        #expect(answer.body.text("method") == "GET")
        #expect(answer.body.text("expires_at") == Timestamp.iso8601(noon + .seconds(900)))
        #expect(!answer.body.has("capped_by"))
        #expect(answer.fields.string("cache-control") == "no-store")
    }

    @Test("Names and types are encoded so that nothing else can be smuggled in")
    func overrides() async throws {
        let body = #"{"bucket":"photos","key":"a","filename":"ü\"; x=%\\.png","content_type":"image/png"}"#
        let url = try #require(try await caller.ask(.post, "/-/v1/downloads", body).body.text("url"))
        let disposition = #"attachment; filename="__; x=__.png"; filename*=UTF-8''%C3%BC%22%3B%20x%3D%25%5C.png"#
        let encoded = String(decoding: PercentEncoding.encode(disposition.utf8, keepSlash: .encode), as: UTF8.self)
        #expect(url.contains("response-content-disposition=\(encoded)"))
        #expect(url.contains("response-content-type=image%2Fpng"))
        for bad in [
            #""filename":"a\r\nb""#, #""content_type":"image""#, #""content_type":"a/b\u000a""#,
            #""content_type":"image/png;x=,text/html""#,
        ] {
            let refused = try await caller.ask(.post, "/-/v1/downloads", #"{"bucket":"photos","key":"a",\#(bad)}"#)
            #expect(refused.status == 400, "\(bad)")
        }
    }

    @Test("No URL lasts longer than a signature can")
    func capped() async throws {
        let answer = try await caller.ask(
            .post,
            "/-/v1/downloads",
            #"{"bucket":"photos","key":"a","ttl":"30d"}"#
        )
        #expect(answer.body.text("capped_by") == "maximum")
        #expect(answer.body.text("expires_at") == Timestamp.iso8601(noon + .seconds(604_800)))
        #expect(try await caller.ask(.post, "/-/v1/downloads", #"{"bucket":"photos","key":"a","ttl":0}"#).status == 400)
        #expect(
            try await caller.ask(.post, "/-/v1/downloads", #"{"bucket":"photos","key":"a","ttl":"1ms"}"#).status == 400
        )
    }

    @Test("Who may not read gets no URL, and the log says who asked for what")
    func denied() async throws {
        var bob = caller
        bob.key = "bob-key"
        let answer = try await bob.ask(.post, "/-/v1/downloads", Self.ask)
        #expect(answer.status == 403)
        #expect(answer.error == "AccessDenied")
        await auditLog.flush()
        let line = try #require(try auditLines().last)
        #expect(line.text("verdict") == "denied")
        #expect(line.text("who") == "user:bob")
        #expect(line.text("key") == "a b/ü.png")
    }

    @Test("Each item of a batch is answered for itself, each URL written down before")
    func batch() async throws {
        let body =
            #"{"items":[{"bucket":"photos","key":"a"},{"bucket":"other","key":"a"},{"bucket":"local","key":"../x"}]}"#
        let answer = try await caller.ask(.post, "/-/v1/downloads", body)
        #expect(answer.status == 200)
        let items = try #require(answer.body.objects("items"))
        #expect(items.count == 3)
        #expect(items[0].has("url"))
        #expect(items[1].object("error")?.text("code") == "AccessDenied")
        #expect(items[1].object("error")?.text("resource") == "/other/a")
        #expect(items[2].object("error")?.has("code") == true)
        let issued = try auditLines().compactMap { $0.object("issued") == nil ? nil : $0 }
        #expect(issued.count == 1)
        #expect(issued.first?.object("issued")?.text("id") == items[0].text("id"))
        #expect(issued.first?.text("valid_until")?.hasPrefix("2027-") == true)
        #expect(issued.first?.has("request_id") == true)
        let many = (0...100).map { _ in #"{"bucket":"photos","key":"a"}"# }.joined(separator: ",")
        #expect(try await caller.ask(.post, "/-/v1/downloads", "{\"items\":[\(many)]}").status == 400)
        #expect(try await caller.ask(.post, "/-/v1/downloads", #"{"items":[]}"#).status == 400)
    }

    @Test(
        "What depends on the request is read through Gatehouse, which decides about it then",
        arguments: [
            ("Deny", #"{"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}}"#),
            ("Deny", #"{"DateGreaterThan":{"aws:CurrentTime":"2099-01-01T00:00:00Z"}}"#),
            ("Deny", #"{"StringLike":{"aws:UserAgent":"*bot*"}}"#),
        ]
    )
    func proxyOnly(effect: String, condition: String) async throws {
        var caller = caller
        caller.policies = try Self.policy(effect, condition)
        let asked = Self.ask.dropLast() + #","via":"store"}"#
        let refused = try await caller.ask(.post, "/-/v1/downloads", String(asked))
        #expect(refused.status == 409)
        #expect(refused.error == "ProxyOnly")
        let answer = try await caller.ask(.post, "/-/v1/downloads", Self.ask)
        #expect(answer.body.text("via") == "gatehouse")
        #expect(answer.body.text("url")?.hasPrefix("https://files.example.com/photos/a%20b/%C3%BC.png?") == true)
    }

    @Test("A denial that holds for every URL of the store doesn't stand in the way of those that it doesn't concern")
    func transport() async throws {
        var caller = caller
        caller.policies = try Self.policy("Deny", #"{"Bool":{"aws:SecureTransport":"false"}}"#)
        #expect(try await caller.ask(.post, "/-/v1/downloads", Self.ask).body.text("via") == "store")
    }

    @Test("A store that clients can't reach is read through Gatehouse, whatever was asked for")
    func unreachable() async throws {
        var caller = caller
        caller.buckets.append(try Self.bucket("inner", at: "http://127.0.0.1:9"))
        let asked = #"{"bucket":"local","key":"a","via":"store"}"#
        #expect(try await caller.ask(.post, "/-/v1/downloads", asked).body.text("via") == "gatehouse")
        #expect(try await caller.ask(.post, "/-/v1/downloads", #"{"bucket":"inner","key":"a"}"#).status == 403)
        caller.url = "http://127.0.0.1:9000"
        let same = try Self.bucket("photos", at: "http://127.0.0.1:9")
        caller.buckets[0] = same
        #expect(try await caller.ask(.post, "/-/v1/downloads", Self.ask).body.text("via") == "store")
        caller.url = "https://files.example.com"
        #expect(try await caller.ask(.post, "/-/v1/downloads", Self.ask).body.text("via") == "gatehouse")
    }

    @Test("A URL to Gatehouse opens its one key with one method, with its owner's present rights")
    func gatehouse() async throws {
        let asked = Self.ask.dropLast() + #","via":"gatehouse"}"#
        let answer = try await caller.ask(.post, "/-/v1/downloads", String(asked))
        let url = try #require(answer.body.text("url"))
        let id = try #require(answer.body.text("id"))
        let used = try caller.follow(url)
        #expect(used.outcome == .allowed)
        #expect(used.principal == .user("alice"))
        #expect(used.reason.contains(id))
        guard case .forward(let forward) = used.plan else {
            Issue.record("not forwarded")
            return
        }
        let sent = String(decoding: forward.request.query + forward.request.fields.bytes, as: UTF8.self)
        #expect(!sent.contains("GHURL"))
        #expect(!sent.lowercased().contains("security-token"))

        #expect(try caller.follow(url, .head).outcome == .unauthenticated)
        #expect(try caller.follow(url, .put).outcome == .unauthenticated)
        #expect(try caller.follow(url.replacing("%C3%BC", with: "u")).outcome == .unauthenticated)
        #expect(try caller.follow(url.replacing("/photos/", with: "/local/")).outcome == .unauthenticated)
        #expect(try caller.follow(url, more: [("x-amz-security-token", "x")]).outcome == .unauthenticated)
        #expect(try caller.follow(url, more: [("x-amz-acl", "private")]).outcome == .unauthenticated)
        #expect(try caller.follow(url.replacing("GHURL", with: "GHURM")).outcome == .unauthenticated)

        var later = caller
        later.now = noon + .seconds(901)
        #expect(try later.follow(url).outcome == .unauthenticated)
        var without = caller
        without.hasUsers = false
        #expect(try without.follow(url).outcome == .unauthenticated)
        // What was signed with a key ends with it, though its owner has another one.
        var rotated = caller
        rotated.keyOfAlice = "the next key"
        #expect(try rotated.follow(url).outcome == .unauthenticated)
        var elsewhere = caller
        elsewhere.policies = try Self.policy("Deny", #"{"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}}"#)
        elsewhere.peer = "198.51.100.7"
        #expect(try elsewhere.follow(url).outcome == .denied)
    }

    @Test("Where nothing may be done that is not written down, no URL is answered that is not")
    func unrecorded() async throws {
        let log = AuditLog.Settings(path: directory.file("full.jsonl"), maximumBacklog: 1)
        let auditLog = try AuditLog(log, now: { noon })
        let downloads = Downloads(IssueLog(auditLog)) { Array(repeating: 1, count: $0) }
        var caller = caller
        caller = APICaller(desk: Desk([downloads.operation], version: "9"), buckets: caller.buckets)
        caller.requiresAudit = true
        #expect(try await caller.ask(.post, "/-/v1/downloads", Self.ask).status == 503)
        caller.requiresAudit = false
        #expect(try await caller.ask(.post, "/-/v1/downloads", Self.ask).status == 200)
    }

    private func auditLines() throws -> [JSONObject] {
        let text = try String(contentsOfFile: directory.file("audit.jsonl"), encoding: .utf8)
        return try text.split(separator: "\n").map { line in
            try #require(JSONObject(try StrictJSON(parsing: Array(line.utf8))))
        }
    }
}
