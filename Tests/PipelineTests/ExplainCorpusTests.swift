import Admission
import Crypto
import HTTP1
import Identity
import Pipeline
import S3API
import Testing
import WireFormats

/// What is explained of a request is what serving it comes to: over one request of each kind, and of each way to refuse it.
@Suite("Explaining and serving say the same")
struct ExplainCorpusTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        let call: Call
        let kind: Explanation.Kind
        var body: String?

        init(_ kind: Explanation.Kind, _ call: Call, body: String? = nil) {
            (self.call, self.kind, self.body) = (call, kind, body)
        }

        var testDescription: String { "\(call.method) \(call.path)\(call.query.map { "?" + $0 } ?? "")" }
    }

    private static let token = "S3cretTokenOf32CharactersOrSo_-x"
    private static let exchange =
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=deployer&RoleSessionName="

    private static func form(_ path: String, _ text: String) -> Sample {
        let type = [("content-type", "application/x-www-form-urlencoded")]
        return Sample(.sts, Call("POST", path, type, length: Int64(text.utf8.count)), body: text)
    }

    static let corpus: [Sample] = [
        // Buckets and objects.
        Sample(.s3, Call("GET", "/photos/models/a").signed()),
        Sample(.s3, Call("GET", "/photos/models/a").signed(by: .models)),
        Sample(.s3, Call("GET", "/docs/a").signed(by: .models)),
        Sample(.s3, Call("HEAD", "/docs/a").signed(by: .models)),
        Sample(.s3, Call("PUT", "/photos/a", length: 3).by(.alice)),
        Sample(.s3, Call("PUT", "/photos/a", length: 3).by(.watcher)),
        Sample(.s3, Call("GET", "/public/a")),
        Sample(.s3, Call("GET", "/photos/a")),
        Sample(.s3, Call("HEAD", "/photos/a")),
        Sample(.s3, Call("GET", "/")),
        Sample(.s3, Call("GET", "/nobodys/a").by(.root)),
        Sample(.s3, Call("GET", "/photos/../a").by(.root)),
        Sample(.s3, Call("GET", "/photos/a?nonsense&acl&tagging").by(.root)),
        Sample(.s3, Call("GET", "/README.md").on(host: "demo.localhost")),
        Sample(.s3, Call("GET", "/a").on(host: "photos.s3.example.com").signed()),
        Sample(.s3, Call("GET", "/photos/a").signed(region: "eu-central-1")),
        Sample(.s3, Call("GET", "/photos/a").signed(secret: "another")),
        Sample(.s3, Call("GET", "/photos/a").signed(by: .disabled)),
        Sample(.s3, Call("GET", "/photos/a").signed(at: noon - .seconds(3600))),
        Sample(.s3, Call("GET", "/photos/a").presigned(at: noon - .seconds(7200))),
        Sample(.s3, Call("GET", "/photos/a").with("x-api-key", "wrong")),
        Sample(.s3, Call("GET", "/photos/a").with("authorization", "Basic eDp5")),
        Sample(.s3, Call("GET", "/photos/a").with("authorization", "Bearer abc.def.ghi")),
        Sample(.s3, Call("PATCH", "/photos/a").by(.root)),
        Sample(.preflight, Call("OPTIONS", "/web/a")),
        // Routes.
        Sample(.route, Call("GET", "/api/files/7")),
        Sample(.route, Call("GET", "/api/files/7").with("authorization", "Bearer abc.def.ghi")),
        Sample(.route, Call("GET", "/api/files/7").by(.watcher)),
        Sample(.route, Call("DELETE", "/api/files/7").by(.root)),
        Sample(.route, Call("DELETE", "/api/files/7")),
        Sample(.route, Call("GET", "/api/files/7?X-Amz-Algorithm=nonsense")),
        // Links.
        Sample(.link, Call("GET", "/-/l/" + token)),
        Sample(.link, Call("HEAD", "/-/l/" + token)),
        Sample(.link, Call("GET", "/-/l/" + token + "x")),
        Sample(.link, Call("GET", "/-/l/" + token).by(.root)),
        Sample(.link, Call("PUT", "/-/l/" + token, length: 1)),
        Sample(.link, Call("GET", "/photos/a%20b.html?gh-link=" + token)),
        Sample(.link, Call("GET", "/photos/other?gh-link=" + token)),
        Sample(.link, Call("GET", "/photos/a%20b.html?gh-link=nonsense")),
        // STS.
        Sample(.sts, Call("GET", "/?\(exchange)run-1&WebIdentityToken=aaa.bbb.ccc")),
        Sample(.sts, Call("GET", "/-/sts?\(exchange)run-1&WebIdentityToken=aaa.bbb.ccc")),
        Sample(.sts, Call("GET", "/-/sts?\(exchange)run-1")),
        Sample(.sts, Call("GET", "/-/sts?\(exchange)&WebIdentityToken=nonsense")),
        Sample(.sts, Call("GET", "/-/sts?Action=Nonsense&Version=2011-06-15")),
        Sample(.sts, Call("GET", "/-/sts")),
        Sample(.sts, Call("DELETE", "/-/sts")),
        Sample(.sts, Call("GET", "/?Action=GetCallerIdentity&Version=2011-06-15")),
        Sample(.sts, Call("GET", "/?Action=GetCallerIdentity&Version=2011-06-15").by(.alice)),
        form("/", exchange + "run-1&WebIdentityToken=aaa.bbb.ccc"),
        form("/-/sts", "Action=GetCallerIdentity&Version=2011-06-15"),
        form("/-/sts", "Action=Nonsense"),
        // What is ours besides.
        Sample(.probe, Call("GET", "/-/health")),
        Sample(.probe, Call("GET", "/-/ready")),
        Sample(.description, Call("GET", "/-/openapi.json")),
        Sample(.nothing, Call("PUT", "/-/openapi.json", length: 1)),
        Sample(.nothing, Call("GET", "/-/nothing").by(.root)),
        Sample(.nothing, Call("GET", "/-/authz/nginx")),
        Sample(.nothing, Call("GET", "/.well-known/openid-configuration")),
        Sample(.api, Call("GET", "/-/v1/grants")),
        Sample(.api, Call("GET", "/-/v1/grants").by(.alice)),
        Sample(.api, Call("GET", "/-/v1/grants").with("x-api-key", "wrong")),
        Sample(.api, Call("GET", "/-/v1//grants").by(.alice)),
        Sample(.events, Call("POST", "/-/v1/events/s3", length: 2)),
    ]

    private struct Tokens: TokenVerifier {
        static let identity = TokenIdentity(
            provider: "auth",
            subject: "photos",
            claims: ["sub": "photos"],
            document: Array(#"{"iss":"https://ci.example.com","sub":"photos","aud":"files"}"#.utf8),
            expiresAt: noon + .seconds(300)
        )

        func known(_ token: BearerToken, under snapshot: Snapshot, at now: Instant) -> TokenFinding? { nil }
        func verify(_ token: BearerToken, under snapshot: Snapshot, at now: Instant) async -> TokenFinding {
            .verified(Self.identity)
        }
        func verify(forSession token: BearerToken, under snapshot: Snapshot, at now: Instant) async -> TokenFinding {
            .verified(Self.identity)
        }
    }

    private struct Answering: APIDesk {
        let document = Array("{}".utf8)
        func answer(_ call: APICall) async -> Reply { Reply(status: 200) }
    }

    @Test("The same status and the same code", arguments: corpus)
    func agrees(sample: Sample) async throws {
        let book = GrantBook()
        let right = try GrantTests.right("l1", .key(ObjectKey("a b.html")))
        book.update { $0.insert(right, for: .link(hash: Array(SHA256.hash(data: Array(Self.token.utf8))))) }
        let grants = GrantSource(book: book, counter: Counter())
        var gate = Gate(tokens: Tokens(), desk: Answering(), grants: grants)
        gate.routes = [try route("/api/files/{id}", key: "models/{id}")]
        gate.roles = [
            Role(
                id: "deployer",
                trust: RoleTrust(
                    issuers: ["https://ci.example.com"],
                    audiences: ["files"],
                    subjects: [SubjectPattern("photos")],
                    principals: []
                ),
                scopes: [
                    try ScopeTemplate(
                        bucket: "docs",
                        prefixes: [],
                        actions: try #require(ActionSet(named: "read")),
                        namesEveryAction: false
                    )
                ],
                longestSession: .seconds(3600)
            )
        ]
        gate.sessionKeys = SessionKeyring(keys: [try #require(SessionKey(Array(repeating: 3, count: 32)))])
        let explanation = await Explainer(tokens: Tokens(), grants: grants).explain(
            sample.call.head,
            body: sample.body.map { Array($0.utf8) },
            from: ConnectionFacts(peer: IPAddress("192.0.2.7"), isSecure: true),
            under: try gate.snapshot(),
            at: noon
        )
        let served = try await served(sample, by: &gate)
        #expect(explanation.decision.status == served.status)
        #expect(explanation.decision.outcome == "\(served.decision.outcome)")
        #expect(explanation.understood.kind == sample.kind)
        #expect(!String(reflecting: explanation).contains(Self.token))
        guard let code = served.code else {
            #expect((explanation.decision.status ?? 200) < 400 || sample.call.method == "HEAD")
            return
        }
        #expect(explanation.decision.errorCode == code)
        #expect(explanation.decision.errorMessage?.isEmpty == false)
    }

    /// As the data plane performs it, as far as that is without a store: status, and the code in the document.
    private func served(
        _ sample: Sample,
        by gate: inout Gate
    ) async throws -> (decision: Decision, status: Int?, code: String?) {
        var decision = try gate.decide(sample.call)
        while !decision.isFinal {
            let next: Plan
            switch decision.plan {
            case .wait(let make): next = await make()
            case .collect(_, let then): next = then(Array((sample.body ?? "").utf8))
            default: return (decision, nil, nil)
            }
            guard case .reconsider(let findings) = next else { return (decision, nil, nil) }
            decision = try gate.decide(sample.call, knowing: findings)
        }
        guard case .reply(let reply) = decision.plan else { return (decision, nil, nil) }
        let document = text(reply.body)
        let code = document.firstMatch(of: /<Code>([^<]+)<\/Code>|"code":"([^"]+)"/)
        return (decision, reply.status, (code?.output.1 ?? code?.output.2).map(String.init))
    }
}
