import Admission
import Backends
import HTTP1
import Identity
import NIOCore
import Pipeline
import S3API
import Synchronization
import Testing
import WireFormats

@Suite("The application is asked last, and once")
struct AuthorizerTests {
    private let application = PlayedApplication()

    private func gate(_ onError: AuthorizerSettings.OnError = .deny) throws -> Gate {
        var gate = Gate(authorizer: application)
        gate.authorizer = AuthorizerSettings(
            url: try #require(ServiceURL("http://127.0.0.1:1/authorize")),
            onError: onError
        )
        return gate
    }

    /// The decision in the end, the application heard.
    private func decide(_ call: Call, _ gate: inout Gate) async throws -> Decision {
        let first = try gate.decide(call)
        guard case .wait(let make) = first.plan else { return first }
        #expect(!first.isFinal && first.outcome == .undecided)
        guard case .reconsider(let findings) = await make() else {
            Issue.record("it was not decided again")
            return first
        }
        return try gate.decide(call, knowing: findings)
    }

    @Test("What it allows is forwarded, what it vetoes is 403 with the reason in the log alone")
    func verdicts() async throws {
        var gate = try gate()
        _ = try await decide(Call("GET", "/photos/a").signed(), &gate).forward()
        application.vetoed = ["b"]
        let vetoed = try await decide(Call("GET", "/photos/b").signed(), &gate)
        try expect(403, .accessDenied, vetoed)
        #expect(vetoed.outcome == .denied && vetoed.reason == "authorizer")
        #expect(application.asked.map { $0.map(\.keyText) } == [["a"], ["b"]])
    }

    @Test("A route is asked about like any request; a URL lasts no longer than the application's word")
    func routes() async throws {
        var gate = try gate()
        gate.routes = [try route("/f/{id}", key: "{id}", .redirect), try route("/p/{id}", key: "{id}")]
        application.lasting = .seconds(7)
        let url = try await decide(Call("GET", "/f/a").signed(), &gate).plan.location()
        #expect(url.contains("X-Amz-Expires=7&"))
        _ = try await decide(Call("GET", "/p/a").signed(), &gate).forward()
        application.vetoed = ["b"]
        try await expect(403, .accessDenied, decide(Call("GET", "/f/b").signed(), &gate))
        try await expect(403, .accessDenied, decide(Call("GET", "/p/b").signed(), &gate))
    }

    @Test("It is asked about what the store may take a key for as well", arguments: ["dir%5Cx", "/dir/x", "dir//x"])
    func spellings(key: String) async throws {
        var gate = try gate()
        application.vetoed = ["dir/x"]
        try await expect(403, .accessDenied, decide(Call("GET", "/photos/\(key)").signed(), &gate))
        let copy = Call("PUT", "/photos/a", [("x-amz-copy-source", "/photos/\(key)")], length: 0).signed()
        try await expect(403, .accessDenied, decide(copy, &gate))
    }

    @Test("It is not asked about what is denied without it")
    func askedLast() async throws {
        var gate = try gate()
        try await expect(403, .accessDenied, decide(Call("GET", "/photos/private").signed(by: .models), &gate))
        try await expect(403, .accessDenied, decide(Call("GET", "/photos/a"), &gate))
        #expect(application.asked.isEmpty)
    }

    @Test("No answer denies, or allows where the configuration says so")
    func onError() async throws {
        application.isAway = true
        var strict = try gate()
        let denied = try await decide(Call("GET", "/photos/a").signed(), &strict)
        try expect(403, .accessDenied, denied)
        #expect(denied.reason.hasPrefix("authorizer_unavailable"))
        var lenient = try gate(.allow)
        _ = try await decide(Call("GET", "/photos/a").signed(), &lenient).forward()
    }

    @Test("Another gateway is signed for what the application allows, and for nothing else")
    func gatewaysAsk() async throws {
        var gate = try gate()
        gate.gateways = GatewayRules(gateways: [CIDR("192.0.2.7")].compactMap(\.self), stripPrefix: "/s3")
        #expect(try await decide(Call("GET", "/-/authz/envoy/s3/photos/a").by(.root), &gate).reply().status == 200)
        application.vetoed = ["b"]
        let vetoed = try await decide(Call("GET", "/-/authz/envoy/s3/photos/b").by(.root), &gate)
        #expect(try vetoed.reply().status == 403)
        #expect(vetoed.outcome == .denied && vetoed.reason == "envoy: authorizer")
        #expect(application.asked.map { $0.map(\.keyText) } == [["a"], ["b"]])
    }

    @Test("Too few answers are no answer")
    func tooFew() async throws {
        application.answersNothing = true
        var gate = try gate(.allow)
        try await expect(403, .accessDenied, decide(Call("GET", "/photos/a").signed(), &gate))
    }

    @Test("A copy is asked about at both ends, headers that add actions add items")
    func everyAction() async throws {
        var gate = try gate()
        let copy = Call("PUT", "/photos/to", [("x-amz-copy-source", "/docs/from")], length: 0).signed()
        _ = try await decide(copy, &gate)
        let items = try #require(application.asked.first)
        #expect(items.contains { $0.action == .putObject && $0.bucket == "photos" && $0.keyText == "to" })
        #expect(items.contains { $0.action == .getObject && $0.bucket == "docs" && $0.keyText == "from" })
        #expect(application.asked.count == 1)
    }

    @Test("A batch is one question about the keys that everything else allows; vetoed keys are those keys' errors")
    func batch() async throws {
        var gate = try gate()
        application.vetoed = ["models/b"]
        let call = Call("POST", "/photos?delete", length: 500).signed(by: .models)
        let keys = ["models/a", "models/b", "private/c"].map { "<Object><Key>\($0)</Key></Object>" }.joined()
        let decision = try gate.decide(call)
        guard case .wait(let make) = try decision.plan.given(body: "<Delete>\(keys)</Delete>") else {
            Issue.record("nobody was asked")
            return
        }
        let forward = try await make().forward()
        let sent = try #require(forward.document)
        #expect(sent.contains("models/a") && !sent.contains("models/b") && !sent.contains("private/c"))
        #expect(application.asked.map { $0.map(\.keyText) } == [["models/a", "models/b"]])
        let answer = "<DeleteResult><Deleted><Key>models/a</Key></Deleted></DeleteResult>"
        let reply = try forward.given(200, document: answer).reply()
        #expect(reply.text.contains("<Error><Key>models/b</Key><Code>AccessDenied</Code>"))
    }

    @Test("What is known of a URL's owner is told when the URL is used, and a form's too")
    func claimsOfIssued() async throws {
        let document = #"{"sub":"photos","org":"acme","groups":["staff"],"level":7}"#
        let identity = TokenIdentity(
            provider: "auth",
            subject: "photos",
            claims: ["sub": "photos", "org": "acme"],
            document: Array(document.utf8),
            expiresAt: noon + .seconds(600)
        )
        let desk = HeardSigning(.auto)
        application.lasting = .seconds(600)
        var issuing = Gate(
            tokens: Verifier(finding: .verified(identity), isKnown: true),
            authorizer: application,
            desk: desk
        )
        issuing.authorizer = try self.gate().authorizer
        issuing.policies = try .everything(for: "idp:auth:*")
        let call = Call("POST", "/-/v1/x", length: 2).with("authorization", "Bearer t")
        guard case .wait(let make) = try issuing.decide(call).plan.given(body: "{}") else { throw OtherPlan() }
        _ = await make()
        #expect(application.claims == [document])

        var gate = try self.gate()
        gate.policies = issuing.policies
        let url = try #require(await desk.url)
        let target = String(url.url.drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" })
        _ = try await decide(Call("GET", target), &gate).forward()
        #expect(application.claims == [document, document])
        application.vetoedClaim = "staff"
        try await expect(403, .accessDenied, decide(Call("GET", target), &gate))

        let form = try #require(await desk.form)
        var body = ""
        for (name, value) in form.form.fields {
            body += "--b0\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
        }
        body += "--b0\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\ncontent\r\n--b0--\r\n"
        let post = Call(
            "POST",
            "/local",
            [("content-type", "multipart/form-data; boundary=b0")],
            length: Int64(body.utf8.count)
        )
        guard case .readForm(var reader, var findings) = try gate.decide(post).plan else { throw OtherPlan() }
        findings.form = try reader.take(ByteBuffer(string: body)) ?? reader.finish()
        guard case .wait(let ask) = try gate.decide(post, knowing: findings).plan,
            case .reconsider(let heard) = await ask()
        else { throw OtherPlan() }
        try expect(403, .accessDenied, try gate.decide(post, knowing: heard))
        #expect(application.claims.last == document)
    }

    @Test(
        "A URL on a grant whose uses are counted leads back here with an application as without",
        arguments: [true, false]
    )
    func countedGrant(asksApplication: Bool) async throws {
        let (book, counter) = (GrantBook(), Counter())
        application.lasting = .seconds(600)
        let right = try GrantTests.right("g1", .prefix([]), uses: .counted)
        book.update { $0.insert(right, for: .principal(.key("akmodels"))) }
        let wanted: [(URLWish.Via, SignedURL.Delivery?)] = [
            (.auto, .gatehouse), (.gatehouse, .gatehouse), (.store, nil),
        ]
        for (via, expected) in wanted {
            let desk = HeardSigning(via)
            var gate = Gate(authorizer: application, desk: desk, grants: GrantSource(book: book, counter: counter))
            gate.authorizer = asksApplication ? try self.gate().authorizer : nil
            let call = Call("POST", "/-/v1/x", length: 2).signed(by: .models)
            guard case .wait(let make) = try gate.decide(call).plan.given(body: "{}") else { throw OtherPlan() }
            _ = await make()
            #expect(await desk.url?.via == expected)
            #expect(await desk.refusal == (expected == nil ? .proxyOnly : nil))
        }
    }

    @Test("A request that waited counts once against its caller's limit")
    func limit() async throws {
        var gate = try gate()
        gate.limits = RequestLimits(requests: try RateLimit(requests: "2/60s"))
        for _ in 0..<2 { _ = try await decide(Call("GET", "/photos/a").signed(), &gate).forward() }
        try await expect(429, .tooManyRequests, decide(Call("GET", "/photos/a").signed(), &gate))
    }
}

/// Vetoes keys; remembers what it was asked.
private final class PlayedApplication: Authorizer {
    private struct State {
        var vetoed: Set<String> = []
        var isAway = false
        var answersNothing = false
        /// How long its word is good for.
        var lasting = Duration.zero
        var asked: [[ApplicationQuestion.Item]] = []
        /// What it was told of the callers; vetoed where it says that.
        var claims: [String] = []
        var vetoedClaim: String?
    }

    private let state = Mutex(State())

    var asked: [[ApplicationQuestion.Item]] { state.withLock(\.asked) }
    var claims: [String] { state.withLock(\.claims) }
    var vetoedClaim: String? {
        get { state.withLock(\.vetoedClaim) }
        set { state.withLock { $0.vetoedClaim = newValue } }
    }
    var vetoed: Set<String> {
        get { state.withLock(\.vetoed) }
        set { state.withLock { $0.vetoed = newValue } }
    }
    var isAway: Bool {
        get { state.withLock(\.isAway) }
        set { state.withLock { $0.isAway = newValue } }
    }
    var answersNothing: Bool {
        get { state.withLock(\.answersNothing) }
        set { state.withLock { $0.answersNothing = newValue } }
    }

    var lasting: Duration {
        get { state.withLock(\.lasting) }
        set { state.withLock { $0.lasting = newValue } }
    }

    func known(_: ApplicationQuestion, under _: Snapshot, at _: Instant) -> [ApplicationVerdict]? { nil }

    func verdicts(
        on question: ApplicationQuestion,
        under _: Snapshot,
        at now: Instant
    ) async -> [ApplicationVerdict] {
        state.withLock { state in
            state.asked.append(question.items)
            let claims = text(question.claims)
            if !claims.isEmpty { state.claims.append(claims) }
            if let vetoed = state.vetoedClaim, claims.contains(vetoed) { return question.items.map { _ in .vetoed } }
            if state.answersNothing { return [] }
            return question.items.map { item in
                if state.isAway { return .failed("away") }
                return state.vetoed.contains(item.keyText ?? "") ? .vetoed : .allowed(until: now + state.lasting)
            }
        }
    }
}

extension ApplicationQuestion.Item {
    fileprivate var keyText: String? { key.map { text($0) } }
}

/// Signs a URL for an object and a form for another, the application heard about both.
private actor HeardSigning: APIDesk {
    nonisolated let document: [UInt8] = []
    private let via: URLWish.Via
    private(set) var url: SignedURL?
    private(set) var form: SignedForm?
    private(set) var refusal: S3Error.Code?

    init(_ via: URLWish.Via) { self.via = via }

    func answer(_ call: APICall) async -> Reply {
        guard let photos = BucketName(validating: "photos"), let local = BucketName(validating: "local") else {
            return Reply(status: 500)
        }
        let read = URLWish(
            .get,
            ActionSet(.getObject),
            bucket: photos,
            key: ObjectKey("a"),
            lifetime: .seconds(60),
            via: via == .auto && call.caller.principal.isOfToken ? .gatehouse : via
        )
        var fields = FieldBlock()
        fields.append("content-type", "image/png")
        let write = URLWish(
            .put,
            ActionSet(.putObject),
            bucket: local,
            key: ObjectKey("f"),
            fields: fields,
            lifetime: .seconds(60)
        )
        let caller = await call.caller.hearing(about: [read, write], at: call.now)
        do throws(URLRefusal) {
            url = try caller.url(for: read, random: Array(0..<28), at: call.now)
        } catch {
            refusal = error.error.code
        }
        form = try? caller.form(for: write, length: 7, random: Array(1..<29), at: call.now)
        return Reply(status: 200)
    }
}

extension Principal {
    fileprivate var isOfToken: Bool { if case .identityProvider = self { true } else { false } }
}
