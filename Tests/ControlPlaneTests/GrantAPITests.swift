import Admission
import Foundation
import HTTP1
import Identity
import Journal
import Pipeline
import S3API
import Testing
import Valet
import WireFormats

@testable import ControlPlane

@Suite("Grants are made, listed and taken back through the API")
struct GrantAPITests {
    private let directory: TemporaryDirectory
    private let auditLog: AuditLog
    private let memory = GrantMemory()
    private let keeper: GrantKeeper
    private var alice: APICaller
    private var bob: APICaller

    init() throws {
        directory = try TemporaryDirectory()
        auditLog = try AuditLog(AuditLog.Settings(path: directory.file("audit.jsonl")), now: { noon })
        keeper = GrantKeeper(memory) { noon }
        let random: @Sendable (Int) -> [UInt8] = { count in (0..<count).map { _ in UInt8.random(in: 0...255) } }
        let log = IssueLog(auditLog)
        let grants = GrantAPI(memory, keeper: keeper, log: log, random: random)
        alice = APICaller(desk: Desk(grants.operations, version: "9"))
        alice.grants = keeper.source
        alice.buckets = [try photos()]
        bob = alice
        bob.key = "bob-key"
    }

    private static func body(_ changes: [String: String?] = [:]) -> String {
        var members: [String: String?] = [
            "subject": #""user:bob""#, "bucket": #""photos""#, "prefix": #""shared/""#, "actions": #"["get_object"]"#,
            "expires_at": "\"\(Timestamp.iso8601(noon + .seconds(3600)))\"",
        ]
        members.merge(changes) { $1 }
        let text = members.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }.joined(separator: ",")
        return "{\(text)}"
    }

    private func read(_ caller: APICaller, _ path: String) throws -> Decision {
        try caller.follow("https://files.example.com" + path, more: [("x-api-key", caller.key)])
    }

    private func auditText() async throws -> String {
        await auditLog.flush()
        return try String(contentsOfFile: directory.file("audit.jsonl"), encoding: .utf8)
    }

    @Test("A grant holds at once, until it is taken back, which holds at once too; the log has both")
    func lifecycle() async throws {
        #expect(try read(bob, "/photos/shared/a").outcome == .denied)
        let made = try await alice.ask(.post, "/-/v1/grants", Self.body())
        #expect(made.status == 201, "\(made.message ?? "")")
        let id = try #require(made.body.text("id"))
        #expect(!made.body.has("link"))
        #expect(try read(bob, "/photos/shared/a").reason == "grant:" + id)
        #expect(try read(bob, "/photos/other").outcome == .denied)
        #expect(try await bob.ask(.delete, "/-/v1/grants/\(id)", type: nil).status == 404)
        let gone = try await alice.ask(.delete, "/-/v1/grants/\(id)", type: nil)
        #expect(gone.status == 200)
        #expect(gone.body.text("revoked_at") == Timestamp.iso8601(noon))
        #expect(gone.body.objects("outstanding_urls")?.isEmpty == true)
        #expect(try read(bob, "/photos/shared/a").outcome == .denied)
        let log = try await auditText()
        #expect(log.contains(#""action":"create_grant""#) && log.contains(#""action":"revoke_grant""#))
        #expect(log.components(separatedBy: id).count >= 3)
    }

    @Test("A grant whose giver was revoked, blocked or is gone is not listed as in force, and is not")
    func giverNoLongerStands() async throws {
        let ended = RevocationBook()
        let made = try await alice.ask(.post, "/-/v1/grants", Self.body())
        let id = try #require(made.body.text("id"))
        var asking = bob
        asking.revocations = ended
        func listed() async throws -> String? {
            let grants = try await asking.ask(.get, "/-/v1/grants", type: nil).body.objects("grants")
            return grants?.first { $0.text("id") == id }?.text("state")
        }
        #expect(try await listed() == "in_force")
        #expect(try read(asking, "/photos/shared/a").reason == "grant:" + id)
        let subject = RevocationTable.Subject.principal(.user("alice"))
        ended.update { $0.end(subject, issuedUpTo: noon, isBlocked: false) }
        #expect(try await listed() == "giver_revoked")
        #expect(try read(asking, "/photos/shared/a").outcome == .denied)
        ended.update { $0.end(subject, issuedUpTo: noon, isBlocked: true) }
        #expect(try await listed() == "giver_blocked")
        _ = try await alice.ask(.delete, "/-/v1/grants/\(id)", type: nil)
        #expect(try await listed() == "taken_back")
    }

    @Test("A link's address is told once; its token is in no log and not in the state")
    func link() async throws {
        let fields = [("idempotency-key", "k1")]
        let body = Self.body(["subject": #""link""#, "prefix": nil, "key": #""a.txt""#])
        let made = try await alice.ask(.post, "/-/v1/grants", body, fields: fields)
        #expect(made.status == 201, "\(made.message ?? "")")
        let link = try #require(made.body.text("link"))
        #expect(link.hasPrefix("https://files.example.com/-/l/"))
        let token = try #require(link.split(separator: "/").last)
        // 192 bits.
        #expect(Base64URL.decode(token.utf8)?.count == 24)
        let id = try #require(made.body.text("id"))
        let decision = try bob.follow(link)
        #expect(decision.reason == "grant:" + id && decision.principal == .link(id))
        let again = try await alice.ask(.post, "/-/v1/grants", body, fields: fields)
        #expect(again.status == 201 && again.body.text("id") == id && !again.body.has("link"))
        #expect(try await !auditText().contains(token))
        let record = try #require(try await memory.grant(id))
        #expect(!"\(record)".contains(token))
        let listed = try await alice.ask(.get, "/-/v1/grants?subject=link", type: nil)
        #expect(listed.body.objects("grants")?.count == 1)
        _ = try await alice.ask(.delete, "/-/v1/grants/\(id)", type: nil)
        #expect(try bob.follow(link).outcome == .unauthenticated)
    }

    @Test("A link to a prefix leads to the keys behind it")
    func prefixLink() async throws {
        let made = try await alice.ask(.post, "/-/v1/grants", Self.body(["subject": #""link""#]))
        let link = try #require(made.body.text("link"))
        #expect(link.hasSuffix("/shared/"))
        #expect(try bob.follow(link + "a.txt").key == ObjectKey("shared/a.txt"))
        #expect(try bob.follow(link.replacing("/shared/", with: "/other")).outcome != .allowed)
    }

    @Test("Nobody gives more than they have, or gives on what they were given")
    func beyond() async throws {
        let refused = try await bob.ask(.post, "/-/v1/grants", Self.body(["subject": #""user:alice""#]))
        #expect(refused.status == 403)
        _ = try await alice.ask(.post, "/-/v1/grants", Self.body(["actions": #"["read","list","write"]"#]))
        #expect(try read(bob, "/photos/shared/a").outcome == .allowed)
        #expect(try await bob.ask(.post, "/-/v1/grants", Self.body(["subject": #""user:carol""#])).status == 403)
        #expect(try await alice.ask(.post, "/-/v1/grants", Self.body(["bucket": #""docs""#])).status == 403)
        let local = Self.body(["bucket": #""local""#])
        #expect(try await alice.ask(.post, "/-/v1/grants", local).status == 404)
    }

    @Test(
        "What can't be understood is refused with the field's name",
        arguments: [
            ("subject", #""bob""#), ("subject", #""anonymous""#), ("subject", #""link:1""#),
            ("subject", #""idp:auth""#),
            ("actions", #"["share"]"#), ("actions", #"["share_link"]"#), ("actions", #"["nothing"]"#),
            ("actions", "[]"),
            ("actions", #"["create_bucket"]"#), ("key", #""a""#), ("prefix", nil),
            ("expires_at", #""2001-01-01T00:00:00Z""#),
            ("expires_at", #""tomorrow""#), ("expires_at", nil), ("max_uses", "0"), ("max_uses", "1.5"),
            ("source_cidr", #""192.0.2.0/99""#), ("colour", #""red""#),
        ] as [(String, String?)]
    )
    func refusals(name: String, value: String?) async throws {
        let answer = try await alice.ask(.post, "/-/v1/grants", Self.body([name: value]))
        #expect(answer.status == 400, "\(answer.body)")
        let expected = name == "prefix" ? "key" : name
        #expect(answer.message?.contains(expected) ?? false || name == "actions", "\(answer.message ?? "")")
    }

    @Test("Links can be for reading alone")
    func linkActions() async throws {
        for actions in [#"["put_object"]"#, #"["list"]"#, #"["get_object","delete_object"]"#, #"["read"]"#] {
            let body = Self.body(["subject": #""link""#, "actions": actions])
            #expect(try await alice.ask(.post, "/-/v1/grants", body).status == 400, "\(actions)")
        }
    }

    @Test("Grants are seen by who gave them, who holds them, and admins")
    func listing() async throws {
        _ = try await alice.ask(.post, "/-/v1/grants", Self.body(["note": #""for Bob""#, "max_uses": "3"]))
        _ = try await alice.ask(.post, "/-/v1/grants", Self.body(["subject": #""user:carol""#]))
        let all = try await alice.ask(.get, "/-/v1/grants?bucket=photos", type: nil)
        #expect(all.body.objects("grants")?.count == 2)
        let mine = try #require(try await bob.ask(.get, "/-/v1/grants", type: nil).body.objects("grants"))
        #expect(mine.count == 1)
        #expect(mine.first?.text("note") == "for Bob" && mine.first?.integer("max_uses") == 3)
        #expect(mine.first?.integer("uses") == 0 && mine.first?.text("grantor") == "user:alice")
        #expect(
            try await alice.ask(.get, "/-/v1/grants?bucket=docs", type: nil).body.objects("grants")?.isEmpty == true
        )
    }

    @Test("Who wanted to give what they may not is in the log")
    func refusalIsLogged() async throws {
        _ = try await bob.ask(.post, "/-/v1/grants", Self.body(["subject": #""user:alice""#]))
        _ = try await bob.ask(.post, "/-/v1/grants", Self.body(["subject": #""link""#]))
        let lines = try await auditText().split(separator: "\n")
        let refused = lines.filter { $0.contains(#""verdict":"denied""#) && $0.contains(#""who":"user:bob""#) }
        #expect(refused.count == 2)
        #expect(refused.first?.contains(#""action":"create_grant""#) ?? false)
        #expect(refused.last?.contains(#""action":"create_link""#) ?? false)
        #expect(refused.allSatisfy { $0.contains("not_permitted") })
    }

    private func given(
        _ id: String,
        _ reach: Grant.Reach,
        to subject: String = "user:bob",
        by grantor: String = "user:alice",
        until expiresAt: Instant = noon + .seconds(3600)
    ) throws -> Grant {
        Grant(
            id: id,
            subject: .principal(subject),
            bucket: try #require(BucketName(validating: "photos")),
            reach: reach,
            actions: ActionSet(.getObject),
            grantor: grantor,
            issuedAt: noon,
            expiresAt: expiresAt
        )
    }

    @Test("One giver leaves room for others, and nothing is given for ever")
    func oneGiver() async throws {
        let most = GrantAPI.limits.ofOneGiver
        memory.fill(try (0..<most).map { try given("\($0)", .prefix([]), to: "user:somebody") })
        let full = try await alice.ask(.post, "/-/v1/grants", Self.body())
        #expect(full.status == 409 && full.body.object("error")?.text("code") == "TooManyGrants")
        #expect(try await auditText().contains("TooManyGrants"))
        _ = try await memory.revoke("7", at: noon)
        let end = "\"\(Timestamp.iso8601(noon + .seconds(100 * 365 * 86_400)))\""
        let made = try await alice.ask(.post, "/-/v1/grants", Self.body(["expires_at": end]))
        #expect(made.body.text("expires_at") == Timestamp.iso8601(noon + .seconds(3650 * 86_400)))
        #expect(try await alice.ask(.post, "/-/v1/grants", Self.body()).status == 409)
    }

    @Test("One giver loads nobody with grants that all have to be looked at for one key")
    func loaded() async throws {
        let key = Grant.Reach.key(ObjectKey("a"))
        memory.fill(try (0..<15).map { try given("k\($0)", key) })
        memory.fill(try (0..<99).map { try given("p\($0)", .prefix(Array("p\($0)/".utf8))) })
        // What others gave, and what others were given, does not count.
        memory.fill(try (0..<300).map { try given("o\($0)", key, by: "user:root") })
        memory.fill(try (0..<300).map { try given("q\($0)", .prefix([]), to: "user:carol") })
        let body = Self.body(["prefix": nil, "key": #""a""#])
        #expect(try await alice.ask(.post, "/-/v1/grants", body).status == 201)
        #expect(try await alice.ask(.post, "/-/v1/grants", body).error == "TooManyGrants")
        #expect(try await alice.ask(.post, "/-/v1/grants", Self.body(["prefix": nil, "key": #""b""#])).status == 201)
        #expect(try await alice.ask(.post, "/-/v1/grants", Self.body()).status == 201)
        #expect(try await alice.ask(.post, "/-/v1/grants", Self.body()).error == "TooManyGrants")
        // A link is held by nobody else.
        #expect(try await alice.ask(.post, "/-/v1/grants", Self.body(["subject": #""link""#])).status == 201)
    }

    @Test("Grants that have ended and are not yet forgotten leave no room for others")
    func ended() async throws {
        memory.fill(try (0..<16).map { try given("\($0)", .key(ObjectKey("a")), until: noon) })
        try await keeper.refresh()
        let made = try await alice.ask(.post, "/-/v1/grants", Self.body(["prefix": nil, "key": #""a""#]))
        #expect(made.status == 201)
    }

    @Test("Two hundred who ask at once are given more than one giver may give for one key")
    func atOnce() async throws {
        let alice = alice
        let key = Self.body(["prefix": nil, "key": #""a""#])
        let answers = try await withThrowingTaskGroup(of: (status: Int, error: String?).self) { group in
            for _ in 0..<200 {
                group.addTask {
                    let answer = try await alice.ask(.post, "/-/v1/grants", key)
                    return (answer.status, answer.error)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count { $0.status == 201 } == 16)
        #expect(answers.count { $0.error == "TooManyGrants" } == 184)
    }

    @Test("Who has the head of an answer goes on with its use at once, though that is still being written")
    func goingOn() async throws {
        let made = try await alice.ask(.post, "/-/v1/grants", Self.body(["max_uses": "1"]))
        let id = try #require(made.body.text("id"))
        let address = try #require(IPAddress("192.0.2.9"))
        #expect(await keeper.take(id, .fresh, from: address, at: noon) == .counted)
        #expect(await keeper.take(id, .continuing, from: address, at: noon) == .refused)
        keeper.keep(id, from: address, at: noon)
        keeper.keep(id, from: address, at: noon)
        #expect(await keeper.take(id, .continuing, from: address, at: noon) == .free)
    }

    @Test("Somebody whose name looks the same sees and takes back nothing")
    func lookalike() async throws {
        let grant = Grant(
            id: String(repeating: "a", count: 32),
            subject: .principal("idp:auth:e\u{301}"),
            bucket: try #require(BucketName(validating: "photos")),
            reach: .prefix([]),
            actions: ActionSet(.getObject),
            grantor: "idp:auth:e\u{301}",
            issuedAt: noon,
            expiresAt: noon + .seconds(60)
        )
        #expect(!Principal.identityProvider(name: "auth", subject: "\u{e9}").isNamed(grant.grantor))
        #expect(grant.holder == .principal(.identityProvider(name: "auth", subject: "e\u{301}")))
        #expect(grant.holder != .principal(.identityProvider(name: "auth", subject: "\u{e9}")))
    }

    @Test("Without the state nothing is given and nothing is taken back")
    func away() async throws {
        memory.goAway()
        #expect(try await alice.ask(.post, "/-/v1/grants", Self.body()).status == 503)
        #expect(try await alice.ask(.get, "/-/v1/grants", type: nil).status == 503)
        let id = String(repeating: "a", count: 32)
        #expect(try await alice.ask(.delete, "/-/v1/grants/\(id)", type: nil).status == 503)
    }

    @Test("What another instance takes back is known after the next look, in whatever order looks end")
    func otherInstances() async throws {
        let made = try await alice.ask(.post, "/-/v1/grants", Self.body())
        let id = try #require(made.body.text("id"))
        _ = try await memory.revoke(id, at: noon)
        #expect(try read(bob, "/photos/shared/a").outcome == .allowed)
        try await keeper.refresh()
        #expect(try read(bob, "/photos/shared/a").outcome == .denied)
    }
}
