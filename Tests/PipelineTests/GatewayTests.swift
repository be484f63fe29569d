import HTTP1
import Identity
import Pipeline
import S3API
import Signatures
import Testing
import WireFormats

@Suite("Gateway authorization: asked by another gateway, answered with what the store accepts")
struct GatewayTests {
    private static func gate(_ rules: GatewayRules = rules(), tokens: any TokenVerifier = NoTokens()) -> Gate {
        var gate = Gate(tokens: tokens)
        gate.gateways = rules
        return gate
    }

    private static func rules(secret: String? = nil, stripPrefix: String = "/s3") -> GatewayRules {
        GatewayRules(
            gateways: [CIDR("10.0.0.0/8")].compactMap(\.self),
            sharedSecret: secret.map { Secret($0) },
            stripPrefix: stripPrefix
        )
    }

    private static let gateway = "10.1.2.3"

    /// The check that a gateway makes of it of a client's request.
    private func check(_ dialect: GatewayDialect, _ call: Call) -> Call {
        let target = call.path + (call.query.map { "?" + $0 } ?? "")
        var check: Call
        switch dialect {
        case .envoy:
            check = Call(call.method, "/-/authz/envoy" + target, call.fields)
            check.host = call.host
        case .nginx:
            check = Call("GET", "/-/authz/nginx", call.fields)
                .with("x-original-method", call.method).with("x-original-uri", target)
            check.host = call.host
        case .traefik, .caddy:
            check = Call("GET", "/-/authz/" + dialect.rawValue, call.fields).with("x-forwarded-method", call.method)
                .with("x-forwarded-uri", target).with("x-forwarded-host", call.host)
            check.host = "gatehouse:9000"
        }
        return check
    }

    private func decide(
        _ dialect: GatewayDialect,
        _ call: Call,
        by gate: Gate = gate(),
        from peer: String = gateway
    ) throws -> Decision {
        var gate = gate
        return try gate.decide(check(dialect, call), from: peer)
    }

    /// What the store will see, and whether its signature holds for that.
    private func expectSigned(
        _ decision: Decision,
        _ method: String,
        _ target: String,
        _ fields: [(String, String)] = [],
        host: String = "north",
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let reply = try decision.reply(location)
        #expect(reply.status == 200, "\(decision.reason)", sourceLocation: location)
        guard reply.status == 200 else { return }
        var sent = Call(method, target, fields).on(host: host)
        for name in ["authorization", "x-amz-date", "x-amz-content-sha256"] {
            let value = reply.fields.entries.first { text(reply.fields.name($0)) == name }
            sent = sent.with(name, text(reply.fields.value(try #require(value))))
        }
        #expect(reply.fields.string("x-gatehouse-upstream-path") == sent.path, sourceLocation: location)
        #expect(reply.fields.string("x-gatehouse-upstream-host") == host, sourceLocation: location)
        let head = sent.head
        let query = try Query(parsing: head.query ?? [])
        var keys = SigningKeyCache()
        _ = try SigV4.verify(
            try #require(try PresentedSignature.find(in: head, query: query)),
            head: head,
            query: query,
            hosts: [Array(host.utf8)],
            secret: Secret("store-secret"),
            now: noon,
            region: "eu-west-1",
            keys: &keys
        )
    }

    @Test("A browser's preflight passes without a credential, with nothing signed", arguments: GatewayDialect.allCases)
    func preflight(dialect: GatewayDialect) throws {
        let fields = [("origin", "https://app.example.com"), ("access-control-request-method", "PUT")]
        let call = Call("OPTIONS", "/s3/renamed/a%20b", fields)
        let decision = try decide(dialect, call)
        let reply = try decision.reply()
        #expect(reply.status == 200 && decision.outcome == .allowed)
        #expect(reply.fields.string("authorization") == nil && reply.fields.string("x-amz-date") == nil)
        #expect(reply.fields.string("x-gatehouse-upstream-path") == "/at-the-store/a%20b")
        #expect(reply.fields.string("x-gatehouse-upstream-host") == "north")
        for name in ["authorization", "x-api-key", "x-amz-security-token", "cookie"] {
            #expect(try decide(dialect, call.with(name, "x")).reply().status == 403, "\(name)")
        }
        for wrong in [
            Call("OPTIONS", "/s3/renamed/a", [fields[0]]), Call("OPTIONS", "/s3/renamed/a", [fields[1]]),
            // Rules of our own, a folder, and what is nobody's.
            Call("OPTIONS", "/s3/web/a", fields), Call("OPTIONS", "/s3/local/a", fields),
            Call("OPTIONS", "/s3/nowhere/a", fields), Call("OPTIONS", "/s3/renamed/a?X-Amz-Signature=x", fields),
            Call("OPTIONS", "/s3/renamed/../x", fields),
        ] { #expect(try decide(dialect, wrong).reply().status == 403, "\(wrong.testDescription)") }
    }

    @Test("Guessing through a gateway that tells no address is slowed down, and lets the others through")
    func guessing() throws {
        var gate = Self.gate()
        var outcomes: Set<String> = []
        var statuses: Set<Int> = []
        for number in 0..<200 {
            let guess = check(.nginx, Call("GET", "/s3/photos/a").with("x-api-key", "guess\(number)"))
            let decision = try gate.decide(guess, from: Self.gateway)
            outcomes.insert("\(decision.outcome)")
            statuses.insert(try decision.reply().status)
        }
        #expect(outcomes == ["unauthenticated", "limited"])
        #expect(statuses == [401, 403])
        #expect(
            try gate.decide(check(.nginx, Call("GET", "/s3/photos/a").by(.alice)), from: Self.gateway).reply().status
                == 200
        )
        let elsewhere = check(.nginx, Call("GET", "/s3/photos/a").with("x-api-key", "guess"))
        #expect(try gate.decide(elsewhere, from: "10.9.9.9").reply().status == 401)
    }

    @Test(
        "Every dialect's question is answered with a signature for what the store receives",
        arguments: GatewayDialect.allCases,
        [
            ("GET", "/s3/photos/a.txt", "/photos/a.txt"), ("HEAD", "/s3/photos/a.txt", "/photos/a.txt"),
            ("PUT", "/s3/photos/a%20b", "/photos/a%20b"), ("DELETE", "/s3/photos/x/y", "/photos/x/y"),
            ("GET", "/s3/photos", "/photos"),
            (
                "GET", "/s3/photos?list-type=2&prefix=a%2Bb%20c&x-id=ListObjectsV2",
                "/photos?list-type=2&prefix=a%2Bb%20c&x-id=ListObjectsV2"
            ),
            ("GET", "/s3/photos/a%2B%28b%29%C3%A4//c%3Bd", "/photos/a%2B%28b%29%C3%A4//c%3Bd"),
            ("POST", "/s3/photos/big?uploads", "/photos/big?uploads="),
            ("PUT", "/s3/photos/big?partNumber=1&uploadId=u", "/photos/big?partNumber=1&uploadId=u"),
        ]
    )
    func signsForTheStore(dialect: GatewayDialect, request: (String, String, String)) throws {
        let (method, target, stored) = request
        let decision = try decide(dialect, Call(method, target).signed())
        try expectSigned(decision, method, stored)
        #expect(decision.outcome == .allowed)
        #expect(decision.reason.hasPrefix(dialect.rawValue + ": "))
        #expect(decision.principal == .key("akfull"))
    }

    @Test("Names at the store are those that are signed, and all x-amz- fields that came")
    func mapsNames() throws {
        let root = Call("PUT", "/s3/prefixed/k").with("x-amz-meta-colour", "blue  green").by(.root)
        try expectSigned(
            try decide(.nginx, root),
            "PUT",
            "/shared/v2/k",
            [("x-amz-meta-colour", "blue  green")]
        )
        try expectSigned(
            try decide(.traefik, Call("GET", "/s3/photos/a+(b)//c;d").by(.root)),
            "GET",
            "/photos/a%2B%28b%29//c%3Bd"
        )
        try expectSigned(try decide(.caddy, Call("GET", "/s3/renamed/k").by(.root)), "GET", "/at-the-store/k")
        try expectSigned(try decide(.envoy, Call("GET", "/s3/far/k").by(.root)), "GET", "/far/k", host: "south")
    }

    @Test(
        "A field that another kind of storage would take for part of the request, or for its method, is nowhere carried along",
        arguments: ["photos", "azured", "googled"]
    )
    func foreignFields(bucket: String) throws {
        var gate = Self.gate()
        gate.hasOtherKinds = true
        let call = Call("GET", "/s3/\(bucket)/a").by(.root)
        for dialect in GatewayDialect.allCases {
            #expect(try decide(dialect, call, by: gate).reply().status == 200)
            for name in [
                "x-goog-copy-source", "X-Goog-Acl", "x-goog-meta-a", "x-ms-copy-source", "X-MS-Blob-Type",
                "x-oss-copy-source", "X-Obs-Acl", "x-cos-copy-source", "X-Minio-Force-Delete",
            ] {
                let decision = try decide(dialect, call.with(name, "/other/secret"), by: gate)
                #expect(try decision.reply().status == 403, "\(name)")
                #expect(decision.reason.hasSuffix("a field of another kind of storage"))
            }
            for name in ["X-HTTP-Method-Override", "x-http-method", "X-Method-Override"] {
                let decision = try decide(dialect, call.with(name, "DELETE"), by: gate)
                #expect(try decision.reply().status == 403, "\(name)")
                #expect(decision.reason.hasSuffix("a field that names another method"))
            }
        }
    }

    @Test("Credentials of every kind count, and Envoy is told to take them away")
    func credentials() throws {
        for dialect in GatewayDialect.allCases {
            let reply = try decide(dialect, Call("GET", "/s3/photos/a").by(.alice)).reply()
            #expect(reply.status == 200)
            #expect(reply.fields.string("x-amz-content-sha256") == "UNSIGNED-PAYLOAD")
            let removed = reply.fields.string("x-envoy-auth-headers-to-remove")
            #expect((removed != nil) == (dialect == .envoy))
            for name in ["x-api-key", "cookie", "x-amz-security-token"] where dialect == .envoy {
                #expect(removed?.split(separator: ",").contains(Substring(name)) ?? false)
            }
            #expect(try decide(dialect, Call("GET", "/s3/public/a")).reply().status == 200)
        }
    }

    @Test("Nobody and strangers hear 401, who may not hears 403, and nothing else is ever said")
    func refusals() throws {
        let refused: [(Call, Int)] = [
            (Call("GET", "/s3/photos/a"), 401),
            (Call("GET", "/s3/photos/a").with("x-api-key", "stranger"), 401),
            (Call("GET", "/s3/photos/a").signed(secret: "wrong"), 401),
            (Call("GET", "/s3/photos/a").signed(by: .expired), 401),
            (Call("GET", "/s3/photos/a").signed(at: noon + .seconds(3600)), 401),
            (Call("GET", "/s3/photos/a").with("authorization", "Bearer abc"), 401),
            (Call("GET", "/s3/docs/a").by(.alice), 403),
            (Call("PUT", "/s3/photos/a").by(.watcher), 403),
            (Call("GET", "/s3/nowhere/a").by(.root), 403),
            (Call("GET", "/s3/photos/a?color=red").by(.root), 403),
            (Call("PATCH", "/s3/photos/a").by(.root), 403),
            (Call("OPTIONS", "/s3/photos/a").by(.root), 403),
            (Call("get", "/s3/photos/a").by(.root), 403),
            (Call("GET", "/s3/photos/a").by(.root).with("x-amz-unknown", "1"), 403),
            (Call("GET", "/s3/local/a").by(.root), 403),
            (Call("GET", "/s3/free/a").by(.root), 403),
            (Call("GET", "/s3/").by(.root), 403),
            (Call("GET", "/s3").by(.root), 403),
            (Call("POST", "/s3/photos?delete").by(.root), 403),
            (Call("POST", "/s3/photos").by(.root).with("content-type", "multipart/form-data; boundary=x"), 403),
            (Call("GET", "/s3/prefixed?list-type=2").by(.root), 403),
            (Call("PUT", "/s3/photos/a?tagging").by(.root), 403),
            (Call("PUT", "/s3/photos/a").by(.root).with("x-amz-copy-source", "/photos/b"), 403),
            (Call("PUT", "/s3/photos/a").signed(payload: .chunked(.signed)), 403),
            (Call("GET", "/s3/photos/a").presigned(), 403),
            (Call("GET", "/s3/photos/a?X-AMZ-Foo=1").by(.root), 403),
            (Call("GET", "/s3/photos/a?Signature=1&AWSAccessKeyId=2&Expires=3"), 403),
            (Call("GET", "/s3/photos/a?gh-link=abc"), 403),
            (Call("GET", "/a").on(host: "photos.s3.example.com").by(.root), 403),
            (Call("GET", "/s3/a").on(host: "photos.s3.example.com").by(.root), 403),
        ]
        for (call, status) in refused {
            for dialect in GatewayDialect.allCases {
                let decision = try decide(dialect, call)
                let reply = try decision.reply()
                #expect(reply.status == status, "\(dialect) \(call.testDescription): \(decision.reason)")
                #expect(reply.body.count < 512)
                #expect(decision.outcome != .undecided)
                #expect(!decision.reason.isEmpty)
                #expect(reply.fields.first("x-gatehouse-upstream-path") == nil)
            }
        }
    }

    @Test(
        "A path that two readers could take differently is refused, whoever asks",
        arguments: [
            "/s3/photos/../docs/a", "/s3/photos/./a", "/s3/photos/a/..", "/s3/photos/%2e%2e/docs/a",
            "/s3/photos/%2E./a", "/s3/photos/..;x/docs/a", "/s3/photos/..%3bx/docs/a", "/s3/photos/..%2fdocs/a",
            "/s3/photos\\..\\docs/a", "/s3/photos/a%5cb", "/s3/photos/%00", "/s3/photos%2fa", "/s3/photos%2Fa/b",
            "/s3%2fphotos/a", "/%733/photos/a", "/S3/photos/a", "//s3/photos/a", "/s3//photos/a", "/s3/%70hotos/a",
            "/s3/Photos/a", "/s3/photos;v=1/a", "/s3photos/a", "/photos/a", "/s3/../s3/photos/a", "/s3/photos/%zz",
            "/s3/photos/%c0%ae%c0%ae/a", "/s3/photos/%",
        ]
    )
    func confusingPaths(path: String) throws {
        for dialect in GatewayDialect.allCases {
            #expect(try decide(dialect, Call("GET", path).by(.root)).reply().status == 403, "\(dialect)")
        }
    }

    @Test("Only gateways are answered, by where they connect from and by their secret; to all others there is nothing")
    func onlyGateways() throws {
        let read = Call("GET", "/s3/photos/a").by(.root)
        for dialect in GatewayDialect.allCases {
            #expect(try decide(dialect, read, from: "192.0.2.7").reply().status == 404)
            #expect(try decide(dialect, read, by: Self.gate(GatewayRules())).reply().status == 404)
            #expect(
                try decide(dialect, read.with("x-forwarded-for", Self.gateway), from: "192.0.2.7").reply().status == 404
            )
            let guarded = Self.gate(Self.rules(secret: "between us"))
            #expect(try decide(dialect, read, by: guarded).reply().status == 404)
            let said = read.with("x-gatehouse-gateway", "between us")
            #expect(try decide(dialect, said, by: guarded).reply().status == 200)
            #expect(
                try decide(dialect, said.with("x-gatehouse-gateway", "between us"), by: guarded).reply().status == 404
            )
            #expect(
                try decide(dialect, read.with("x-gatehouse-gateway", "between them"), by: guarded).reply().status == 404
            )
        }
        var trusting = Self.gate()
        trusting.server = ServerSettings(trustedProxies: [CIDR("192.0.2.7")].compactMap(\.self))
        #expect(
            try decide(.nginx, read.with("x-forwarded-for", Self.gateway), by: trusting, from: "192.0.2.7").reply()
                .status == 404
        )
    }

    @Test(
        "A question that leaves open what it asks about is denied",
        arguments: [
            Call("GET", "/-/authz/nginx").with("x-original-uri", "/s3/photos/a"),
            Call("GET", "/-/authz/nginx").with("x-original-method", "GET"),
            Call("GET", "/-/authz/nginx").with("x-original-method", "GET").with("x-original-uri", "/s3/photos/a")
                .with("X-Original-URI", "/s3/docs/a"),
            Call("GET", "/-/authz/nginx").with("x-original-method", "GET").with("x-original-method", "PUT")
                .with("x-original-uri", "/s3/photos/a"),
            Call("GET", "/-/authz/nginx").with("x-original-method", "GET").with("x-original-uri", "s3/photos/a"),
            Call("GET", "/-/authz/nginx").with("x-original-method", "GET").with("x-original-uri", "/s3/photos/a b"),
            Call("GET", "/-/authz/nginx").with("x-original-method", "GET").with("x-original-uri", "/s3/photos/a#b"),
            Call("GET", "/-/authz/nginx").with("x-original-method", "GET").with("x-original-uri", "/s3/photos/ä"),
            Call("GET", "/-/authz/nginx").with("x-original-method", "GET ").with("x-original-uri", "/s3/photos/a"),
            Call("GET", "/-/authz/nginx/s3/photos/a").with("x-original-method", "GET")
                .with("x-original-uri", "/s3/photos/a"),
            Call("GET", "/-/authz/traefik").with("x-original-method", "GET").with("x-original-uri", "/s3/photos/a"),
            Call("GET", "/-/authz/caddy").with("x-forwarded-method", "GET").with("x-forwarded-uri", "/s3/photos/a")
                .with("x-forwarded-host", "a").with("x-forwarded-host", "b"),
            Call("GET", "/-/authz/caddy").with("x-forwarded-method", "GET").with("x-forwarded-uri", ""),
            Call("GET", "/-/authz/envoy"),
            Call("GET", "/-/authz/nginx").with("x-original-method", "GET").with("x-original-uri", "/s3/photos/a")
                .with("x-original-content-length", "1e3"),
        ]
    )
    func ambiguousQuestions(call: Call) throws {
        var gate = Self.gate()
        #expect(try gate.decide(call.by(.root), from: Self.gateway).reply().status == 403)
    }

    @Test("A signature is verified against the path that was sent, with the length that the gateway says it had")
    func signedPath() throws {
        #expect(try decide(.traefik, Call("GET", "/s3/photos/a").signed()).reply().status == 200)
        var moved = Call("GET", "/photos/a").signed()
        moved.path = "/s3/photos/a"
        #expect(try decide(.traefik, moved).reply().status == 401)
        let elsewhere = Call("GET", "/s3/photos/a").signed().on(host: "other.example.com")
        #expect(try decide(.caddy, elsewhere).reply().status == 401)
        let bare = Self.gate(Self.rules(stripPrefix: ""))
        #expect(try decide(.nginx, Call("GET", "/photos/a").signed(), by: bare).reply().status == 200)
    }

    @Test("Sizes are held where they are known, and where they have to be known")
    func sizes() throws {
        var gate = Self.gate()
        gate.server = Gate.settings(maxObjectSize: 100)
        let write = Call("PUT", "/s3/photos/a").by(.root)
        #expect(try decide(.nginx, write, by: gate).reply().status == 403)
        for (length, status) in [("100", 200), ("101", 403)] {
            let told = write.with("x-original-content-length", length)
            #expect(try decide(.nginx, told, by: gate).reply().status == status)
        }
        #expect(try decide(.nginx, Call("POST", "/s3/photos/a?uploadId=u").by(.root), by: gate).reply().status == 403)
        #expect(try decide(.nginx, Call("POST", "/s3/photos/a?uploadId=u").by(.root)).reply().status == 200)
    }

    @Test("The client's address is what a trusted gateway says, and otherwise nobody's")
    func addresses() throws {
        let read = Call("GET", "/s3/photos/a").by(.root)
        #expect(try decide(.nginx, read.with("x-forwarded-for", "192.0.2.9")).client == nil)
        var trusting = Self.gate()
        trusting.server = ServerSettings(trustedProxies: [CIDR("10.0.0.0/8")].compactMap(\.self))
        let told = try decide(.nginx, read.with("x-forwarded-for", "192.0.2.9"), by: trusting)
        #expect(told.client == IPAddress("192.0.2.9"))
        #expect(try decide(.nginx, read, by: trusting).client == nil)
    }

    @Test("Tokens are verified as for any request")
    func tokens() async throws {
        let identity = TokenIdentity(
            provider: "auth",
            subject: "photos",
            claims: ["sub": "photos"],
            expiresAt: noon + .seconds(60)
        )
        var gate = Self.gate(tokens: Unhurried(finding: .verified(identity)))
        let call = check(.envoy, Call("GET", "/s3/photos/a").with("authorization", "Bearer abc.def.ghi"))
        let first = try gate.decide(call, from: Self.gateway)
        guard case .wait(let make) = first.plan, case .reconsider(let findings) = await make() else {
            Issue.record("it did not wait")
            return
        }
        #expect(!first.isFinal)
        try expectSigned(try gate.decide(call, from: Self.gateway, knowing: findings), "GET", "/photos/a")
    }

    @Test("Nothing passes that could not be written down")
    func audit() throws {
        var gate = Self.gate()
        gate.server = Gate.settings(requiresAudit: true)
        gate.auditIsHealthy = false
        #expect(try decide(.envoy, Call("GET", "/s3/photos/a").by(.root), by: gate).reply().status == 403)
    }
}

/// Finds what it was made with, but not at once.
private struct Unhurried: TokenVerifier {
    let finding: TokenFinding

    func known(_ token: BearerToken, under snapshot: Snapshot, at now: Instant) -> TokenFinding? { nil }

    func verify(_ token: BearerToken, under snapshot: Snapshot, at now: Instant) async -> TokenFinding { finding }
}
