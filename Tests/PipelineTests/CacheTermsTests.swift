import HTTP1
import Pipeline
import S3API
import Testing

@Suite("Caches on the way") struct CacheTermsTests {
    /// What the client gets of a store's answer.
    private func told(_ decision: Decision, _ stored: [(String, String)], status: Int = 200) throws -> FieldBlock {
        guard case .stream(_, let fields) = try decision.forward().given(status, stored) else { throw OtherPlan() }
        return told(decision, fields)
    }

    private func told(_ decision: Decision, _ fields: FieldBlock) -> FieldBlock {
        let fields = decision.crossOrigin?.added(to: fields) ?? fields
        let applied = decision.caching.applied(to: fields)
        if let lines = decision.caching.lines(beside: fields) {
            // Whichever way it is written, it says the same.
            let written = "\(text(fields.bytes))\(lines)"
            #expect(written.split(separator: "\r\n").sorted() == text(applied.bytes).split(separator: "\r\n").sorted())
        }
        return applied
    }

    @Test(
        "An object that is read with an API key is handed to strangers by a shared cache",
        arguments: [
            ("public, max-age=600", "private, max-age=600"), ("max-age=600", "private, max-age=600"),
            ("PUBLIC", "private"), ("public,s-maxage=5 , immutable", "private, immutable"),
            ("s-maxage = 5, Proxy-Revalidate, must-revalidate", "private, must-revalidate"),
            ("no-store", "private, no-store"), ("private", "private"), ("", "private"), (", ,", "private"),
            // It would hold for one field alone.
            ("private=\"set-cookie, x\", max-age=5", "private, no-store"), ("a=\"b, public", "private, no-store"),
            ("publicly, max-age=5", "private, publicly, max-age=5"),
        ]
    )
    func byKey(_ stored: String, _ wanted: String) throws {
        var gate = Gate()
        for method in ["GET", "HEAD"] {
            let decision = try gate.decide(Call(method, "/photos/k").by(.alice))
            for status in [200, 206, 304] {
                let fields = try told(decision, [("cache-control", stored), ("etag", "e")], status: status)
                #expect(fields.count(of: "cache-control") == 1 && fields.string("cache-control") == wanted)
                #expect(fields.string("vary") == "X-Api-Key" && fields.string("etag") == "e")
            }
        }
    }

    @Test("What says nothing of caches, or says it in several lines, is kept from others too")
    func lines() throws {
        var gate = Gate()
        let decision = try gate.decide(Call("GET", "/photos/k").by(.alice))
        #expect(try told(decision, [("etag", "e")]).string("cache-control") == "private")
        let fields = try told(
            decision,
            [
                ("vary", "Accept-Encoding"), ("Cache-Control", "max-age=5"), ("vary", "x-api-key,origin"),
                ("cache-control", "public"),
            ]
        )
        #expect(fields.count(of: "vary") == 1 && fields.count(of: "cache-control") == 1)
        #expect(fields.string("vary") == "Accept-Encoding, origin, X-Api-Key")
        #expect(fields.string("cache-control") == "private, max-age=5")
        #expect(try told(decision, [("vary", "*")]).string("vary") == "*")
    }

    @Test("What is signed, or shown a token for, is told as it is stored, and kept apart from what others are told")
    func byAuthorization() throws {
        var gate = Gate()
        let decision = try gate.decide(Call("HEAD", "/photos/k").signed())
        let fields = try told(decision, [("cache-control", "public, s-maxage=600"), ("vary", "Accept")])
        #expect(fields.string("cache-control") == "public, s-maxage=600")
        #expect(fields.string("vary") == "Accept, Authorization" && fields.count(of: "vary") == 1)
        #expect(try told(decision, [("etag", "e")]).string("vary") == "Authorization")
        #expect(try told(decision, [("etag", "e")]).first("cache-control") == nil)
    }

    @Test("What anybody may read, and what a URL signs, is for caches to keep as it is stored")
    func byURL() throws {
        var gate = Gate()
        for call in [Call("GET", "/public/k"), Call("GET", "/photos/k").presigned()] {
            let fields = try told(gate.decide(call), [("cache-control", "public, max-age=600"), ("etag", "e")])
            #expect(fields.string("cache-control") == "public, max-age=600" && fields.first("vary") == nil)
        }
    }

    @Test("What a page of another origin reads varies by both")
    func acrossOrigins() throws {
        var gate = Gate()
        let call = Call("GET", "/web/k", [("origin", "https://app.example.com")])
        let origin = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
        let byKey = try told(gate.decide(call.by(.root)), [("cache-control", "public"), ("vary", "accept")])
        #expect(byKey.string("vary") == "accept, \(origin), X-Api-Key")
        #expect(byKey.string("cache-control") == "private")
        #expect(try told(gate.decide(call.signed()), []).string("vary") == "\(origin), Authorization")
    }

    @Test("Refusals are kept from others as well; what writes is not for caches anyway")
    func refusals() throws {
        var gate = Gate()
        let decision = try gate.decide(Call("GET", "/docs/k").with("x-api-key", "wrong"))
        #expect(told(decision, try decision.reply().fields).string("cache-control") == "private")
        let written = try gate.decide(Call("PUT", "/photos/k", length: 1).by(.alice))
        #expect(try told(written, [("etag", "e")]).entries.count == 1)
    }

    @Test("A route's object is its caller's, though the object is stored as public")
    func route() throws {
        var gate = Gate([try PipelineTests.route("/f/{id}", key: "{id}")])
        let decision = try gate.decide(Call("GET", "/f/7").by(.alice))
        let fields = try told(decision, [("cache-control", "public, max-age=5"), ("vary", "accept")])
        #expect(fields.count(of: "cache-control") == 1 && fields.string("cache-control") == "private, max-age=5")
        #expect(fields.count(of: "vary") == 1)
        #expect(fields.string("vary") == "accept, Authorization, Cookie, X-Api-Key")
    }
}
