import Admission
import HTTP1
import Identity
import NIOCore
import Pipeline
import S3API
import Testing
import WireFormats

@Suite("What a policy asks of conditions, the store is really asked")
struct ConditionalPolicyTests {
    private static let photos = BucketName(validating: "photos")
    private static let put = ActionSet(.putObject)

    private static func denying(_ action: String, _ condition: String) throws -> PolicySet {
        let document = """
            {"Version":"2012-10-17","Statement":[
             {"Effect":"Deny","Action":"\(action)","Resource":"*","Condition":\(condition)}]}
            """
        return PolicySet([
            PolicySet.Entry(
                name: "conditional",
                appliesTo: [try PrincipalPattern(parsing: "*")],
                document: try PolicyDocument(parsing: document.utf8)
            )
        ])
    }

    private static func createOnly() throws -> PolicySet {
        try denying("s3:PutObject", #"{"StringNotEquals":{"s3:if-none-match":"*"}}"#)
    }

    private static func wish(_ fields: [(String, String)], _ query: Query = Query()) throws -> URLWish {
        var block = FieldBlock()
        for (name, value) in fields { block.append(name.utf8, value.utf8) }
        return URLWish(
            .put,
            put,
            bucket: try #require(photos),
            key: ObjectKey("a"),
            query: query,
            fields: block,
            lifetime: .seconds(60),
            via: .gatehouse
        )
    }

    // MARK: - What is issued

    @Test("Fields and parameters of the call that asks for a URL are none of what the URL does")
    func callOfTheAPI() async throws {
        let call = [("if-none-match", "*"), ("if-match", "\"e\""), ("x-amz-copy-source", "/photos/b")]
        let random = [UInt8](repeating: 1, count: Rights.randomBytesOfURL)
        let target = AccessQuestion.Target.object(try #require(Self.photos), ObjectKey("a"))
        for condition in [
            #"{"StringNotEquals":{"s3:if-none-match":"*"}}"#, #"{"Null":{"s3:if-match":"true"}}"#,
            #"{"Null":{"s3:x-amz-copy-source":"true"}}"#, #"{"Null":{"s3:max-keys":"true"}}"#,
        ] {
            let rights = try await rightsOfRoot(calling: "/-/v1/x?max-keys=1", call) {
                $0.policies = try Self.denying("s3:PutObject", condition)
            }
            #expect(!rights.verdict(on: Self.put, at: target).isAllowed, "\(condition)")
            #expect(!rights.ownVerdict(on: Self.put, at: target).isAllowed, "\(condition)")
            let wish = try Self.wish([("content-type", "image/png")])
            #expect(throws: URLRefusal.self) { try rights.url(for: wish, random: random, at: noon) }
            #expect(throws: URLRefusal.self) { try rights.form(for: wish, length: 1, random: random, at: noon) }
        }
    }

    @Test("A URL is judged by the fields that it is signed for")
    func signedFields() async throws {
        let rights = try await rightsOfRoot { $0.policies = try Self.createOnly() }
        let random = [UInt8](repeating: 1, count: Rights.randomBytesOfURL)
        let url = try rights.url(for: try Self.wish([("if-none-match", "*")]), random: random, at: noon)
        #expect(url.url.contains("X-Amz-SignedHeaders=host%3Bif-none-match&"))
        #expect(throws: URLRefusal.self) {
            try rights.url(for: try Self.wish([("if-none-match", "\"e\"")]), random: random, at: noon)
        }
    }

    @Test("What tells of the client is that of whoever asks")
    func clients() async throws {
        let target = AccessQuestion.Target.object(try #require(Self.photos), ObjectKey("a"))
        for (key, field) in [("aws:UserAgent", "user-agent"), ("aws:Referer", "referer")] {
            let rights = try await rightsOfRoot(calling: "/-/v1/x", [(field, "https://app.example.com/")]) {
                $0.policies = try Self.denying("s3:PutObject", #"{"StringNotLike":{"\#(key)":"https://app.*"}}"#)
            }
            #expect(rights.verdict(on: Self.put, at: target).isAllowed)
        }
    }

    @Test("A redirect of a route is signed for the condition that permits it")
    func redirects() throws {
        var gate = Gate([try route("/f/{id}", [.put], key: "{id}", .redirect)])
        let call = Call("PUT", "/f/7", [("if-none-match", "*")], length: 5).by(.alice)
        let location = try gate.decide(call).plan.location()
        #expect(location.contains("X-Amz-SignedHeaders=content-length%3Bhost%3Bif-none-match&"))
    }

    // MARK: - What is carried

    @Test("Bytes on their way into quarantine have no conditions on the key that they are meant for")
    func quarantine() async throws {
        var wish = try Self.wish([("content-length", "1")])
        wish.place = ObjectKey(".gatehouse/quarantine/0123/a")
        let rights = try await rightsOfRoot { _ in }
        let random = [UInt8](repeating: 1, count: Rights.randomBytesOfURL)
        let url = try rights.url(for: wish, random: random, at: noon).url
        let target = String(url.drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" })
        var gate = Gate()
        let plain = Call("PUT", target, [("content-length", "1")], length: 1)
        #expect(try gate.decide(plain).outcome == .allowed)
        for (name, value) in [("if-none-match", "*"), ("if-match", "\"e\"")] {
            try expect(501, .notImplemented, gate.decide(plain.with(name, value)))
        }
    }

    @Test("Each object of a batch has its own condition, and the batch has none")
    func batches() throws {
        var gate = Gate()
        gate.policies = try Self.denying("s3:DeleteObject", #"{"Null":{"s3:if-match":"true"}}"#)
        let batch = Call("POST", "/photos?delete", length: 500)
        for name in ["if-match", "if-none-match"] {
            try expect(501, .notImplemented, gate.decide(batch.with(name, "\"wrong\"").signed()))
        }
        let document = """
            <Delete><Object><Key>a</Key></Object><Object><Key>b</Key><ETag>"e"</ETag></Object>
            <Object><Key>c</Key><Size>3</Size></Object></Delete>
            """
        let sent = try gate.decide(batch.signed()).plan.given(body: document).forward().document ?? ""
        #expect(sent.contains("<Key>b</Key><ETag>&quot;e&quot;</ETag>"))
        #expect(!sent.contains("<Key>a</Key>") && !sent.contains("<Key>c</Key>"))
        gate.policies = try Self.denying("s3:DeleteObject", #"{"StringNotEquals":{"s3:if-match":"\"e\""}}"#)
        let other = try gate.decide(batch.signed()).plan.given(body: document.replacing("\"e\"", with: "\"f\""))
        #expect(try !other.reply().text.contains("<Deleted>"))
        try expect(403, .accessDenied, gate.decide(Call("DELETE", "/photos/a").signed()))
        #expect(try gate.decide(Call("DELETE", "/photos/a", [("if-match", "\"e\"")]).signed()).outcome == .allowed)
    }

    @Test("What a copy asks of its source is said in fields of its own")
    func sources() throws {
        var gate = Gate()
        gate.policies = try Self.denying("s3:GetObject", #"{"StringNotEquals":{"s3:if-match":"\"e\""}}"#)
        let copy = Call("PUT", "/photos/b", [("x-amz-copy-source", "/photos/a")])
        try expect(403, .accessDenied, gate.decide(copy.with("if-match", "\"e\"").signed()))
        #expect(try gate.decide(copy.with("x-amz-copy-source-if-match", "\"e\"").signed()).outcome == .allowed)
    }

    @Test("A gateway that drops the condition of a write has no signature for it")
    func gateways() throws {
        var gate = Gate()
        gate.gateways = GatewayRules(gateways: [try #require(CIDR("10.0.0.0/8"))], stripPrefix: "/s3")
        gate.policies = try Self.createOnly()
        func ask(_ method: String, _ fields: [(String, String)]) throws -> Reply {
            let check = Call("GET", "/-/authz/nginx", fields).with("x-original-method", method)
                .with("x-original-uri", "/s3/photos/a").with("content-length", "0").by(.root)
            return try gate.decide(check, from: "10.1.2.3").reply()
        }
        #expect(try ask("PUT", []).status == 403)
        let signed = try ask("PUT", [("if-none-match", "*")])
        #expect(signed.status == 200)
        #expect(signed.fields.string("authorization")?.contains("SignedHeaders=host;if-none-match;") == true)
        let read = try ask("GET", [("if-none-match", "\"e\"")])
        #expect(read.fields.string("authorization")?.contains("if-none-match") == false)
    }
}
