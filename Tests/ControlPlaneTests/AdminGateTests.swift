import ControlPlane
import Foundation
import Synchronization
import Testing

/// Who gets in at the admin listener, and who does not.
@Suite(.timeLimit(.minutes(10))) struct AdminGateTests {
    private let admin = ("x-api-key", Situation.adminKey)

    @Test func healthReadinessAndMetricsAreOpenToProbesByAnyName() async throws {
        let situation = Situation()
        try await withListener(situation) { client async throws in
            #expect(try await client.send("GET", "/-/health", host: "pod.cluster.local").status == 200)
            let ready = try await client.send("GET", "/-/ready", host: "10.1.2.3:9001")
            #expect(ready.status == 200)
            #expect(ready.body.contains("\"pending_restart\":[\"server.listen\"]"))
            let metrics = try await client.send("GET", "/metrics", host: "prometheus-target")
            #expect(metrics.status == 200)
            #expect(metrics.field("content-type")?.hasPrefix("text/plain; version=0.0.4") == true)
            #expect(metrics.body.contains("gatehouse_build_info{version=\"9.9.9\"} 1"))
            situation.ready.store(false, ordering: .relaxed)
            #expect(try await client.send("GET", "/-/ready").status == 503)
        }
    }

    @Test(arguments: [
        ("GET", "/api/config"), ("GET", "/api/status"), ("POST", "/api/reload"), ("GET", "/"), ("POST", "/logout"),
        ("GET", "/unknown"), ("GET", "/-/healthy"), ("GET", "/metrics/x"), ("GET", "//metrics"), ("GET", "/API/config"),
        ("HEAD", "/api/config"), ("DELETE", "/api/config"), ("GET", "/-/health/../../api/config"),
        ("GET", "/api/config?x=/metrics"), ("GET", "/api%2Fconfig"),
    ])
    func everythingElseNeedsAnAdmin(method: String, path: String) async throws {
        let situation = Situation()
        try await withListener(situation) { client async throws in
            let answer = try await client.send(method, path)
            #expect(answer.status == 401, "\(method) \(path)")
            #expect(situation.reloads.load(ordering: .relaxed) == 0)
        }
    }

    @Test func aBrowserIsSentToTheLoginForm() async throws {
        try await withListener { client async throws in
            let answer = try await client.send("GET", "/", [("accept", "text/html,*/*")])
            #expect(answer.status == 303)
            #expect(answer.field("location") == "/login")
        }
    }

    @Test func anAdminsKeyOpensTheAPI() async throws {
        try await withListener { client async throws in
            let config = try await client.send("GET", "/api/config", [admin])
            #expect(config.status == 200)
            #expect(config.body.contains("\"api_key\":\"***\""))
            let status = try await client.send("GET", "/api/status", [admin])
            #expect(status.body.contains("\"name\":\"photos\""))
            let head = try await client.send("HEAD", "/api/status", [admin])
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
        }
    }

    @Test func otherKeysDoNot() async throws {
        try await withListener { client async throws in
            #expect(try await client.send("GET", "/api/config", [("x-api-key", Situation.userKey)]).status == 403)
            #expect(try await client.send("GET", "/api/config", [("x-api-key", "guess")]).status == 401)
            #expect(try await client.send("GET", "/api/config", [("x-api-key", "")]).status == 401)
            #expect(try await client.send("GET", "/api/config", [admin, admin]).status == 400)
        }
    }

    @Test(arguments: [
        "evil.example", "evil.example:{port}", "127.0.0.1:1", "127.0.0.1", "127.0.0.1.evil.example:{port}",
    ])
    func aNameThatIsNotOursIsMisdirected(host: String) async throws {
        try await withListener { client async throws in
            let host = host.replacingOccurrences(of: "{port}", with: String(client.port))
            #expect(try await client.send("GET", "/api/config", [admin], host: host).status == 421, "\(host)")
            #expect(try await client.send("GET", "/login", host: host).status == 421, "\(host)")
        }
    }

    @Test func loopbackNamesAndAllowedHostsAreOurs() async throws {
        try await withListener(allowedHosts: ["Admin.Example.com", "other.example:8443"]) { client async throws in
            for host in [
                "localhost:\(client.port)", "[::1]:\(client.port)", "admin.example.com", "admin.example.com:443",
                "other.example:8443", "LOCALHOST:\(client.port)",
            ] {
                #expect(try await client.send("GET", "/api/config", [admin], host: host).status == 200, "\(host)")
            }
            #expect(try await client.send("GET", "/api/config", [admin], host: "other.example").status == 421)
        }
    }

    @Test(arguments: ["null", "http://evil.example", "https://127.0.0.1.evil.example", "file://", ""])
    func aForeignOriginIsForbidden(origin: String) async throws {
        let situation = Situation()
        try await withListener(situation) { client async throws in
            let answer = try await client.send("POST", "/api/reload", [admin, ("origin", origin)])
            #expect(answer.status == 403)
            #expect(situation.reloads.load(ordering: .relaxed) == 0)
            #expect(try await client.send("POST", "/login", [("origin", origin)], form: "api_key=x").status == 403)
        }
    }

    @Test func ourOwnOriginPasses() async throws {
        try await withListener { client async throws in
            let origin = ("origin", "http://127.0.0.1:\(client.port)")
            #expect(try await client.send("POST", "/api/reload", [admin, origin]).status == 200)
        }
    }

    @Test(arguments: ["127.0.0.1", "0.0.0.0"])
    func aPageAtAnotherAddressPassesForOurs(listening: String) async throws {
        let situation = Situation()
        try await withListener(situation, on: listening, allowedHosts: ["admin.example.com"]) { client async throws in
            let port = client.port
            for origin in [
                "http://203.0.113.5:\(port)", "http://[2001:db8::5]:\(port)", "http://localhost:\(port)",
                "http://127.0.0.1:1", "http://127.0.0.1", "https://127.0.0.1", "http://127.0.0.1:\(port)/",
                "http://x@127.0.0.1:\(port)", "http://127.0.0.1:\(port):\(port)", "ftp://127.0.0.1:\(port)",
                "http://admin.example.com.evil.example",
            ] {
                let answer = try await client.send("POST", "/api/reload", [admin, ("origin", origin)])
                #expect(answer.status == 403, "\(origin)")
                #expect(try await client.send("POST", "/login", [("origin", origin)], form: "api_key=x").status == 403)
            }
            #expect(situation.reloads.load(ordering: .relaxed) == 0)
            for (host, origin) in [
                ("127.0.0.1:\(port)", "http://127.0.0.1:\(port)"), ("127.0.0.1:\(port)", "https://127.0.0.1:\(port)"),
                ("LOCALHOST:\(port)", "http://localhost:\(port)"), ("127.0.0.1:\(port)", "https://admin.example.com"),
                ("admin.example.com", "http://admin.example.com"), ("admin.example.com:80", "HTTP://admin.example.com"),
            ] {
                let answer = try await client.send("POST", "/api/reload", [admin, ("origin", origin)], host: host)
                #expect(answer.status == 200, "\(host) \(origin)")
            }
        }
    }

    @Test func aReloadThatFailsSaysWhy() async throws {
        let situation = Situation()
        situation.reloadSucceeds.store(false, ordering: .relaxed)
        try await withListener(situation) { client async throws in
            let answer = try await client.send("POST", "/api/reload", [admin])
            #expect(answer.status == 422)
            #expect(answer.body.contains("gatehouse.toml:3: unknown key"))
        }
    }

    @Test func wrongKeysAreLimitedPerAddressAndRightOnesNever() async throws {
        let situation = Situation()
        try await withListener(situation) { client async throws in
            for _ in 0..<10 {
                #expect(try await client.send("GET", "/api/status", [("x-api-key", "guess")]).status == 401)
            }
            // Behind a proxy, everybody comes from one address.
            #expect(try await client.send("GET", "/api/status", [admin]).status == 200)
            let limited = try await client.send("GET", "/api/status", [("x-api-key", "guess")])
            #expect(limited.status == 429)
            #expect((limited.field("retry-after").flatMap(Int.init) ?? 0) > 0)
            #expect(try await client.send("GET", "/-/health").status == 200)
            situation.seconds.add(301, ordering: .relaxed)
            #expect(try await client.send("GET", "/api/status", [("x-api-key", "guess")]).status == 401)
        }
    }

    @Test func rightKeysAreNotLimited() async throws {
        try await withListener { client async throws in
            for _ in 0..<25 { #expect(try await client.send("GET", "/api/status", [admin]).status == 200) }
        }
    }

    @Test(arguments: ["/", "/-/health", "/login", "/unknown", "/metrics"])
    func everyAnswerIsHardened(path: String) async throws {
        try await withListener { client async throws in
            let answer = try await client.send("GET", path)
            #expect(answer.field("x-content-type-options") == "nosniff")
            #expect(answer.field("x-frame-options") == "DENY")
            #expect(answer.field("content-security-policy")?.hasPrefix("default-src 'self'") == true)
            #expect(answer.field("cache-control") == "no-store")
            #expect(answer.field("referrer-policy") == "same-origin")
        }
    }

    @Test(arguments: ["/", "/-/health", "/-/ready", "/api/status", "/unknown", "/metrics"])
    func everyAnswerHasAnIdOfItsOwn(path: String) async throws {
        try await withListener { client async throws in
            var ids: Set<String> = []
            for host in [nil, nil, "evil.example.com"] {
                let answer = try await client.send("GET", path, host: host)
                ids.insert(answer.field("x-amz-request-id") ?? "")
            }
            #expect(ids.count == 3 && ids.allSatisfy { $0.utf8.count == 16 })
        }
    }

    @Test(arguments: ["/-/health", "/login", "/unknown"])
    func browsersStayWithHTTPSWhereClientsUseIt(path: String) async throws {
        let situation = Situation()
        try await withListener(situation) { client async throws in
            #expect(try await client.send("GET", path).field("strict-transport-security") == nil)
            situation.isReachedOverTLS.store(true, ordering: .relaxed)
            #expect(try await client.send("GET", path).field("strict-transport-security") == "max-age=31536000")
        }
    }

    @Test func errorsAreWordedAsJSON() async throws {
        try await withListener { client async throws in
            let answer = try await client.send("GET", "/unknown", [admin])
            #expect(answer.status == 404)
            #expect(answer.body.contains("\"code\":\"NotFound\""))
        }
    }
}
