import Admission
import HTTP1
import Identity
import Pipeline
import S3API
import Testing
import WireFormats

@Suite("Routes: carried, redirected, or whichever fits")
struct RouteDeliveryTests {
    // MARK: - Carried

    @Test("Ranges and conditions reach the store; what browsers would run is put into a sandbox")
    func carried() throws {
        var gate = Gate([try route("/f/{id}", key: "{id}")])
        let call = Call("GET", "/f/7", [("range", "bytes=1-2"), ("if-range", "\"e\""), ("origin", "https://a.b")])
        let forward = try gate.decide(call.withToken).forward()
        #expect(forward.request.fields.string("range") == "bytes=1-2")
        #expect(forward.request.fields.string("if-range") == "\"e\"")
        #expect(forward.request.fields.string("origin") == nil)
        for (type, isSandboxed) in [
            ("text/html; charset=utf-8", true), ("TEXT/HTML", true), ("image/svg+xml", true), ("application/xml", true),
            ("text/xml", true), ("application/xhtml+xml", true), ("", true), ("nonsense", true), ("image/png", false),
            ("application/pdf", false), ("text/plain", false), ("video/mp4", false),
        ] {
            guard case .stream(_, let fields) = forward.given(206, [("content-type", type)]) else {
                Issue.record("not carried")
                continue
            }
            #expect((fields.string("content-security-policy") == "sandbox") == isSandboxed, "\(type)")
        }
        guard case .stream(_, let untyped) = forward.given(200) else { throw OtherPlan() }
        #expect(untyped.string("content-security-policy") == "sandbox")
    }

    @Test("Type and disposition are the route's where it has some, and caches keep what is one caller's to that caller")
    func overrides() throws {
        var gate = Gate([
            try route("/f/{id}", key: "{id}", disposition: "attachment", type: "application/octet-stream")
        ])
        let forward = try gate.decide(Call("GET", "/f/7").withToken).forward()
        let stored = [("content-type", "text/html"), ("content-disposition", "inline"), ("etag", "\"e\"")]
        guard case .stream(200, let fields) = forward.given(200, stored) else { throw OtherPlan() }
        #expect(fields.count(of: "content-type") == 1)
        #expect(fields.string("content-type") == "application/octet-stream")
        #expect(fields.count(of: "content-disposition") == 1)
        #expect(fields.string("content-disposition") == "attachment")
        #expect(fields.string("etag") == "\"e\"")
        #expect(fields.string("content-security-policy") == nil)
        #expect(fields.string("vary") == "Authorization, Cookie, X-Api-Key")
        #expect(fields.string("cache-control") == "private")
        guard case .stream(_, let kept) = forward.given(200, [("cache-control", "no-cache")]) else { throw OtherPlan() }
        #expect(kept.count(of: "cache-control") == 1)
    }

    @Test("A PUT streams to the store as any other")
    func put() throws {
        var gate = Gate([try route("/up/{id}", [.put], key: "{id}")])
        let forward = try gate.decide(Call("PUT", "/up/7", length: 3).by(.alice)).forward()
        #expect(forward.request.method == .put)
        #expect(forward.target == "/photos/7")
        try expect(403, .accessDenied, gate.decide(Call("PUT", "/up/7", length: 3).withToken))
    }

    // MARK: - Redirected

    @Test("A redirect leads to one key with one method, and nobody keeps it")
    func redirect() throws {
        var gate = Gate([
            try route("/f/{id}", key: "{id}", .redirect, disposition: "attachment", type: "text/plain")
        ])
        guard
            case .issued(let issued, let reply) = try gate.decide(
                Call("GET", "/f/a b".replacing(" ", with: "%20")).withToken
            ).plan.issued()
        else { throw OtherPlan() }
        #expect(reply.status == 302)
        #expect(reply.fields.string("cache-control") == "no-store")
        #expect(reply.fields.string("referrer-policy") == "no-referrer")
        let location = try #require(reply.fields.string("location"))
        #expect(location.hasPrefix("http://north/photos/a%20b?"))
        #expect(location.contains("X-Amz-Expires=30&"))
        #expect(location.contains("response-content-disposition=attachment"))
        #expect(location.contains("response-content-type=text%2Fplain"))
        #expect(issued.expiresAt == noon + .seconds(30))
        #expect(issued.reason.contains("route /f/{id}"))
    }

    @Test("HEAD is signed as HEAD")
    func head() throws {
        var gate = Gate([try route("/f/{id}", key: "{id}", .redirect)])
        let get = try gate.decide(Call("GET", "/f/7").withToken).plan.location()
        let head = try gate.decide(Call("HEAD", "/f/7").withToken).plan.location()
        #expect(get != head)
    }

    @Test("To look at a blob nobody is sent to Azure, where that permission reads it")
    func headAtAzure() throws {
        for delivery in [Route.Delivery.redirect, .auto(above: 0)] {
            var gate = Gate([try route("/f/{id}", bucket: "azured", key: "{id}", delivery)])
            gate.hasOtherKinds = true
            gate.policies = try .everything(for: "user:root")
            let forward = try gate.decide(Call("HEAD", "/f/7").by(.root)).forward()
            #expect(forward.request.method == .head)
        }
        // Whoever asks for the address gets one that leads here, and does nothing else.
        var gate = Gate([try route("/f/{id}", bucket: "azured", key: "{id}", .redirect)])
        gate.hasOtherKinds = true
        let call = Call("HEAD", "/f/7", [("accept", "application/json")]).by(.root)
        guard case .issued(_, let reply) = try gate.decide(call).plan.issued() else { throw OtherPlan() }
        #expect(!reply.text.contains("sig="))
        #expect(try gate.decide(Call("GET", "/f/7").by(.root)).plan.location().contains("sig="))
    }

    @Test(
        "A script that says what else it can read is redirected all the same",
        arguments: [
            ("application/json", true), ("application/json, text/plain, */*", true), ("*/*", false), ("", false),
            ("application/json;q=0, */*", false), ("image/avif,image/webp,*/*;q=0.8", false),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false), ("application/xml", false),
        ]
    )
    func accepted(_ accept: String, _ isDocument: Bool) throws {
        var gate = Gate([try route("/f/{id}", key: "{id}", .redirect)])
        let call = Call("GET", "/f/7", [("accept", accept)]).withToken
        guard case .issued(_, let reply) = try gate.decide(call).plan.issued() else { throw OtherPlan() }
        #expect(reply.status == (isDocument ? 200 : 302))
    }

    @Test("A PUT keeps its method, and what was decided about is part of the signature")
    func redirectedPut() throws {
        var gate = Gate([try route("/f/{id}", [.put], key: "{id}", .redirect)])
        let call = Call("PUT", "/f/7", [("x-amz-meta-a", "b")], length: 5).by(.alice)
        guard case .issued(_, let reply) = try gate.decide(call).plan.issued() else { throw OtherPlan() }
        #expect(reply.status == 307)
        let location = try #require(reply.fields.string("location"))
        #expect(location.contains("X-Amz-SignedHeaders=content-length%3Bhost%3Bx-amz-meta-a"))
        gate.server = Gate.settings(maxObjectSize: 4)
        try expect(400, .entityTooLarge, gate.decide(call))
    }

    @Test("A redirected PUT of nothing takes nothing at the store, and one of unknown length is not redirected")
    func emptyPutTakesAnything() throws {
        var gate = Gate([try route("/f/{id}", [.put], key: "{id}", .redirect)])
        let location = try gate.decide(Call("PUT", "/f/7", length: 0).by(.alice)).plan.location()
        #expect(location.contains("X-Amz-SignedHeaders=content-length%3Bhost&"))
        try expect(411, .missingContentLength, gate.decide(Call("PUT", "/f/7").by(.alice)))
    }

    @Test("The URL for a script's PUT is signed for the size it says, and for none it does not say")
    func documentOfPut() throws {
        var gate = Gate([try route("/f/{id}", [.put], key: "{id}", .redirect)])
        gate.server = Gate.settings(maxObjectSize: 1000)
        func ask(_ fields: [(String, String)], length: Int64? = 0) throws -> Decision {
            try gate.decide(Call("PUT", "/f/7", [("accept", "application/json")] + fields, length: length).by(.alice))
        }
        for length in [nil, 0] as [Int64?] { try expect(411, .missingContentLength, ask([], length: length)) }
        for bad in ["", "-1", "+1", "1.5", "0x10", "99999999999999999999", "1, 2"] {
            try expect(400, .invalidArgument, ask([("x-upload-content-length", bad)]))
        }
        try expect(
            400,
            .invalidArgument,
            ask([("x-upload-content-length", "1"), ("x-upload-content-length", "2")])
        )
        try expect(400, .entityTooLarge, ask([("x-upload-content-length", "1001")]))
        for (fields, length, signed) in [
            ([("x-upload-content-length", "1000")], 0 as Int64, "1000"), ([("x-upload-content-length", "0")], 0, "0"),
            ([], 5, "5"),
        ] {
            guard case .issued(_, let reply) = try ask(fields, length: length).plan.issued() else { throw OtherPlan() }
            #expect(reply.text.contains(#""headers":{"content-length":"\#(signed)"}"#))
            #expect(reply.text.contains("X-Amz-SignedHeaders=content-length%3Bhost&"))
        }
    }

    @Test("Whoever asks for JSON gets the URL and all that goes with it")
    func document() throws {
        var gate = Gate([try route("/f/{id}", key: "{id}", .redirect, lifetime: .seconds(3600))])
        let call = Call("GET", "/f/7", [("accept", "application/json")]).withToken
        guard case .issued(_, let reply) = try gate.decide(call).plan.issued() else { throw OtherPlan() }
        #expect(reply.status == 200)
        #expect(reply.fields.string("location") == nil)
        #expect(reply.fields.string("cache-control") == "no-store")
        // The token ends after ten minutes.
        #expect(reply.text.contains(#""expires_at":"\#(Timestamp.iso8601(noon + .seconds(600)))""#))
        #expect(reply.text.contains(#""capped_by":"caller_credential""#))
        #expect(reply.text.contains(#""method":"GET""#))
        #expect(reply.text.contains(#""headers":{}"#))
    }

    @Test("What lies where clients can't go is carried")
    func redirectToNowhere() throws {
        var gate = Gate([try route("/f/{id}", bucket: "local", key: "{id}", .redirect)], claims: ["sub": "local"])
        #expect(try gate.decide(Call("GET", "/f/7").withToken).forward().target == "/local/7")
    }

    @Test("What permits it but can't be asked about later is for carrying only")
    func proxyOnly() throws {
        let routes = [
            try route("/r/{id}", key: "{id}", .redirect), try route("/a/{id}", key: "{id}", .auto(above: 0)),
        ]
        var gate = Gate(routes)
        gate.policies = PolicySet([
            PolicySet.Entry(
                name: "office",
                appliesTo: [try PrincipalPattern(parsing: "*")],
                document: try PolicyDocument(
                    parsing: #"""
                        {"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:GetObject","Resource":"*",
                        "Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}]}
                        """#.utf8
                )
            )
        ])
        guard case .refused(let reply, _) = try gate.decide(Call("GET", "/r/7").withToken).plan.issued() else {
            throw OtherPlan()
        }
        #expect(reply.status == 409)
        #expect(reply.code == "ProxyOnly")
        #expect(try gate.decide(Call("GET", "/a/7").withToken).forward().request.method == .get)
        try expect(403, .accessDenied, gate.decide(Call("GET", "/r/7").withToken, from: "198.51.100.1"))
    }

    // MARK: - Whichever fits

    @Test("The store is asked for the size first; what is larger is redirected, the rest carried")
    func auto() throws {
        var gate = Gate([try route("/f/{id}", key: "{id}", .auto(above: 100))])
        func next(_ status: Int, _ length: String) throws -> Plan {
            let call = Call("GET", "/f/7", [("range", "bytes=0-1"), ("if-none-match", "\"e\"")]).withToken
            let look = try gate.decide(call).forward()
            #expect(look.request.method == .head)
            #expect(look.request.fields.string("range") == nil)
            #expect(look.request.fields.string("if-none-match") == nil)
            guard case .collect(0, let then) = look.given(status, [("content-length", length)], framing: .none) else {
                throw OtherPlan()
            }
            return then([])
        }
        #expect(try next(200, "101").location().hasPrefix("http://north/photos/7?"))
        let carried = try next(200, "100").forward()
        #expect(carried.request.method == .get)
        #expect(carried.request.fields.string("range") == "bytes=0-1")
        #expect(try next(404, "1000").forward().request.method == .get)
        #expect(try next(200, "x").forward().request.method == .get)
    }

    @Test("A HEAD is carried, and so is whatever lies where clients can't go")
    func autoWithoutLooking() throws {
        var gate = Gate(
            [
                try route("/f/{id}", key: "{id}", .auto(above: 0)),
                try route("/l/{id}", bucket: "local", key: "{id}", .auto(above: 0)),
            ],
            claims: ["sub": "local"]
        )
        #expect(try gate.decide(Call("GET", "/l/7").withToken).forward().request.method == .get)
        #expect(try gate.decide(Call("HEAD", "/f/7").signed()).forward().request.method == .head)
    }
}
