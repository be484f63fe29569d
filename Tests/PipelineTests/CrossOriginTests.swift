import Admission
import HTTP1
import Pipeline
import S3API
import Testing

@Suite("Pages of other origins") struct CrossOriginTests {
    private func preflight(
        _ origin: String,
        _ method: String,
        _ headers: String? = nil,
        target: String = "/web/a/key"
    ) -> Call {
        var call = Call("OPTIONS", target).with("origin", origin).with("access-control-request-method", method)
        if let headers { call = call.with("access-control-request-headers", headers) }
        return call
    }

    /// The answer as the client gets it.
    private func answer(_ decision: Decision) throws -> (reply: Reply, fields: FieldBlock) {
        let reply = try decision.reply()
        return (reply, decision.crossOrigin?.added(to: reply.fields) ?? reply.fields)
    }

    private static let vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"

    // MARK: - Preflights

    @Test("A preflight is answered without a credential by the first rule that allows all of it")
    func allowed() throws {
        var gate = Gate()
        let call = preflight("https://app.example.com", "PUT", "Content-Type, x-amz-meta-colour")
        let decision = try gate.decide(call)
        let (reply, fields) = try answer(decision)
        #expect(reply.status == 200 && reply.body.isEmpty)
        #expect(fields.string("access-control-allow-origin") == "https://app.example.com")
        #expect(fields.string("access-control-allow-credentials") == "true")
        #expect(fields.string("access-control-allow-methods") == "GET, PUT")
        #expect(fields.string("access-control-allow-headers") == "Content-Type, x-amz-meta-colour")
        #expect(fields.string("access-control-max-age") == "600")
        #expect(fields.string("vary") == Self.vary)
        let exposed = try #require(fields.string("access-control-expose-headers"))
        #expect(exposed.hasPrefix("ETag, Location, x-amz-request-id, x-amz-version-id, x-amz-checksum-"))
        #expect(exposed.hasSuffix(", x-amz-meta-colour"), "those of the rule come after, none twice")
        #expect(decision.permit == nil && decision.principal == nil)
    }

    @Test("A rule for everybody answers with a star and without credentials")
    func everybody() throws {
        var gate = Gate()
        let fields = try answer(gate.decide(preflight("https://else.example", "GET", "x-anything"))).fields
        #expect(fields.string("access-control-allow-origin") == "*")
        #expect(fields.first("access-control-allow-credentials") == nil)
        #expect(fields.string("access-control-max-age") == "1")
    }

    @Test(
        "The first rule that matches in everything counts, not the first for the origin",
        arguments: [
            ("https://app.example.com", "GET", "content-type", "600"), ("https://app.example.com", "HEAD", "", "1"),
            ("https://app.example.com", "GET", "x-other", "1"), ("https://a.b.example.net", "DELETE", "", "60"),
            ("https://a.example.net", "GET", "", "1"), ("HTTPS://APP.EXAMPLE.COM", "PUT", "X-AMZ-DATE", "600"),
        ]
    )
    func firstMatch(_ origin: String, _ method: String, _ headers: String, _ maxAge: String) throws {
        var gate = Gate()
        let decision = try gate.decide(preflight(origin, method, headers))
        #expect(try answer(decision).fields.string("access-control-max-age") == maxAge)
    }

    @Test(
        "What no rule allows is 403, without a word of what would be",
        arguments: [
            ("https://else.example", "PUT", ""), ("https://app.example.com", "DELETE", ""),
            ("https://app.example.com", "PUT", "authorization"), ("https://app.example.com", "put", ""),
            ("https://app.example.com.evil.example", "PUT", ""), ("http://app.example.com", "PUT", ""),
            ("https://.example.net.evil", "DELETE", ""), ("https://example.net", "DELETE", ""), ("null", "PUT", ""),
            ("https://app.example.com", "PATCH", ""), ("https://app.example.com", "PUT", "x-amz-date, cookie"),
        ]
    )
    func refused(_ origin: String, _ method: String, _ headers: String) throws {
        var gate = Gate()
        let decision = try gate.decide(preflight(origin, method, headers))
        try expect(403, .accessForbidden, decision)
        let fields = try answer(decision).fields
        #expect(fields.entries.allSatisfy { !fields.hasPrefix($0, "access-control-") })
        #expect(fields.string("vary") == Self.vary)
    }

    @Test(
        "What is no preflight is 400",
        arguments: [
            Call("OPTIONS", "/web/k"), Call("OPTIONS", "/web/k").with("origin", "https://app.example.com"),
            Call("OPTIONS", "/web/k").with("access-control-request-method", "GET"),
            Call("OPTIONS", "/web/k").with("origin", "a").with("origin", "b").with(
                "access-control-request-method",
                "GET"
            ),
            Call("OPTIONS", "/web/k").with("origin", "a").with("access-control-request-method", "GET")
                .with("access-control-request-method", "PUT"),
        ]
    )
    func malformed(_ call: Call) throws {
        var gate = Gate()
        try expect(400, .badRequest, gate.decide(call))
    }

    @Test(
        "A bucket that does not exist, and what is no bucket, answer like one without rules",
        arguments: ["/nobodys/k", "/", "/UPPER/k", "/-/health"]
    )
    func nobody(_ target: String) throws {
        var gate = Gate()
        let reply = try gate.decide(preflight("https://app.example.com", "GET", target: target)).reply()
        #expect(reply.status == 403 && reply.code == "AccessForbidden")
    }

    @Test("The bucket may be in the host, and the key may be one that nobody could use")
    func addresses() throws {
        var gate = Gate()
        for call in [
            preflight("https://app.example.com", "PUT", target: "/a/key").on(host: "WEB.s3.example.com.:9000"),
            preflight("https://app.example.com", "PUT", target: "/web/../%zz"),
            preflight("https://app.example.com", "PUT", target: "/web"),
        ] {
            #expect(try gate.decide(call).reply().status == 200)
        }
    }

    // MARK: - Stores that answer themselves

    @Test("A bucket without rules asks its store, unsigned and under the store's names")
    func forwarded() throws {
        var gate = Gate()
        let call = preflight("https://app.example.com", "PUT", "content-type", target: "/prefixed/a b?x-id=1")
        let forward = try gate.decide(call.with("authorization", "secret").with("cookie", "c")).forward()
        #expect(forward.target == "/shared/v2/a%20b" && forward.request.method == .options)
        let names = forward.request.fields.entries.map { text(forward.request.fields.name($0)) }
        #expect(
            names == ["host", "origin", "access-control-request-method", "access-control-request-headers"]
        )
        let allowed = forward.given(
            200,
            [("Access-Control-Allow-Origin", "*"), ("Vary", "Origin"), ("Set-Cookie", "a=b"), ("x-other", "1")]
        )
        guard case .reply(let reply) = allowed else {
            Issue.record("no reply")
            return
        }
        #expect(reply.status == 200 && reply.fields.string("access-control-allow-origin") == "*")
        #expect(reply.fields.entries.count == 2 && reply.body.isEmpty)
        for (status, fields) in [(403, [("access-control-allow-origin", "*")]), (200, []), (500, []), (301, [])] {
            guard case .reply(let refusal) = forward.given(status, fields) else {
                Issue.record("no reply")
                return
            }
            #expect(refusal.status == 403 && refusal.code == "AccessForbidden")
        }
    }

    @Test("A preflight that a store must answer counts as an anonymous request")
    func limited() throws {
        var gate = Gate()
        gate.limits = RequestLimits(requests: try RateLimit(requests: "1/60s"))
        let call = preflight("https://app.example.com", "GET", target: "/photos/k")
        _ = try gate.decide(call).forward()
        try expect(429, .tooManyRequests, gate.decide(call))
        #expect(try gate.decide(preflight("https://app.example.com", "GET")).reply().status == 200)
    }

    @Test("The store hears the origin where its rules count, and its fields pass")
    func ofTheStore() throws {
        var gate = Gate()
        let decision = try gate.decide(Call("GET", "/photos/k").with("origin", "https://a.example").signed())
        #expect(decision.crossOrigin == nil)
        let forward = try decision.forward()
        #expect(forward.request.fields.string("origin") == "https://a.example")
        guard case .stream(_, let fields) = forward.given(200, [("access-control-allow-origin", "*")]) else {
            Issue.record("no stream")
            return
        }
        #expect(fields.string("access-control-allow-origin") == "*")
    }

    // MARK: - Requests

    @Test("An answer to a page of an allowed origin says so; the store's own rules do not count")
    func requests() throws {
        var gate = Gate()
        let decision = try gate.decide(Call("GET", "/web/k").with("origin", "https://app.example.com").signed())
        let forward = try decision.forward()
        #expect(forward.request.fields.first("origin") == nil)
        let answer = forward.given(200, [("Vary", "Accept-Encoding, origin"), ("access-control-allow-origin", "*")])
        guard case .stream(_, let passed) = answer else {
            Issue.record("no stream")
            return
        }
        let fields = try #require(decision.crossOrigin).added(to: passed)
        #expect(fields.count(of: "access-control-allow-origin") == 1)
        #expect(fields.string("access-control-allow-origin") == "https://app.example.com")
        #expect(fields.first("access-control-expose-headers") != nil && fields.first("access-control-max-age") == nil)
        #expect(fields.count(of: "vary") == 1)
        #expect(fields.string("vary") == "Accept-Encoding, " + Self.vary)
    }

    @Test("Errors carry the fields too, so that a page can read them")
    func errors() throws {
        var gate = Gate()
        let origin = ("origin", "https://app.example.com")
        for call in [
            Call("GET", "/web/k", [origin]), Call("GET", "/web/k", [origin]).signed(secret: "wrong"),
            Call("PUT", "/web/k?acl&tagging", [origin]).signed(), Call("GET", "/web/../k", [origin]),
            Call("GET", "/web/%zz", [origin]), Call("GET", "/web/k?a=%zz", [origin]),
            Call("GET", "/../x", [origin]).on(host: "web.s3.example.com"),
        ] {
            let (reply, fields) = try answer(gate.decide(call))
            #expect(reply.status >= 400)
            #expect(fields.string("access-control-allow-origin") == origin.1, "\(call)")
        }
        gate.auditIsHealthy = false
        gate.server = Gate.settings(requiresAudit: true)
        #expect(
            try answer(gate.decide(Call("GET", "/web/k", [origin]))).fields.first("access-control-allow-origin") != nil
        )
    }

    @Test("Without an origin, or with one that may not, the answer still says what it varies by")
    func varying() throws {
        var gate = Gate()
        for call in [
            Call("GET", "/web/k"), Call("PUT", "/web/k", [("origin", "https://else.example")], length: 1),
            Call("PUT", "/web/k", [("origin", "https://app.example.com"), ("origin", "https://b.example")], length: 1),
        ] {
            let fields = try answer(gate.decide(call)).fields
            #expect(fields.string("vary") == Self.vary)
            #expect(fields.entries.allSatisfy { !fields.hasPrefix($0, "access-control-") })
        }
        #expect(try gate.decide(Call("GET", "/photos/k").signed()).crossOrigin == nil)
    }

    /// A bucket with everything of its own, one without rules, and one that does not exist.
    private static let names = ["framed", "photos", "nobodys"]

    private func gateWithFrames() throws -> Gate {
        var gate = Gate()
        let name = try #require(BucketName(validating: "web"))
        let web = try #require(try gate.snapshot().bucket(name))
        gate.otherBuckets = [
            Bucket(
                name: try #require(BucketName(validating: "framed")),
                backend: web.backend,
                upstream: web.upstream,
                crossOrigin: CrossOriginRules([
                    CORSConfiguration.Rule(
                        allowedOrigins: ["https://app.example.com"],
                        allowedMethods: ["GET", "PUT"],
                        allowedHeaders: [],
                        exposedHeaders: [],
                        maxAgeSeconds: 5
                    )
                ]),
                hardening: Array("x-frame-options: SAMEORIGIN\r\n".utf8)
            )
        ]
        return gate
    }

    @Test(
        "Which buckets exist, and whose pages they trust, is told to strangers",
        arguments: [
            Call("GET", "/NAME/x"), Call("GET", "/NAME/x", [("origin", "https://else.example")]),
            Call("GET", "/NAME/x").with("x-api-key", "wrong"), Call("GET", "/NAME/x").signed(secret: "wrong"),
            Call("GET", "/NAME/x?gh-link=bad"),
            Call("GET", "/NAME/x?gh-link=bad", [("origin", "https://else.example")]),
            Call("GET", "/NAME?list-type=2"), Call("PUT", "/NAME/x", length: 1), Call("DELETE", "/NAME/x"),
            Call("GET", "/NAME/%zz"), Call("GET", "/NAME/x?a=%zz"), Call("GET", "/NAME/x").presigned(),
            Call("GET", "/NAME/x", [("origin", "https://app.example.com"), ("origin", "https://app.example.com")]),
            Call("DELETE", "/NAME/x", [("origin", "https://app.example.com")]),
            Call("OPTIONS", "/NAME/x"),
            Call("OPTIONS", "/NAME/x", [("origin", "https://else.example"), ("access-control-request-method", "GET")]),
            // Somebody is known, and has no right here.
            Call("PUT", "/NAME/x", length: 1).by(.watcher),
        ]
    )
    func strangers(_ call: Call) throws {
        var told: [[String]] = []
        for name in Self.names {
            var gate = try gateWithFrames()
            var call = call
            call.path = call.path.replacing("NAME", with: name)
            let decision = try gate.decide(call)
            // A store is asked for its own rules.
            guard call.method != "OPTIONS" || name != "photos" else { continue }
            let (reply, fields) = try answer(decision)
            #expect((400...403).contains(reply.status) || reply.status == 404)
            #expect(fields.string("vary") == Self.vary)
            told.append([
                "\(reply.status)", text(fields.bytes), text(decision.hardening),
                reply.text.replacing(name, with: "NAME"),
            ])
        }
        #expect(Set(told).count == 1)
    }

    @Test("Whoever has a right in the bucket is told what is the bucket's, where it fails too")
    func known() throws {
        var gate = try gateWithFrames()
        for call in [Call("GET", "/framed/x").signed(), Call("GET", "/framed/x").by(.root)] {
            let decision = try gate.decide(call)
            #expect(text(decision.hardening) == "x-frame-options: SAMEORIGIN\r\n")
            #expect(decision.crossOrigin != nil)
        }
        // A page that the rules allow may read why it was refused.
        let refused = try gate.decide(Call("GET", "/framed/x", [("origin", "https://app.example.com")]))
        #expect(try answer(refused).fields.string("access-control-allow-origin") == "https://app.example.com")
        #expect(refused.hardening.isEmpty)
    }

    @Test("A store's star in Vary stays what it is")
    func varyingByEverything() throws {
        var gate = Gate()
        var fields = FieldBlock()
        fields.append("vary", "*")
        let added = try #require(gate.decide(Call("GET", "/web/k")).crossOrigin).added(to: fields)
        #expect(added.string("vary") == "*" && added.count(of: "vary") == 1)
    }

    // MARK: - Our own paths

    @Test("Our own paths have the server's rules")
    func ownPaths() throws {
        var gate = Gate()
        gate.server = ServerSettings(
            domains: ["s3.example.com"],
            crossOrigin: CrossOriginRules([
                CORSConfiguration.Rule(
                    allowedOrigins: ["https://app.example.com"],
                    allowedMethods: ["GET"],
                    allowedHeaders: ["x-api-key"],
                    exposedHeaders: [],
                    maxAgeSeconds: 5
                )
            ])
        )
        let asked = try gate.decide(preflight("https://app.example.com", "GET", "x-api-key", target: "/-/health"))
        #expect(try answer(asked).fields.string("access-control-allow-origin") == "https://app.example.com")
        let read = try gate.decide(Call("GET", "/-/health").with("origin", "https://app.example.com"))
        #expect(try answer(read).fields.string("access-control-allow-origin") == "https://app.example.com")
        try expect(403, .accessForbidden, gate.decide(preflight("https://b.example", "GET", target: "/-/health")))
        // A bucket's key on a virtual host is none of our paths.
        let key = preflight("https://app.example.com", "PUT", target: "/-/health").on(host: "web.s3.example.com")
        #expect(try gate.decide(key).reply().status == 200)
    }
}
