import Admission
import Crypto
import HTTP1
import Identity
import Pipeline
import S3API
import Signatures
import Testing
import WireFormats

@Suite("The JSON API is read whole, from callers who are known")
struct APITests {
    private static let call = Call("POST", "/-/v1/downloads", length: 2)

    private func asked(_ call: Call, body: String = "{}") async throws -> (Decision, APICall?) {
        let desk = Desk()
        var gate = Gate(desk: desk)
        let decision = try gate.decide(call)
        guard case .collect = decision.plan else { return (decision, nil) }
        guard case .wait(let make) = try decision.plan.given(body: body), case .reply(let reply) = await make() else {
            return (decision, nil)
        }
        #expect(reply.status == 299)
        return (decision, await desk.last)
    }

    @Test("A call comes with its path decoded, its body and the rights of whoever asks")
    func call() async throws {
        let (decision, call) = try await asked(Call("POST", "/-/v1/up%2Floads/a%20b?x=1", length: 2).by(.alice))
        let asked = try #require(call)
        #expect(decision.principal == .user("alice"))
        #expect(asked.path == ["up/loads", "a b"])
        #expect(asked.query.first("x") == Array("1".utf8))
        #expect(asked.body == Array("{}".utf8))
        #expect(asked.caller.principal == .user("alice"))
        let photos = try #require(BucketName(validating: "photos"))
        let docs = try #require(BucketName(validating: "docs"))
        let read = ActionSet(.getObject)
        #expect(asked.caller.verdict(on: read, at: .object(photos, ObjectKey("a"))).isAllowed)
        #expect(!asked.caller.verdict(on: read, at: .object(docs, ObjectKey("a"))).isAllowed)
    }

    @Test("Who shows no credential, or a bad one, is not answered by the desk")
    func anonymous() async throws {
        let (none, first) = try await asked(Self.call)
        #expect(first == nil)
        try expect(403, .missingAuthenticationToken, none)
        let (bad, second) = try await asked(Self.call.with("x-api-key", "wrong"))
        #expect(second == nil)
        try expect(401, .invalidAPIKey, bad)
    }

    @Test("A signed body is held against its hash")
    func signedBody() async throws {
        let signed = Self.call.signed(by: .full, payload: .sha256(Array(SHA256.hash(data: Array("{}".utf8)))))
        #expect(try await asked(signed).1 != nil)
        #expect(try await asked(signed, body: "[]").1 == nil)
    }

    @Test("The description is for everybody, and a path that nothing is at says so")
    func description() throws {
        var gate = Gate(desk: Desk())
        guard case .reply(let described) = try gate.decide(Call("GET", "/-/openapi.json")).plan,
            case .reply(let lost) = try gate.decide(Call("POST", "/-/openapi.json")).plan
        else {
            Issue.record("not answered at once")
            return
        }
        #expect(described.status == 200)
        #expect(described.body == Array("{\"openapi\":\"3.1.0\"}".utf8))
        #expect(lost.status == 404)
        let text = String(decoding: lost.body, as: UTF8.self)
        #expect(text.contains("\"code\":\"NotFound\""))
        #expect(text.contains("\"resource\":\"/-/openapi.json\""))
        #expect(lost.fields.first("cache-control")?.elementsEqual("no-store".utf8) == true)
    }

    @Test(
        "Paths that can't be read are refused",
        arguments: ["/-/v1/", "/-/v1//downloads", "/-/v1/%zz", "/-/v1/%ff", "/-/v1/downloads?%zz"]
    )
    func unreadable(path: String) async throws {
        let (decision, call) = try await asked(Call("POST", path, length: 2).by(.alice))
        #expect(call == nil)
        try expect(400, .invalidURI, decision)
    }
}

/// Remembers what it was asked.
private actor Desk: APIDesk {
    nonisolated let document = Array("{\"openapi\":\"3.1.0\"}".utf8)
    private(set) var last: APICall?

    func answer(_ call: APICall) async -> Reply {
        last = call
        return Reply(status: 299)
    }

    func take(_ push: EventPush.Delivered) async -> Reply { Reply(status: 298) }
}
