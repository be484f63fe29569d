import ControlPlane
import Foundation
import Journal
import Synchronization
import Testing
import WireFormats

/// The console's login: form, cookie, CSRF token, expiry.
@Suite(.timeLimit(.minutes(10))) struct LoginTests {
    @Test func theRightKeyOpensASession() async throws {
        try await withListener { client async throws in
            let login = try await client.logIn()
            #expect(login.status == 303)
            #expect(login.field("location") == "/")
            let flags = try #require(login.fields("set-cookie").first { $0.hasPrefix("gatehouse_session=") })
            #expect(flags.contains("; HttpOnly"))
            #expect(flags.contains("; SameSite=Strict"))
            #expect(flags.contains("; Path=/"))
            #expect(!flags.contains("Secure"))
            #expect(!flags.contains(Situation.adminKey))
            let page = try await client.send("GET", "/", [("cookie", client.session(login))])
            #expect(page.status == 200)
            #expect(page.body.contains("9.9.9"))
            #expect(page.body.contains("photos"))
            #expect(page.body.contains("&lt;b&gt;loaded&lt;/b&gt;"))
            #expect(!page.body.contains("<b>loaded"))
            #expect(!page.body.contains("http://"), "no external assets")
            #expect(try await client.send("GET", "/console.css").status == 200)
        }
    }

    @Test func behindHTTPSTheCookieIsSecure() async throws {
        try await withListener(allowedHosts: ["admin.example.com"]) { client async throws in
            let login = try await client.logIn([("origin", "https://admin.example.com")])
            #expect(
                login.fields("set-cookie").contains { $0.hasPrefix("gatehouse_session=") && $0.contains("; Secure") }
            )
        }
    }

    @Test(arguments: [("guess", 401), (Situation.userKey, 403), ("", 401)])
    func otherKeysOpenNothing(key: String, status: Int) async throws {
        try await withListener { client async throws in
            let login = try await client.logIn(key: key)
            #expect(login.status == status)
            #expect(client.session(login).isEmpty)
        }
    }

    @Test func aFormWithoutItsTokenIsRefused() async throws {
        try await withListener { client async throws in
            let key = Situation.adminKey
            #expect(try await client.send("POST", "/login", form: "api_key=\(key)").status == 403)
            #expect(try await client.send("POST", "/login", form: "csrf=&api_key=\(key)").status == 403)
            #expect(
                try await client.send(
                    "POST",
                    "/login",
                    [("cookie", "gatehouse_login=a")],
                    form: "csrf=b&api_key=\(key)"
                )
                .status == 403
            )
            #expect(
                try await client.send("POST", "/login", [("cookie", "gatehouse_login=")], form: "csrf=&api_key=\(key)")
                    .status == 403
            )
        }
    }

    @Test func aCookieAloneChangesNothing() async throws {
        let situation = Situation()
        try await withListener(situation) { client async throws in
            let cookie = ("cookie", client.session(try await client.logIn()))
            #expect(try await client.send("POST", "/api/reload", [cookie]).status == 403)
            #expect(try await client.send("POST", "/api/reload", [cookie], form: "csrf=guess").status == 403)
            #expect(try await client.send("POST", "/logout", [cookie]).status == 403)
            #expect(situation.reloads.load(ordering: .relaxed) == 0)
            let token = client.csrf(try await client.send("GET", "/", [cookie]))
            #expect(try await client.send("POST", "/api/reload", [cookie], form: "csrf=\(token)").status == 200)
            #expect(try await client.send("POST", "/api/reload", [cookie, ("x-csrf-token", token)]).status == 200)
            #expect(situation.reloads.load(ordering: .relaxed) == 2)
            let other = client.csrf(
                try await client.send("GET", "/", [("cookie", client.session(try await client.logIn()))])
            )
            #expect(try await client.send("POST", "/api/reload", [cookie], form: "csrf=\(other)").status == 403)
        }
    }

    @Test func aSessionEndsAfterTwelveHours() async throws {
        let situation = Situation()
        try await withListener(situation) { client async throws in
            let cookie = ("cookie", client.session(try await client.logIn()))
            situation.seconds.add(12 * 3600 - 1, ordering: .relaxed)
            #expect(try await client.send("GET", "/api/status", [cookie]).status == 200)
            situation.seconds.add(1, ordering: .relaxed)
            #expect(try await client.send("GET", "/api/status", [cookie]).status == 401)
        }
    }

    @Test func aSessionEndsWithTheAdminsRole() async throws {
        let situation = Situation()
        try await withListener(situation) { client async throws in
            let cookie = ("cookie", client.session(try await client.logIn()))
            situation.stillAdmin.store(false, ordering: .relaxed)
            #expect(try await client.send("GET", "/api/status", [cookie]).status == 401)
        }
    }

    @Test func aSessionEndsWithTheKeyThatMadeIt() async throws {
        let situation = Situation()
        try await withListener(situation) { client async throws in
            let cookie = ("cookie", client.session(try await client.logIn()))
            #expect(try await client.send("GET", "/api/status", [cookie]).status == 200)
            situation.keyIsNew.store(true, ordering: .relaxed)
            #expect(try await client.send("GET", "/api/status", [cookie]).status == 401)
        }
    }

    @Test(arguments: [false, true]) func aSessionEndsWithWhatElseWasIssuedToTheAdmin(isBlocked: Bool) async throws {
        let situation = Situation()
        try await withListener(situation) { client async throws in
            let cookie = ("cookie", client.session(try await client.logIn()))
            #expect(try await client.send("GET", "/api/status", [cookie]).status == 200)
            situation.revoke(blocking: isBlocked)
            #expect(try await client.send("GET", "/api/status", [cookie]).status == 401)
            situation.seconds.add(1, ordering: .relaxed)
            let again = try await client.logIn()
            #expect(again.status == (isBlocked ? 403 : 303))
            #expect(client.session(again).isEmpty == isBlocked)
        }
    }

    @Test func aBlockedAdminsKeyOpensNothingAndLiftsNoBlock() async throws {
        let situation = Situation()
        try await withListener(situation) { client async throws in
            let key = ("x-api-key", Situation.adminKey)
            situation.revoke(blocking: false)
            #expect(try await client.send("POST", "/api/reload", [key]).status == 200)
            situation.revoke(blocking: true)
            for (method, path) in [("GET", "/api/status"), ("POST", "/api/reload"), ("POST", "/api/sessions/revoke")] {
                let answer = try await client.send(method, path, [key])
                #expect(answer.status == 403 && answer.body.contains("blocked"), "\(path)")
            }
            #expect(situation.reloads.load(ordering: .relaxed) == 1)
        }
    }

    @Test func loggingOutEndsTheSession() async throws {
        try await withListener { client async throws in
            let cookie = ("cookie", client.session(try await client.logIn()))
            let token = client.csrf(try await client.send("GET", "/", [cookie]))
            #expect(try await client.send("POST", "/logout", [cookie], form: "csrf=\(token)").status == 303)
            #expect(try await client.send("GET", "/api/status", [cookie]).status == 401)
        }
    }

    @Test func aCookieSentTwiceCountsAsNone() async throws {
        try await withListener { client async throws in
            let session = client.session(try await client.logIn())
            let doubled = ("cookie", "gatehouse_session=planted; \(session)")
            #expect(try await client.send("GET", "/api/status", [doubled]).status == 401)
        }
    }

    @Test func wrongLoginsAreLimitedPerAddressAndLockNobodyOut() async throws {
        try await withListener { client async throws in
            for _ in 0..<10 { #expect(try await client.logIn(key: "guess").status == 401) }
            let limited = try await client.logIn(key: "guess")
            #expect(limited.status == 429)
            #expect(client.session(limited).isEmpty)
            #expect(!client.session(try await client.logIn()).isEmpty)
        }
    }

    @Test func bodiesAreBounded() async throws {
        try await withListener { client async throws in
            let big = "csrf=" + String(repeating: "a", count: 100_000)
            #expect(try await client.send("POST", "/login", form: big).status == 413)
            let cookie = ("cookie", client.session(try await client.logIn()))
            #expect(try await client.send("POST", "/api/reload", [cookie], form: big).status == 413)
        }
    }

    @Test func loginsAreAuditedWithoutTheKey() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("audit.jsonl")
        let audit = try AuditLog(.init(path: path), now: { Instant(secondsSince1970: 1_800_000_000) })
        try await withListener(auditLog: audit) { client async throws in
            _ = try await client.logIn()
            _ = try await client.logIn(key: "wrong-secret-guess")
        }
        await audit.close()
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains("\"who\":\"user:root\",\"source\":\"127.0.0.1\",\"action\":\"admin_login\""))
        #expect(text.contains("\"verdict\":\"unauthenticated\""))
        #expect(!text.contains("wrong-secret-guess"))
        #expect(!text.contains(Situation.adminKey))
    }
}
