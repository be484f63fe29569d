import HTTP1
import Identity
import Pipeline
import S3API
import Testing

@Suite("Routes: which one, who may, which object")
struct RouteTests {
    // MARK: - Which one

    @Test(
        "A literal beats {x}, {x} beats {x*}, from left to right, and a dead end is left again",
        arguments: [
            ("/api/files/7", "one-7"), ("/api/files/special", "literal"), ("/api/files/7/8", "rest-7/8"),
            ("/api/files/special/more", "rest-special/more"), ("/api/x/tail", "tail-x"),
            ("/api/deep/x/tail", "all-deep/x/tail"), ("/api/files", "all-files"),
        ]
    )
    func precedence(path: String, key: String) throws {
        var gate = Gate([
            try route("/api/{all*}", key: "all-{all}"),
            try route("/api/files/{rest*}", key: "rest-{rest}"),
            try route("/api/files/{id}", key: "one-{id}"),
            try route("/api/files/special", key: "literal"),
            try route("/api/{x}/tail", key: "tail-{x}"),
        ])
        let decision = try gate.decide(Call("GET", path).withToken)
        #expect(decision.key?.string == key)
        #expect(try decision.forward().target == "/photos/" + key)
    }

    @Test(
        "What no route matches is S3's",
        arguments: ["/photos/api/files/1", "/api/%66iles/7", "/api/files/", "/API/files/7", "/api//7", "/api"]
    )
    func otherPaths(path: String) throws {
        var gate = Gate([try route("/api/files/{id}", key: "{id}")])
        let decision = try gate.decide(Call("GET", path).withToken)
        #expect(!decision.reason.contains("route"))
    }

    @Test("On a virtual host every path is a key")
    func virtualHost() throws {
        var gate = Gate([try route("/api/{id}", bucket: "docs", key: "{id}")])
        let decision = try gate.decide(Call("GET", "/api/7").on(host: "photos.s3.example.com").withToken)
        #expect(decision.bucket?.string == "photos")
        #expect(decision.key?.string == "api/7")
    }

    @Test("Reserved paths come first")
    func reserved() throws {
        var gate = Gate([try route("/{all*}", key: "{all}", callers: .everybody)])
        #expect(try gate.decide(Call("GET", "/-/health")).reply().status == 200)
        #expect(try gate.decide(Call("GET", "/-/other")).reply().status == 404)
    }

    @Test("Another method is told which ones there are, and is no request to S3")
    func methods() throws {
        var gate = Gate([try route("/photos/{id}", key: "{id}")])
        for method in ["PUT", "DELETE", "POST", "PATCH"] {
            let reply = try gate.decide(Call(method, "/photos/7", length: 0).signed()).reply()
            #expect(reply.status == 405)
            #expect(reply.fields.string("allow") == "GET, HEAD")
        }
    }

    // MARK: - Which object

    @Test(
        "What is decided is the final key, however the path is written",
        arguments: [
            ("/f/a%2Fb", 400), ("/f/%2e%2e", 400), ("/f/..", 400), ("/f/.", 400), ("/f/%2E", 400), ("/f/a%", 400),
            ("/f/a%00", 400), ("/f/%ff", 400), ("/r/x/../y", 400), ("/r/x/%2e%2e/y", 400),
            ("/r/x%2f..%2fy", 400), ("/r/./y", 400), ("/f/" + String(repeating: "x", count: 1025), 400),
        ]
    )
    func attacks(path: String, status: Int) throws {
        var gate = Gate([try route("/f/{id}", key: "{id}"), try route("/r/{rest*}", key: "{rest}")])
        #expect(try gate.decide(Call("GET", path).withToken).reply().status == status)
    }

    @Test(
        "Everything else of a key goes through byte by byte",
        arguments: [
            ("/f/a;b", "/photos/a%3Bb"), ("/f/a+b", "/photos/a%2Bb"), ("/f/a%20b", "/photos/a%20b"),
            ("/f/%C3%A4", "/photos/%C3%A4"), ("/f/a%5Cb", "/photos/a%5Cb"), ("/f/%7Bid%7D", "/photos/%7Bid%7D"),
            ("/f/%252F", "/photos/%252F"), ("/r/a//b", "/photos/a//b"), ("/r/a%2Fb", "/photos/a/b"),
            ("/r/a/", "/photos/a/"), ("/f/a%3Fb", "/photos/a%3Fb"), ("/f/*", "/photos/%2A"),
            ("/f/a%0d%0a", "/photos/a%0D%0A"),
        ]
    )
    func keys(path: String, target: String) throws {
        var gate = Gate([try route("/f/{id}", key: "{id}"), try route("/r/{rest*}", key: "{rest}")])
        #expect(try gate.decide(Call("GET", path).withToken).forward().target == target)
    }

    @Test(
        "A claim that is missing, or would reach elsewhere, denies",
        arguments: [nil, "", "..", "a/b", "*", "docs*", "{id}", "UPPER", "photos\u{0}", "x"]
    )
    func claims(subject: String?) throws {
        var gate = Gate(
            [try route("/f/{id}", bucket: "{claims.team}", key: "{id}")],
            claims: subject.map { ["sub": "photos", "team": $0] } ?? ["sub": "photos"]
        )
        let decision = try gate.decide(Call("GET", "/f/7").withToken)
        try expect(403, .accessDenied, decision)
        #expect(decision.outcome == .denied)
    }

    @Test("A path does not reach another's bucket by what it says")
    func bucketOfThePath() throws {
        var gate = Gate([try route("/f/{bucket}/{id}", bucket: "{bucket}", key: "{id}")])
        #expect(try gate.decide(Call("GET", "/f/photos/7").withToken).forward().target == "/photos/7")
        try expect(403, .accessDenied, gate.decide(Call("GET", "/f/docs/7").withToken))
        try expect(400, .invalidBucketName, gate.decide(Call("GET", "/f/%2e%2e/7").withToken))
    }

    // MARK: - Who may

    @Test("Nobody is served without a credential, but where a route and its bucket are for everybody")
    func anonymous() throws {
        var gate = Gate([
            try route("/known/{id}", bucket: "public", key: "{id}"),
            try route("/all/{id}", bucket: "public", key: "{id}", callers: .everybody),
            try route("/closed/{id}", bucket: "photos", key: "{id}", callers: .everybody),
        ])
        let decision = try gate.decide(Call("GET", "/known/7"))
        let reply = try decision.reply()
        #expect(reply.status == 401)
        #expect(reply.code == "MissingAuthenticationToken")
        let challenges = reply.fields.entries.filter { reply.fields.isNamed($0, "www-authenticate") }
        #expect(
            challenges.map { text(reply.fields.value($0)) } == [
                "ApiKey header=\"x-api-key\"", "Bearer realm=\"gatehouse\"",
            ]
        )
        #expect(decision.outcome == .denied)
        #expect(try gate.decide(Call("GET", "/all/7")).forward().target == "/public/7")
        try expect(403, .accessDenied, gate.decide(Call("GET", "/closed/7")))
    }

    @Test("Every kind of credential is good for a route, signed for the path as it was sent")
    func credentials() throws {
        var gate = Gate([try route("/f/{id}", key: "{id}")])
        let call = Call("GET", "/f/7")
        for one in [call.by(.alice), call.withToken, call.signed(), call.presigned()] {
            #expect(try gate.decide(one).forward().target == "/photos/7")
        }
        var moved = call.signed()
        moved.path = "/f/8"
        try expect(403, .signatureDoesNotMatch, gate.decide(moved))
        try expect(403, .accessDenied, gate.decide(call.signed(by: .models)))
    }

    @Test("What S3 would read in a query is not left out in silence")
    func queries() throws {
        var gate = Gate([try route("/f/{id}", [.get, .head, .put], key: "{id}")])
        #expect(try gate.decide(Call("GET", "/f/7?v=3&utm=x").withToken).forward().target == "/photos/7")
        for query in ["versionId=1", "acl", "uploadId=1", "response-content-type=text/html", "partNumber=1"] {
            #expect(try gate.decide(Call("GET", "/f/7?" + query).withToken).reply().status == 501)
        }
        for query in ["uploadId=1&partNumber=1", "tagging", "v=3"] {
            #expect(try gate.decide(Call("PUT", "/f/7?" + query, length: 1).signed()).reply().status == 501)
        }
        let copy = Call("PUT", "/f/7", [("x-amz-copy-source", "/docs/secret")], length: 0).signed()
        #expect(try gate.decide(copy).reply().status == 501)
    }

    @Test("Errors are about the path that was asked for, not about the object behind it")
    func errors() throws {
        var gate = Gate([try route("/f/{id}", bucket: "docs", key: "hidden/{id}")])
        let reply = try gate.decide(Call("GET", "/f/7").withToken).reply()
        #expect(reply.status == 403)
        #expect(reply.isJSON)
        #expect(reply.text.contains("\"/f/7\""))
        #expect(!reply.text.contains("hidden"))
        let document = try gate.decide(Call("GET", "/f/7").signed(by: .models)).reply().text
        #expect(document.contains("<Resource>/f/7</Resource>"))
        #expect(!document.contains("<BucketName>"))
    }

    // MARK: - Cookies

    @Test("A provider's cookie is good for looking")
    func cookie() throws {
        var gate = Gate([try route("/f/{id}", [.get, .head, .put], key: "{id}")], cookie: "session")
        let jar = ("cookie", "theme=dark; session=t; x=y")
        #expect(try gate.decide(Call("GET", "/f/7", [jar])).forward().target == "/photos/7")
        #expect(try gate.decide(Call("HEAD", "/f/7", [jar])).forward().request.method == .head)
        #expect(try gate.decide(Call("PUT", "/f/7", [jar], length: 1)).reply().status == 401)
        // S3's own paths know no cookies.
        #expect(try gate.decide(Call("GET", "/photos/7", [jar])).reply().status == 403)
        #expect(try gate.decide(Call("GET", "/f/7", [("cookie", "other=t")])).reply().status == 401)
        #expect(try gate.decide(Call("GET", "/f/7", [("cookie", "session=t; session=t")])).reply().status == 401)
        #expect(try gate.decide(Call("GET", "/f/7", [("cookie", "session=a b")])).reply().status == 401)
    }

    @Test("A credential that was shown on purpose counts, and the cookie is not read")
    func cookieBesideCredential() throws {
        var gate = Gate([try route("/f/{id}", key: "{id}")], cookie: "session")
        let decision = try gate.decide(Call("GET", "/f/7", [("cookie", "session=t")]).by(.alice))
        #expect(decision.principal == .user("alice"))
        #expect(try decision.forward().request.fields.string("cookie") == nil)
    }

    @Test("A token in the cookie of another provider is none")
    func cookieOfAnother() throws {
        var gate = Gate([try route("/f/{id}", key: "{id}")], cookie: "session")
        gate.identityProviders = gate.identityProviders.map { one in
            IdentityProvider(
                name: "other",
                issuer: one.issuer,
                audiences: one.audiences,
                uses: one.uses,
                keys: one.keys,
                cookie: one.cookie
            )
        }
        #expect(try gate.decide(Call("GET", "/f/7", [("cookie", "session=t")])).reply().status == 401)
    }
}
