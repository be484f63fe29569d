import Admission
import Foundation
import Identity
import Journal
import S3API
import Synchronization
import Testing
import Valet
import WireFormats

@testable import ControlPlane

@Suite("Grants at the admin listener", .timeLimit(.minutes(10)))
struct GrantRoutesTests {
    private let situation = Situation()
    private let id = String(repeating: "ab", count: 16)
    private let admin = ("x-api-key", Situation.adminKey)

    init() { situation.hasPhotos.store(true, ordering: .relaxed) }

    private func give(
        _ id: String,
        note: String = "",
        to subject: Grant.Subject = .principal("user:bob"),
        by grantor: String = "user:alice",
        maxUses: Int? = nil
    ) throws {
        let grant = Grant(
            id: id,
            subject: subject,
            bucket: try #require(BucketName(validating: "photos")),
            reach: .prefix(Array("shared/".utf8)),
            actions: ActionSet(.getObject),
            grantor: grantor,
            note: note,
            issuedAt: situation.now(),
            expiresAt: situation.now() + .seconds(3600),
            maxUses: maxUses
        )
        situation.grants.fill([grant])
    }

    private var isRevoked: Bool {
        get async throws { try await situation.grants.grant(id)?.grant.revokedAt != nil }
    }

    @Test("A browser takes one back with its session's token, and with nothing else")
    func takenBackByForm() async throws {
        try give(id, note: "<script>alert(1)</script>")
        let directory = try TemporaryDirectory()
        let path = "/grants/\(id)/revoke"
        try await withListener(situation, socketIn: directory) { client async throws in
            let cookie = ("cookie", client.session(try await client.logIn()))
            let page = try await client.send("GET", "/grants", [cookie])
            #expect(page.status == 200)
            #expect(page.body.contains("user:bob") && page.body.contains("photos/shared/…"))
            #expect(page.body.contains("&lt;script&gt;") && !page.body.contains("<script>"))
            let token = client.csrf(page)
            #expect(!token.isEmpty)
            for form in ["", "csrf=", "csrf=wrong", "csrf=\(token)x", "token=\(token)"] {
                #expect(try await client.send("POST", path, [cookie], form: form).status == 403, "\(form)")
            }
            let foreign = [cookie, ("origin", "https://evil.example")]
            #expect(try await client.send("POST", path, foreign, form: "csrf=\(token)").status == 403)
            #expect(try await client.send("POST", path, form: "csrf=\(token)").status == 401)
            #expect(try await client.send("GET", path, [cookie]).status >= 400)
            #expect(try await client.send("DELETE", "/api/grants/\(id)", [cookie]).status == 403)
            #expect(try await !isRevoked)
            let done = try await client.send("POST", path, [cookie], form: "csrf=\(token)")
            #expect(done.status == 303 && done.field("location") == "/grants")
            #expect(try await isRevoked)
            let after = try await client.send("GET", "/grants", [cookie])
            #expect(after.body.contains("taken back") && !after.body.contains(path))
        }
    }

    @Test("The API lists page by page and takes back; others than admins do neither")
    func api() async throws {
        for index in 0..<(GrantRoutes.page + 5) {
            let id = String(repeating: "0", count: 28) + String(format: "%04d", index)
            try give(
                id,
                to: index < 3 ? .link(hash: Array(repeating: UInt8(index), count: 32)) : .principal("user:bob")
            )
        }
        try give(id)
        try await withListener(situation) { client async throws in
            let first = try await client.send("GET", "/api/grants", [admin])
            let next = try #require(first.body.firstMatch(of: /"next":"([0-9a-f]{32})"/)?.output.1)
            #expect(first.body.matches(of: /"subject"/).count == GrantRoutes.page)
            let second = try await client.send("GET", "/api/grants?after=\(next)", [admin])
            #expect(second.body.matches(of: /"subject"/).count == 6)
            #expect(!second.body.contains("\"next\""))
            let links = try await client.send("GET", "/api/grants?subject=link&bucket=photos", [admin])
            #expect(links.body.matches(of: /"subject":"link"/).count == 3)
            #expect(try await client.send("GET", "/api/grants?bucket=..", [admin]).status == 400)
            for (method, path) in [("GET", "/api/grants"), ("GET", "/grants"), ("DELETE", "/api/grants/\(id)")] {
                #expect(try await client.send(method, path).status == 401)
                #expect(try await client.send(method, path, [("x-api-key", Situation.userKey)]).status == 403)
            }
            #expect(try await !isRevoked)
            let taken = try await client.send("DELETE", "/api/grants/\(id)", [admin])
            #expect(taken.status == 200 && taken.body.contains("revoked_at"))
            #expect(try await isRevoked)
            #expect(
                try await client.send("DELETE", "/api/grants/\(String(repeating: "f", count: 32))", [admin]).status
                    == 404
            )
        }
    }

    @Test("A link whose giver was revoked, blocked or is gone is not shown as in force")
    func giverNoLongerStands() async throws {
        let (gone, spent) = (String(repeating: "cd", count: 16), String(repeating: "ef", count: 16))
        let later = String(repeating: "01", count: 16)
        try give(id, to: .link(hash: Array(repeating: 1, count: 32)))
        try give(gone, by: "user:nobody")
        try give(spent, maxUses: 0)
        let alice = RevocationTable.Subject.principal(.user("alice"))
        let directory = try TemporaryDirectory()
        try await withListener(situation, socketIn: directory) { client async throws in
            let cookie = ("cookie", client.session(try await client.logIn()))
            func states() async throws -> [String: String] {
                let listed = try #require(
                    JSONObject(
                        try StrictJSON(parsing: Array(try await client.send("GET", "/api/grants", [admin]).body.utf8))
                    )?.objects("grants")
                )
                let page = try await client.send("GET", "/grants", [cookie]).body
                var found: [String: String] = [:]
                for grant in listed {
                    let (id, state) = (try #require(grant.text("id")), try #require(grant.text("state")))
                    found[id] = state
                    let row = try #require(
                        page.split(separator: "<tr id=\"\(id)\">").last?.split(separator: "</tr>").first
                    )
                    #expect(row.contains(">\(state.replacing("_", with: " "))</td>"), "\(row)")
                    let isOver = ["giver_revoked", "used_up"].contains(state)
                    #expect(row.contains("/grants/\(id)/revoke") == !isOver, "\(state)")
                }
                return found
            }
            #expect(try await states() == [id: "in_force", gone: "giver_gone", spent: "used_up"])
            situation.revocations.update { $0.end(alice, issuedUpTo: situation.now(), isBlocked: false) }
            #expect(try await states()[id] == "giver_revoked")
            // What the same giver gives later is another matter, until they are blocked.
            situation.seconds.add(1, ordering: .relaxed)
            try give(later)
            #expect(try await states()[later] == "in_force")
            situation.revocations.update { $0.end(alice, issuedUpTo: situation.now(), isBlocked: true) }
            #expect(try await states()[later] == "giver_blocked")
        }
    }

    private static func order(_ grantor: String? = nil, expires: String = "2099-01-01T00:00:00Z") -> String {
        let more = grantor.map { #","grantor":"# + $0 } ?? ""
        return #"{"subject":"user:bob","bucket":"photos","prefix":"shared/","actions":["get_object"],"#
            + #""expires_at":"\#(expires)"\#(more)}"#
    }

    @Test("At the socket the operator gives on somebody's account, as far as that entry's rights go")
    func given() async throws {
        let directory = try TemporaryDirectory()
        let audit = try AuditLog(AuditLog.Settings(path: directory.file("audit.jsonl")), now: { noon })
        try await withListener(situation, auditLog: audit, socketIn: directory) { client async throws in
            func give(_ json: String) async throws -> Answer {
                try await client.send("POST", "/api/grants", host: "gatehouse", json: json, overSocket: true)
            }
            let made = try await give(Self.order(#""user:alice""#))
            #expect(made.status == 201 && made.body.contains(#""grantor":"user:alice""#), "\(made.body)")
            let id = try #require(made.body.firstMatch(of: /"id":"([0-9a-f]{32})"/)?.output.1)
            let kept = try #require(try await situation.grants.grant(String(id))?.grant)
            #expect(kept.grantor == "user:alice" && kept.bucket.string == "photos")
            #expect(try await give(Self.order(#""alice""#)).status == 201)
            // bob may do nothing himself.
            #expect(try await give(Self.order(#""user:bob""#)).status == 403)
            for grantor in [
                #""user:nobody""#, #""key:nobody""#, #""idp:auth:x""#, #""anonymous""#, "\"\"", "5", "null",
            ] {
                let refused = try await give(Self.order(grantor))
                #expect(refused.status == 400 && refused.body.contains("grantor") || refused.body.contains("no user"))
            }
            #expect(try await give("[]").status == 400)
            #expect(try await give(Self.order(#""alice","colour":1"#)).status == 400)
            #expect(try await give(Self.order(#""alice""#, expires: "2001-01-01T00:00:00Z")).status == 400)
            await audit.flush()
            let log = try String(contentsOfFile: directory.file("audit.jsonl"), encoding: .utf8)
            let lines = log.split(separator: "\n").filter { $0.contains("create_grant") }
            #expect(lines.count == 3 && lines.allSatisfy { $0.contains(#""socket""#) })
        }
    }

    @Test("Nobody has to be named where there is one admin, and somebody where there are more or none")
    func theOnlyAdmin() async throws {
        let directory = try TemporaryDirectory()
        try await withListener(situation, socketIn: directory) { client async throws in
            func give() async throws -> Answer {
                try await client.send("POST", "/api/grants", host: "gatehouse", json: Self.order(), overSocket: true)
            }
            #expect(try await give().status == 400)
            situation.admins.withLock { $0 = ["alice"] }
            #expect(try await give().body.contains(#""grantor":"user:alice""#))
            situation.admins.withLock { $0 = ["alice", "bob"] }
            #expect(try await give().status == 400)
        }
    }

    @Test("An admin on the network gives on no account but their own")
    func ownAccount() async throws {
        try await withListener(situation) { client async throws in
            for (key, grantor, status) in [
                (Situation.adminKey, #""user:alice""#, 403), (Situation.userKey, #""user:alice""#, 403),
                ("wrong", nil, 401),
                // Known as an admin here, and no user of this configuration.
                (Situation.adminKey, nil, 400), (Situation.adminKey, #""root""#, 400),
            ] as [(String, String?, Int)] {
                let answer = try await client.send(
                    "POST",
                    "/api/grants",
                    [("x-api-key", key)],
                    json: Self.order(grantor)
                )
                #expect(answer.status == status, "\(answer.body)")
            }
        }
        #expect(try await situation.grants.grants(bucket: nil, subject: nil, after: nil, limit: 10).isEmpty)
    }
}
