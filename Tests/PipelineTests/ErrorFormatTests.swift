import HTTP1
import Pipeline
import S3API
import Testing
import WireFormats

@Suite("Errors are written in the form that the client reads")
struct ErrorFormatTests {
    enum Form {
        case xml, json
    }

    @Test(
        "The credential presented decides, even where it is worthless; a listing is XML; Accept overrides",
        arguments: [
            (Call("GET", "/photos/a.txt"), Form.xml),
            (Call("GET", "/docs/a.txt").by(.alice), .json),
            (Call("GET", "/docs/a.txt").with("x-api-key", "wrong"), .json),
            (Call("PUT", "/docs").by(.alice), .json),
            (Call("GET", "/docs/a.txt").signed(by: .models), .xml),
            (Call("GET", "/docs/a.txt").signed(secret: "wrong"), .xml),
            (Call("GET", "/docs/a.txt").with("authorization", "AWS AKFULL:c2ln"), .xml),
            (Call("GET", "/docs/a.txt").with("authorization", "Bearer abc"), .json),
            (Call("GET", "/docs/a.txt").with("authorization", "bearer"), .json),
            // No API key and no token: whoever sends these is an S3 client in trouble.
            (Call("GET", "/docs/a.txt").with("authorization", ""), .xml),
            (Call("GET", "/docs/a.txt").with("authorization", "Basic YTpi"), .xml),
            (Call("GET", "/docs/a.txt").with("authorization", "nonsense"), .xml),
            (Call("GET", "/docs").by(.alice), .xml),
            (Call("GET", "/docs?list-type=2").by(.alice), .xml),
            (Call("GET", "/").with("x-api-key", "wrong"), .xml),
            (Call("GET", "/docs/a.txt?uploadId=u").by(.alice), .xml),
            (Call("GET", "/docs/a.txt?uploadId=u&max-parts=2").with("x-api-key", "wrong"), .xml),
            (Call("GET", "/docs/a.txt?versionId=u").by(.alice), .json),
            (Call("DELETE", "/docs/a.txt?uploadId=u").by(.alice), .json),
            (Call("GET", "/docs").with("accept", "application/json"), .json),
            (Call("GET", "/docs/a.txt").by(.alice).with("accept", "application/xml"), .xml),
            (Call("GET", "/docs/a.txt").signed(by: .models).with("accept", "application/json"), .json),
            (Call("GET", "/docs/a.txt").with("accept", "*/*"), .xml),
            (Call("GET", "/docs/a.txt").by(.alice).with("accept", "text/html, application/xml"), .json),
            // axios, and jQuery.
            (Call("GET", "/docs/a.txt").with("accept", "application/json, text/plain, */*"), .json),
            (Call("GET", "/docs/a.txt").with("accept", "Application/JSON;charset=utf-8, */*; q=0.01"), .json),
            (Call("GET", "/docs/a.txt").with("accept", "text/plain").with("accept", "*/*, application/json"), .json),
            (Call("GET", "/docs/a.txt").with("accept", "application/xml;q=0.5, application/json;q=0.501"), .json),
            (Call("GET", "/docs/a.txt").by(.alice).with("accept", "application/json;q=0.9,application/xml"), .xml),
            (Call("GET", "/docs/a.txt").by(.alice).with("accept", "application/xml, application/json"), .xml),
            (Call("GET", "/docs/a.txt").with("accept", "application/json;q=0"), .xml),
            (Call("GET", "/docs/a.txt").with("accept", "application/json;q=0.000, */*"), .xml),
            (Call("GET", "/docs/a.txt").with("accept", "*/*, application/json;q=0.9"), .xml),
            (Call("GET", "/docs/a.txt").with("accept", "application/jsonl, application/json-seq, json"), .xml),
            // Browsers, which name XML among all that they show.
            (
                Call("GET", "/docs/a.txt").by(.alice).with(
                    "accept",
                    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
                ), .json
            ),
            (Call("GET", "/docs/a.txt").with("accept", "text/html, application/json"), .xml),
            // What can't be read says nothing.
            (Call("GET", "/docs/a.txt").with("accept", "application/json;q=2"), .xml),
            (Call("GET", "/docs/a.txt").with("accept", "application/json;q=1;q=1"), .xml),
            (Call("GET", "/docs/a.txt").with("accept", "application/json;q=-0"), .xml),
            (Call("GET", "/docs/a.txt").with("accept", "application/json;q="), .xml),
            (Call("GET", "/docs/a.txt").with("accept", "application/json;q=0.5555"), .xml),
            (Call("GET", "/docs/a.txt").with("accept", "application/json;q=1.001"), .xml),
            (Call("GET", "/docs/a.txt").with("accept", #"a/b;c="x, application/json, y""#), .xml),
            (
                Call("GET", "/docs/a.txt").with("accept", "application/json," + String(repeating: "a/b,", count: 300)),
                .xml
            ),
            (Call("GET", "/docs/a.txt").with("accept", ""), .xml),
            (Call("GET", "/docs/a.txt").with("accept", ",;,"), .xml),
            // What has no address at all has an answer all the same.
            (Call("GET", "/A/a.txt"), .xml), (Call("GET", "/A/a.txt").by(.alice), .json),
            (Call("GET", "/docs/%zz").by(.alice), .json), (Call("PUT", "/docs/a?nonsense", length: 1).by(.root), .json),
        ]
    )
    func form(call: Call, form: Form) throws {
        var gate = Gate()
        let reply = try gate.decide(call).reply()
        #expect((400...501).contains(reply.status))
        #expect(reply.isJSON == (form == .json))
        #expect(reply.text.hasPrefix(form == .json ? #"{"error":{"code":""# : "<?xml"))
        #expect(reply.code != nil)
    }

    @Test("A clock that is wrong is told the request's time, ours, and what is allowed, as S3 tells it")
    func skewedClock() throws {
        var gate = Gate()
        let early = Call("GET", "/docs/a").signed(at: noon - .seconds(901))
        let xml = try gate.decide(early).reply().text
        #expect(xml.contains("<Code>RequestTimeTooSkewed</Code>"))
        let sent = try #require(early.fields.first { $0.0 == "x-amz-date" }?.1)
        #expect(xml.contains("<RequestTime>\(sent)</RequestTime>"))
        #expect(xml.contains("<ServerTime>\(Timestamp.iso8601(noon))</ServerTime>"))
        #expect(xml.contains("<MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>"))
        #expect(try !gate.decide(Call("GET", "/docs/a").signed(secret: "x")).reply().text.contains("ServerTime"))
    }

    @Test("An error names the resource as the client does, and the request's id")
    func contents() throws {
        var gate = Gate()
        let xml = try gate.decide(Call("GET", "/docs/a%20b/%3Cc%3E")).reply().text
        #expect(xml.contains("<Resource>/docs/a b/&lt;c&gt;</Resource>"))
        #expect(xml.contains("<BucketName>docs</BucketName>"))
        #expect(xml.contains("<Key>a b/&lt;c&gt;</Key>"))
        #expect(xml.contains("<RequestId>\(RequestID(random: 42))</RequestId>"))
        let json = try gate.decide(Call("GET", "/docs/a%22b").by(.alice)).reply().text
        #expect(json.contains(#""resource":"/docs/a\"b""#))
        #expect(json.contains(#""request_id":""#))
    }

    @Test("A virtual host's error names bucket and key like any other")
    func virtualHost() throws {
        var gate = Gate()
        let reply = try gate.decide(Call("GET", "/a.txt").on(host: "docs.s3.example.com")).reply()
        #expect(reply.text.contains("<Resource>/docs/a.txt</Resource>"))
        let listing = try gate.decide(Call("GET", "/").by(.alice).on(host: "docs.s3.example.com")).reply()
        #expect(!listing.isJSON)
    }

    @Test("Behind a proxy the host that it forwards says what an error is about")
    func forwardedHost() throws {
        var gate = Gate()
        gate.server = Gate.settings(trustedProxies: [try #require(CIDR("192.0.2.0/24"))])
        let call = Call("GET", "/a.txt").on(host: "gatehouse.internal")
            .with("x-forwarded-host", "docs.s3.example.com")
        #expect(try gate.decide(call).reply().text.contains("<Resource>/docs/a.txt</Resource>"))
        // A page of keys there, though by its path alone it would be an object.
        let listing = Call("GET", "/").by(.alice).on(host: "docs.s3.example.com")
            .with("x-forwarded-host", "files.example.com")
        #expect(try gate.decide(listing).outcome == .allowed)
        let object = Call("GET", "/docs").by(.alice).on(host: "files.example.com")
            .with("x-forwarded-host", "docs.s3.example.com")
        let refused = try gate.decide(object).reply()
        #expect(refused.isJSON)
        #expect(refused.text.contains(#""resource":"/docs/docs""#))
        // Of somebody whose word does not count it says nothing.
        #expect(try gate.decide(object, from: "198.51.100.1").reply().text.contains("<Resource>/docs</Resource>"))
    }

    @Test("What the store's side has to say of a request is worded like what the decision says")
    func laterErrors() throws {
        let server = Gate.settings(trustedProxies: [try #require(CIDR("192.0.2.0/24"))])
        let facts = ConnectionFacts(peer: IPAddress("192.0.2.1"), isSecure: false)
        let call = Call("GET", "/docs").by(.alice).with("x-forwarded-host", "docs.s3.example.com")
        var gate = Gate()
        gate.server = server
        let snapshot = try gate.snapshot()
        let object = ErrorAnswer(call.head, from: facts, under: snapshot, isOfRoute: false)
            .reply(S3Error(.slowDown), requestID: RequestID(random: 1))
        #expect(object.text.contains(#""resource":"/docs/docs""#))
        let route = ErrorAnswer(Call("GET", "/api/files/7").head, from: facts, under: snapshot, isOfRoute: true)
            .reply(S3Error(.slowDown), requestID: RequestID(random: 1))
        #expect(route.text.contains("<Resource>/api/files/7</Resource>"))
        #expect(!route.text.contains("<BucketName>"))
    }

    @Test("The answer to a HEAD has a status and no body")
    func head() throws {
        var gate = Gate()
        let reply = try gate.decide(Call("HEAD", "/photos/a.txt")).reply()
        #expect(reply.status == 403)
        #expect(reply.body.isEmpty)
    }

    @Test("401 says how to authenticate")
    func challenge() throws {
        var gate = Gate()
        let reply = try gate.decide(Call("GET", "/photos/a.txt").with("x-api-key", "wrong")).reply()
        #expect(reply.status == 401)
        #expect(reply.fields.string("www-authenticate")?.hasPrefix("ApiKey") == true)
    }

    @Test(
        "A token that is refused is answered as if there were API keys alone",
        arguments: ["/docs/a.txt", "/-/v1/urls", "/f/7", "/-/authz/envoy/docs/a.txt"]
    )
    func challengeOfTokens(_ path: String) throws {
        func challenges(_ call: Call, hasProvider: Bool) throws -> [String] {
            var gate = Gate(
                tokens: Verifier(
                    finding: .refused(reason: "bad", failure: "bad_signature"),
                    isKnown: true
                ),
                desk: NoDesk()
            )
            gate.routes = [try route("/f/{id}", key: "{id}")]
            gate.gateways = GatewayRules(gateways: [CIDR("192.0.2.0/24")].compactMap(\.self))
            if hasProvider { gate.identityProviders = Gate([]).identityProviders }
            let reply = try gate.decide(call).reply()
            #expect(reply.status == 401)
            return reply.fields.entries.filter { reply.fields.isNamed($0, "www-authenticate") }.map {
                text(reply.fields.value($0))
            }
        }
        let apiKey = "ApiKey header=\"x-api-key\""
        let token = Call("GET", path).with("authorization", "Bearer abc")
        #expect(try challenges(token, hasProvider: true) == [apiKey, "Bearer error=\"invalid_token\""])
        #expect(try challenges(token, hasProvider: false) == [apiKey])
        let key = Call("GET", path).with("x-api-key", "wrong")
        #expect(try challenges(key, hasProvider: true) == [apiKey, "Bearer realm=\"gatehouse\""])
    }

    @Test("Who has a link is told in XML that it is none")
    func links() throws {
        var gate = Gate()
        let elsewhere = try gate.decide(Call("GET", "/-/l/bad")).reply()
        #expect(elsewhere.status == 404 && elsewhere.isJSON && elsewhere.code == "NotFound")
        for path in ["/photos/a.txt", "/photos", "/nobodys/a", "/", "/public/a.txt"] {
            let reply = try gate.decide(Call("GET", path + "?gh-link=bad")).reply()
            #expect(reply.status == 404 && reply.code == "NotFound" && reply.isJSON, "\(path)")
            #expect(
                reply.text.replacing("\"resource\":\"\(path)\"", with: "R")
                    == elsewhere.text.replacing("\"resource\":\"/-/l/bad\"", with: "R")
            )
            func names(_ fields: FieldBlock) -> [String] {
                fields.entries.map { text(fields.bytes[$0.name.lowerBound..<$0.value.upperBound]) }.sorted()
            }
            #expect(names(reply.fields) == names(elsewhere.fields))
        }
        let asked = Call("GET", "/photos/a.txt?gh-link=bad").with("accept", "application/xml")
        #expect(try !gate.decide(asked).reply().isJSON)
    }

    @Test("A denial says no more than that: the rule is for the log")
    func denial() throws {
        var gate = Gate()
        let decision = try gate.decide(Call("DELETE", "/photos/a.txt").by(.watcher))
        #expect(decision.outcome == .denied)
        #expect(decision.reason.contains("readonly"))
        #expect(try !decision.reply().text.contains("readonly"))
    }
}
