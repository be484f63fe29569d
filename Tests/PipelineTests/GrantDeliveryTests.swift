import Admission
import HTTP1
import Identity
import Pipeline
import S3API
import Synchronization
import Testing
import WireFormats

@Suite("A grant is worth the same whichever way the object is delivered")
struct GrantDeliveryTests {
    private let book = GrantBook()
    private let counter = Counter()

    private func gate(_ delivery: Route.Delivery = .proxy) throws -> Gate {
        var gate = Gate(grants: GrantSource(book: book, counter: counter))
        gate.routes = [try route("/f/{rest*}", key: "{rest}", delivery)]
        gate.gateways = GatewayRules(
            gateways: [CIDR("10.0.0.0/8")].compactMap(\.self),
            sharedSecret: nil,
            stripPrefix: ""
        )
        return gate
    }

    /// A key that may do nothing in photos but below models/ is given what alice may read.
    private func give(_ uses: GivenRight.Uses = .unlimited) throws {
        let right = try GrantTests.right(uses: uses)
        book.update { $0.insert(right, for: .principal(.key("akmodels"))) }
    }

    private static let call = Call("GET", "/f/shared/a.txt").signed(by: .models)

    private static var check: Call {
        let signed = Call("GET", "/photos/shared/a.txt").signed(by: .models)
        var check = Call("GET", "/-/authz/envoy/photos/shared/a.txt", signed.fields)
        check.host = signed.host
        return check
    }

    private func settled(_ call: Call, _ delivery: Route.Delivery = .proxy) async throws -> Decision {
        var gate = try gate(delivery)
        var findings = Findings()
        while true {
            let decision = try gate.decide(call, knowing: findings)
            guard case .wait(let make) = decision.plan, case .reconsider(let found) = await make() else {
                return decision
            }
            findings = found
        }
    }

    @Test("A route carries and redirects what was given, as S3 does", arguments: [Route.Delivery.proxy, .redirect])
    func routes(delivery: Route.Delivery) async throws {
        #expect(try await settled(Self.call, delivery).outcome == .denied)
        try give()
        let decision = try await settled(Self.call, delivery)
        #expect(decision.outcome == .allowed)
        #expect(decision.reason.hasPrefix("grant:g1"))
    }

    @Test("A route takes the uses of a grant that has a number of them, and none where it only looks")
    func countedOnRoutes() async throws {
        try give(.counted)
        counter.left.withLock { $0 = 1 }
        _ = try await settled(Call("HEAD", "/f/shared/a.txt").signed(by: .models)).forward().given(200)
        #expect(counter.left.withLock { $0 } == 1)
        _ = try await settled(Self.call).forward().given(200)
        #expect(counter.left.withLock { $0 } == 0)
        try expect(403, .accessDenied, try await settled(Self.call))
    }

    @Test("Where uses are counted, nothing is signed for the store")
    func countedIsNeverSentElsewhere() async throws {
        try give(.counted)
        counter.left.withLock { $0 = 5 }
        guard case .refused(let reply, _) = try await settled(Self.call, .redirect).plan.issued() else {
            Issue.record("it was handed out")
            return
        }
        #expect(reply.status == 409)
        #expect(counter.left.withLock { $0 } == 5)
    }

    @Test("What a redirect leaves behind when the grant is taken back is kept before it is answered")
    func remembered() async throws {
        try give()
        guard case .issued(let issued, _) = try await settled(Self.call, .redirect).plan.issued() else {
            Issue.record("nothing was handed out")
            return
        }
        let remember = try #require(issued.remember)
        #expect(await remember())
        let kept = try #require(counter.remembered.withLock { $0 }.first)
        #expect(kept.grant == "g1" && kept.key == ObjectKey("shared/a.txt") && kept.expiresAt == issued.expiresAt)
        counter.left.withLock { $0 = nil }
        #expect(await !remember())
    }

    @Test("Another gateway may pass what was given, but not where uses are counted")
    func gateways() async throws {
        func ask() throws -> Decision {
            var gate = try gate()
            return try gate.decide(Self.check, from: "10.1.2.3")
        }
        #expect(try ask().reply().status == 403)
        try give()
        let allowed = try ask()
        #expect(try allowed.reply().status == 200, "\(allowed.reason)")
        #expect(allowed.reason == "envoy: grant:g1")
        try give(.counted)
        #expect(try ask().reply().status == 403)
    }

    @Test("What explains a request knows of grants, and takes no use")
    func explained() async throws {
        try give(.counted)
        counter.left.withLock { $0 = 1 }
        let gate = try gate()
        let explanation = await Explainer(
            tokens: NoTokens(),
            grants: GrantSource(book: book, counter: counter)
        ).explain(
            Call("GET", "/photos/shared/a.txt").signed(by: .models).head,
            body: nil,
            from: ConnectionFacts(peer: IPAddress("192.0.2.7"), isSecure: true),
            under: try gate.snapshot(),
            at: noon
        )
        #expect(explanation.decision.outcome == "allowed")
        #expect(explanation.decision.reason == "grant:g1")
        #expect(counter.left.withLock { $0 } == 1)
        #expect(counter.kinds.withLock { $0 } == [.looking])
    }
}
