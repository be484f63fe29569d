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

    // MARK: - What is handed out ends with what it rests on

    /// Something that permits, and for how many seconds from noon.
    enum Basis: Sendable {
        case grant(String, [S3Action], Int64)
        case countedGrant(String, [S3Action], Int64)
        /// A policy, for good.
        case policy(String)
        /// The same for whoever comes from where the caller is now.
        case policyHere(String)
    }

    struct Term: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bases: [Basis]
        /// Seconds from noon; nil: nothing is handed out.
        let end: Int64?
        /// The grants that it is remembered for.
        var grants: [String] = []
    }

    private static let both: [S3Action] = [.putObject, .putObjectTagging]
    private static let lasting: [Term] = [
        Term(
            testDescription: "two grants that are needed both: the one that ends first",
            bases: [.grant("a", [.putObject], 20), .grant("b", [.putObjectTagging], 10)],
            end: 10,
            grants: ["a", "b"]
        ),
        Term(
            testDescription: "two that would do each: the one that ends last, and no other",
            bases: [.grant("a", both, 10), .grant("b", both, 25)],
            end: 25,
            grants: ["b"]
        ),
        Term(
            testDescription: "the same, given in the other order",
            bases: [.grant("b", both, 25), .grant("a", both, 10)],
            end: 25,
            grants: ["b"]
        ),
        Term(
            testDescription: "one that would do alone, and two that last longer together",
            bases: [.grant("a", both, 10), .grant("b", [.putObject], 25), .grant("c", [.putObjectTagging], 24)],
            end: 24,
            grants: ["b", "c"]
        ),
        Term(
            testDescription: "a grant beside what is allowed without it: nothing ends early",
            bases: [.grant("a", both, 10), .policy("*")],
            end: 30
        ),
        Term(
            testDescription: "a policy for a part, a grant for the rest",
            bases: [.policy("s3:PutObjectTagging"), .grant("a", [.putObject], 12), .grant("b", both, 11)],
            end: 12,
            grants: ["a"]
        ),
        Term(
            testDescription: "what holds for this request alone is nothing to sign on: the grant is",
            bases: [.policyHere("*"), .grant("a", both, 10)],
            end: 10,
            grants: ["a"]
        ),
        Term(testDescription: "nothing but what holds for this request alone", bases: [.policyHere("*")], end: nil),
        Term(
            testDescription: "one of them has a number of uses",
            bases: [.grant("a", [.putObject], 20), .countedGrant("b", [.putObjectTagging], 10)],
            end: nil
        ),
        Term(testDescription: "longer than anybody asks for", bases: [.grant("a", both, 3600)], end: 30, grants: ["a"]),
    ]

    @Test(
        "A URL ends with the first of the grants that it needs, and is remembered for each of them",
        arguments: lasting
    )
    func terms(term: Term) async throws {
        var policies: [PolicySet.Entry] = []
        for basis in term.bases {
            switch basis {
            case .grant(let id, let actions, let seconds), .countedGrant(let id, let actions, let seconds):
                let isCounted = if case .countedGrant = basis { true } else { false }
                let right = try GrantTests.right(
                    id,
                    .prefix(Array("shared/".utf8)),
                    actions,
                    until: noon + .seconds(seconds),
                    uses: isCounted ? .counted : .unlimited
                )
                book.update { $0.insert(right, for: .principal(.key("akmodels"))) }
            case .policy(let action): policies.append(try Self.policy(action))
            case .policyHere(let action):
                policies.append(
                    try Self.policy(action, #","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}"#)
                )
            }
        }
        counter.left.withLock { $0 = 5 }
        var gate = Gate(grants: GrantSource(book: book, counter: counter))
        gate.routes = [try route("/f/{rest*}", [.put], key: "{rest}", .redirect)]
        gate.policies = PolicySet(policies)
        let call = Call("PUT", "/f/shared/a.txt", [("x-amz-tagging", "a=b")], length: 5).signed(by: .models)
        var findings = Findings()
        var decision = try gate.decide(call)
        while case .wait(let make) = decision.plan, case .reconsider(let found) = await make() {
            findings = found
            decision = try gate.decide(call, knowing: findings)
        }
        guard case .issue = decision.plan, case .issued(let issued, _) = try decision.plan.issued() else {
            #expect(term.end == nil)
            return
        }
        #expect(term.end.map { noon + .seconds($0) } == issued.expiresAt)
        if let remember = issued.remember { #expect(await remember()) }
        let kept = counter.remembered.withLock { $0 }
        #expect(Set(kept.map(\.grant)) == Set(term.grants) && kept.count == term.grants.count)
        #expect(kept.allSatisfy { $0.expiresAt == issued.expiresAt && $0.key == ObjectKey("shared/a.txt") })
    }

    private static func policy(_ action: String, _ more: String = "") throws -> PolicySet.Entry {
        let document =
            #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"\#(action)","Resource":"*"\#(more)}]}"#
        return PolicySet.Entry(
            name: "p",
            appliesTo: [try PrincipalPattern(parsing: "key:akmodels")],
            document: try PolicyDocument(parsing: document.utf8)
        )
    }

    @Test("Of grants with a number of uses, the one that ends first is used up first")
    func countedInTheirOrder() async throws {
        for (id, seconds) in [("late", Int64(50)), ("soon", 20), ("later", 60)] {
            let right = try GrantTests.right(id, until: noon + .seconds(seconds), uses: .counted)
            book.update { $0.insert(right, for: .principal(.key("akmodels"))) }
        }
        counter.left.withLock { $0 = 1 }
        #expect(try await settled(Self.call).reason.hasPrefix("grant:soon"))
    }

    @Test("With one of the grants it rests on, what takes two of them ends")
    func nothingElseCovers() async throws {
        let (put, tag) = (
            try GrantTests.right("put", .prefix([]), [.putObject]),
            try GrantTests.right("tag", .prefix([]), [.putObjectTagging], until: noon + .seconds(20))
        )
        book.update { table in
            table.insert(put, for: .principal(.key("akmodels")))
            table.insert(tag, for: .principal(.key("akmodels")))
        }
        func ask(at now: Instant = noon) throws -> Decision {
            var gate = Gate(grants: GrantSource(book: book, counter: counter))
            let call = Call("PUT", "/photos/a", [("x-amz-tagging", "a=b")], length: 5)
            return try gate.decide(call.signed(by: .models, at: now), at: now)
        }
        #expect(try ask().reason == "grant:put,grant:tag")
        #expect(try ask(at: noon + .seconds(20)).outcome == .denied)
        book.update { $0.remove("put") }
        #expect(try ask().outcome == .denied)
    }
}
