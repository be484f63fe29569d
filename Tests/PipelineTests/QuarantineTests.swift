import HTTP1
import Identity
import Pipeline
import S3API
import Testing
import WireFormats

@Suite("What was uploaded and not yet looked at is nobody's")
struct QuarantineTests {
    private static let key = ".gatehouse/quarantine/0123/a.png"

    @Test(
        "Nobody reads, writes, lists the parts of, or copies it",
        arguments: ["GET", "HEAD", "PUT", "DELETE"]
    )
    func refused(method: String) throws {
        var gate = Gate()
        let call = Call(method, "/photos/\(Self.key)", length: method == "PUT" ? 5 : nil).signed(by: .full)
        let decision = try gate.decide(call)
        #expect(decision.outcome == .denied)
        #expect(decision.reason == "quarantine")
        let copy = Call("PUT", "/photos/mine", length: 0).with("x-amz-copy-source", "/photos/\(Self.key)")
        #expect(try gate.decide(copy.signed(by: .full)).reason == "quarantine")
        #expect(try gate.decide(Call("GET", "/photos/.gatehouse/other").signed(by: .full)).outcome == .allowed)
    }

    @Test("The key that bytes are meant for stands behind their place")
    func meant() throws {
        let rules = UploadRules()
        let place = try rules.quarantined(ObjectKey("a/b.png"), of: "0123")
        #expect(place == ObjectKey(".gatehouse/quarantine/0123/a/b.png"))
        #expect(rules.key(behind: place) == ObjectKey("a/b.png"))
        #expect(rules.key(behind: ObjectKey(".gatehouse/quarantine/0123/")) == nil)
        #expect(rules.key(behind: ObjectKey(".gatehouse/quarantine/0123")) == nil)
        #expect(rules.key(behind: ObjectKey("a/b.png")) == nil)
        #expect(throws: S3Error.self) {
            try rules.quarantined(ObjectKey(String(repeating: "x", count: 1020)), of: "0123")
        }
    }
}

@Suite("Stores push events with a token of their own")
struct EventPushTests {
    private func outcome(_ call: Call, tokens: [String: String] = ["north": "right"]) throws -> Decision {
        var gate = Gate(desk: NoDesk())
        gate.uploads.eventTokens = tokens.mapValues { Secret($0) }
        return try gate.decide(call)
    }

    private func push(_ source: String = "?source=north", _ authorization: String? = "Bearer right") -> Call {
        let call = Call("POST", "/-/v1/events/s3\(source)", length: 2)
        return authorization.map { call.with("authorization", $0) } ?? call
    }

    @Test("The token of the source opens the door, and the body is read within bounds")
    func known() async throws {
        guard case .collect(let limit, let then) = try outcome(push()).plan,
            case .wait(let make) = then(Array("{}".utf8)),
            case .reply(let reply) = await make()
        else {
            Issue.record("not read")
            return
        }
        #expect(limit == 1 << 20)
        #expect(reply.status == 298)
        #expect(reply.body == Array("north".utf8))
    }

    @Test(
        "Every other token is refused before a byte is read",
        arguments: [
            ("?source=north", "Bearer wrong"), ("?source=north", nil), ("?source=north", "Bearer "),
            ("?source=north", "Basic right"), ("?source=south", "Bearer right"), ("?source=south", "Bearer "),
        ]
    )
    func unknown(source: String, authorization: String?) throws {
        try expect(401, .invalidBearerToken, try outcome(push(source, authorization)))
    }

    @Test(
        "A source that is not named, or twice, is refused",
        arguments: ["", "?source=north&source=north", "?sauce=north"]
    )
    func unnamed(query: String) throws {
        try expect(400, .invalidArgument, try outcome(push(query)))
    }
}

struct NoDesk: APIDesk {
    let document: [UInt8] = []
    func answer(_ call: APICall) async -> Reply { Reply(status: 404) }
    func take(_ push: EventPush.Delivered) async -> Reply {
        var reply = Reply(status: 298)
        reply.body = Array(push.source.utf8)
        return reply
    }
}
