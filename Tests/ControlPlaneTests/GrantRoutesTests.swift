import Admission
import Foundation
import S3API
import Testing
import Valet
import WireFormats

@testable import ControlPlane

@Suite("Grants at the admin listener", .timeLimit(.minutes(1)))
struct GrantRoutesTests {
    private let situation = Situation()
    private let id = String(repeating: "ab", count: 16)
    private let admin = ("x-api-key", Situation.adminKey)

    private func give(_ id: String, note: String = "", to subject: Grant.Subject = .principal("user:bob")) async throws
    {
        let grant = Grant(
            id: id,
            subject: subject,
            bucket: try #require(BucketName(validating: "photos")),
            reach: .prefix(Array("shared/".utf8)),
            actions: ActionSet(.getObject),
            grantor: "user:alice",
            note: note,
            issuedAt: situation.now(),
            expiresAt: situation.now() + .seconds(3600)
        )
        _ = try await situation.grants.insert(grant, for: nil)
    }

    private var isRevoked: Bool {
        get async throws { try await situation.grants.grant(id)?.grant.revokedAt != nil }
    }

    @Test("A browser takes one back with its session's token, and with nothing else")
    func takenBackByForm() async throws {
        try await give(id, note: "<script>alert(1)</script>")
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
            try await give(
                id,
                to: index < 3 ? .link(hash: Array(repeating: UInt8(index), count: 32)) : .principal("user:bob")
            )
        }
        try await give(id)
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
}
