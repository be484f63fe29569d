import Admission
import Backends
import Crypto
import HTTP1
import Identity
import Pipeline
import S3API
import Signatures
import Synchronization
import Testing
import WireFormats

@Suite("What is put around an answer is there however often the store is asked")
struct SeveralExchangesTests {
    private static let html = [("content-type", "text/html"), ("etag", "\"0x1\"")]
    private static let blocks =
        "<BlockList><CommittedBlocks><Block><Name>YQ==</Name><Size>5</Size></Block>"
        + "<Block><Name>Yg==</Name><Size>7</Size></Block></CommittedBlocks><UncommittedBlocks/></BlockList>"

    private let book = GrantBook()
    private let counter = Counter()

    private func gate(_ routes: [Route] = [], cookie: String? = nil) throws -> Gate {
        var gate = Gate(grants: GrantSource(book: book, counter: counter))
        gate.routes = routes
        gate.hasOtherKinds = true
        gate.policies = try .everything(for: "user:alice")
        gate.identityProviders = Gate([], cookie: cookie).identityProviders
        return gate
    }

    /// The answer that ends the request, its blob being ten or twelve bytes long.
    private static func answer(
        to forward: Forward,
        _ call: Call,
        _ fields: [(String, String)] = html
    ) throws -> Answer {
        let isPart = call.query?.contains("partNumber") ?? false
        let plan: Plan
        if isPart {
            plan = try forward.given(200, [("etag", "\"0x1\"")]).given(blocks)
        } else {
            plan = try forward.given(200, [("etag", "\"0x1\""), ("content-length", "10")]).given("")
        }
        let range = isPart ? "bytes 0-4/12" : "bytes 7-9/10"
        return try plan.forward().given(206, fields + [("content-range", range)])
    }

    private static func fields(of answer: Answer) throws -> FieldBlock {
        guard case .stream(206, let fields) = answer else { throw OtherPlan() }
        return fields
    }

    private static let readings = [
        Call("GET", "/azured/page.html?partNumber=1"), Call("GET", "/azured/page.html", [("range", "bytes=-3")]),
    ]

    @Test(
        "A part and the end of a page at Azure act no more for whoever has a cookie than the page does",
        arguments: readings
    )
    func sandboxed(call: Call) throws {
        var gate = try gate(cookie: "session")
        let signed = call.presigned()
        let fields = try Self.fields(of: Self.answer(to: gate.decide(signed).forward(), signed))
        #expect(fields.string("content-security-policy") == "sandbox")
    }

    @Test(
        "The end of an object behind a route has the route's type and is kept by nobody else",
        arguments: [false, true]
    )
    func route(isLookedAt: Bool) throws {
        let delivery = isLookedAt ? Route.Delivery.auto(above: 100) : .proxy
        var gate = try gate([
            try PipelineTests.route("/f/{id}", bucket: "azured", key: "{id}", delivery, type: "text/plain")
        ])
        let call = Call("GET", "/f/page.html", [("range", "bytes=-3")]).by(.root)
        var forward = try gate.decide(call).forward()
        if isLookedAt { forward = try forward.given(200, [("content-length", "10")]).given("").forward() }
        let fields = try Self.fields(of: Self.answer(to: forward, call))
        #expect(fields.string("content-type") == "text/plain" && fields.count(of: "content-type") == 1)
        #expect(fields.string("vary") == "Authorization, Cookie, X-Api-Key")
        #expect(fields.string("cache-control") == "private")
        #expect(fields.string("content-security-policy") == nil)
    }

    private static let token = "S3cretTokenOf32CharactersOrSo_-x"

    private func link() throws {
        let right = try GrantTests.right("l1", bucket: "azured", .key(ObjectKey("page.html")))
        book.update { $0.insert(right, for: .link(hash: Array(SHA256.hash(data: Array(Self.token.utf8))))) }
    }

    @Test("The end of an object at Azure is read with a link")
    func endByLink() throws {
        try link()
        var gate = try gate()
        let call = Call("GET", "/-/l/" + Self.token, [("range", "bytes=-3")])
        let forward = try gate.decide(call).forward()
        let fields = try Self.fields(of: Self.answer(to: forward, call))
        #expect(fields.string("cache-control") == "no-store")
        #expect(fields.string("referrer-policy") == "no-referrer")
        #expect(fields.string("content-security-policy") == "sandbox")
        #expect(try forward.refused(404).status == 404)
        #expect(try forward.refused(403).status == 404)
        #expect(try forward.refused(503).status == 503)
        // Nothing has an end of no bytes.
        let empty = try forward.given(200, [("etag", "\"0x1\""), ("content-length", "0")]).given("").reply()
        #expect(empty.status == 416 && empty.body.isEmpty)
        let gone = try forward.given(200, [("etag", "\"0x1\""), ("content-length", "10")]).given("").forward()
        #expect(try gone.refused(404).status == 404)
        #expect(try gone.refused(412).status == 412)
    }

    private func give(_ uses: Int) throws {
        let right = try GrantTests.right(bucket: "azured", .prefix([]), uses: .counted)
        book.update { $0.insert(right, for: .principal(.key("akmodels"))) }
        counter.left.withLock { $0 = uses }
    }

    private func settled(_ call: Call, _ routes: [Route] = []) async throws -> Decision {
        var gate = try gate(routes)
        var findings = Findings()
        while true {
            let decision = try gate.decide(call, knowing: findings)
            guard case .wait(let make) = decision.plan, case .reconsider(let found) = await make() else {
                return decision
            }
            findings = found
        }
    }

    @Test("A later part at Azure goes on with the use that the first took")
    func laterPart() async throws {
        try give(0)
        counter.isInUse.withLock { $0 = true }
        let call = Call("GET", "/azured/page.html?partNumber=2").signed(by: .models)
        let plan = try await settled(call).forward().given(200, [("etag", "\"0x1\"")]).given(Self.blocks)
        guard case .stream = try plan.forward().given(206, [("content-range", "bytes 5-11/12")]) else {
            Issue.record("it was not carried")
            return
        }
        // The answer may not be what was asked for, all the same.
        guard case .reply(let reply) = try plan.forward().given(200) else {
            Issue.record("it was carried")
            return
        }
        #expect(reply.status == 403)
    }

    @Test(
        "A use is taken by what is given of the object, and not by a look at how long it is",
        arguments: [false, true]
    )
    func notTakenByALook(isOfRoute: Bool) async throws {
        try give(1)
        let route = try PipelineTests.route("/f/{id}", bucket: "azured", key: "{id}", .auto(above: 100))
        let call = Call("GET", isOfRoute ? "/f/page.html" : "/azured/page.html", [("range", "bytes=-3")])
        do {
            let forward = try await settled(call.signed(by: .models), [route]).forward()
            #expect(counter.left.withLock { $0 } == 0)
            _ = try forward.given(200, [("etag", "\"0x1\""), ("content-length", "10")]).given("").forward().refused(404)
        }
        #expect(counter.left.withLock { $0 } == 1)
        do {
            let forward = try await settled(call.signed(by: .models), [route]).forward()
            _ = try Self.answer(to: forward, call)
        }
        #expect(counter.left.withLock { $0 } == 0)
    }
}

extension Answer {
    /// What follows once the document is read.
    fileprivate func given(_ document: String, _ location: SourceLocation = #_sourceLocation) throws -> Plan {
        guard case .collect(let limit, let then) = self else {
            Issue.record("the document is not read", sourceLocation: location)
            throw OtherPlan()
        }
        #expect(document.utf8.count <= limit)
        return then(Array(document.utf8))
    }
}
