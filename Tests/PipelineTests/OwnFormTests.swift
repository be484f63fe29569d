import Admission
import Backends
import HTTP1
import Identity
import NIOCore
import Pipeline
import S3API
import Testing
import WireFormats

@Suite("Forms that lead back to Gatehouse")
struct OwnFormTests {
    /// What alice is given for a file of seven bytes.
    private static func form(bucket: String = "photos", for length: Int64 = 7) async throws -> SignedForm {
        let desk = Signing(bucket: bucket, length: length)
        var gate = Gate(desk: desk)
        gate.policies = try .everything(for: "user:alice")
        let call = Call("POST", "/-/v1/x", length: 2).by(.alice)
        guard case .wait(let make) = try gate.decide(call).plan.given(body: "{}") else { throw OtherPlan() }
        _ = await make()
        return try #require(await desk.form)
    }

    /// Sends it, perhaps spoiled, with a file.
    private static func send(
        _ fields: [(name: String, value: String)],
        _ file: String = "content",
        to path: String = "/local",
        at now: Instant = noon,
        head: [(String, String)] = [],
        ownerIsDenied: Bool = false
    ) throws -> Decision {
        var gate = Gate()
        gate.policies = ownerIsDenied ? PolicySet() : try .everything(for: "user:alice")
        var body = ""
        for (name, value) in fields {
            body += "--b0\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
        }
        body += "--b0\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n\(file)\r\n--b0--\r\n"
        let call = Call(
            "POST",
            path,
            head + [("content-type", "multipart/form-data; boundary=b0")],
            length: Int64(body.utf8.count)
        )
        let first = try gate.decide(call, at: now)
        guard case .readForm(var reader, var findings) = first.plan else { return first }
        findings.form = try reader.take(ByteBuffer(string: body)) ?? reader.finish()
        return try gate.decide(call, at: now, knowing: findings)
    }

    @Test("It leads to the store where clients reach that, else here, and says so")
    func leads() async throws {
        let here = try await Self.form(bucket: "local")
        #expect(here.via == .gatehouse)
        #expect(here.form.url == "https://files.example.com/local")
        let there = try await Self.form(bucket: "photos")
        #expect(there.via == .store)
        #expect(there.form.url == "http://north/photos")
    }

    @Test("Its holder puts the one file, with its owner's rights, and the log knows the form")
    func used() async throws {
        let signed = try await Self.form(bucket: "local")
        let decision = try Self.send(signed.form.fields)
        #expect(decision.outcome == .allowed, "\(decision.reason)")
        #expect(decision.principal == .user("alice"))
        #expect(decision.reason.hasSuffix("signed form \(signed.id)"))
        let forward = try decision.forward()
        #expect(text(forward.request.path) == "/local/.gatehouse/quarantine/0123/a%20b.png")
        #expect(forward.request.fields.string("content-type") == "image/png")
        #expect(forward.request.fields.string("x-amz-security-token") == nil)
    }

    @Test("It ends with its policy, and with its owner's rights")
    func ends() async throws {
        let fields = try await Self.form(bucket: "local").form.fields
        #expect(try Self.send(fields, at: noon + .seconds(60)).outcome == .allowed)
        #expect(try Self.send(fields, at: noon + .seconds(61)).outcome == .denied)
        #expect(try Self.send(fields, ownerIsDenied: true).outcome == .denied)
    }

    enum Spoiled: CaseIterable {
        case longer, shorter, otherKey, ownKey, otherType, otherBucket, otherToken, noToken, otherKeyID, signature
        case policy, extraField, apiKeyBeside, noSignature, dateMoved
    }

    @Test("Nothing else can be put with it", arguments: Spoiled.allCases)
    func spoiled(_ how: Spoiled) async throws {
        var fields = try await Self.form(bucket: "local").form.fields
        var (file, path, head) = ("content", "/local", [(String, String)]())
        func set(_ name: String, _ value: String?) {
            fields = fields.compactMap { field -> (name: String, value: String)? in
                guard field.name.lowercased() == name else { return field }
                return value.map { (name: field.name, value: $0) }
            }
        }
        let other = try await Self.form(bucket: "local", for: 8).form.fields
        func others(_ name: String) -> String? { other.first { $0.name == name }?.value }
        switch how {
        case .longer: file = "content and more"
        case .shorter: file = "c"
        case .otherKey: set("key", ".gatehouse/quarantine/0123/other.png")
        case .ownKey: set("key", "a b.png")
        case .otherType: set("content-type", "text/html")
        case .otherBucket: path = "/photos"
        case .otherToken: set("x-amz-security-token", others("x-amz-security-token"))
        case .noToken: set("x-amz-security-token", nil)
        case .otherKeyID: set("x-amz-credential", "AKFULL/20250615/us-east-1/s3/aws4_request")
        case .signature: set("x-amz-signature", String(repeating: "0", count: 64))
        case .policy: set("policy", others("policy"))
        case .extraField: fields.append(("acl", "public-read"))
        case .apiKeyBeside: head = [("x-api-key", User.root.rawValue)]
        case .noSignature: set("x-amz-signature", nil)
        case .dateMoved: set("x-amz-date", "20250615T150641Z")
        }
        let decision = try Self.send(fields, file, to: path, head: head)
        #expect(decision.outcome != .allowed)
        #expect((400...403).contains(try decision.reply().status))
    }

    @Test("The key of a form signs nothing but a form, and that of a URL no form")
    func keptApart() async throws {
        let fields = try await Self.form(bucket: "local").form.fields
        let token = try #require(fields.first { $0.name == "x-amz-security-token" }?.value)
        let stolen = Call("GET", "/local/a.txt").with("x-amz-security-token", token)
        var gate = Gate()
        #expect(try gate.decide(stolen.signed()).outcome == .unauthenticated)
        #expect(try gate.decide(stolen).outcome == .unauthenticated)
    }
}

/// Signs a form for a file, whatever it is asked.
private actor Signing: APIDesk {
    nonisolated let document: [UInt8] = []
    private let bucket: String
    private let length: Int64
    private(set) var form: SignedForm?

    init(bucket: String, length: Int64) {
        self.bucket = bucket
        self.length = length
    }

    func answer(_ call: APICall) async -> Reply {
        guard let name = BucketName(validating: bucket) else { return Reply(status: 400) }
        var fields = FieldBlock()
        fields.append("content-type", "image/png")
        var wish = URLWish(
            .put,
            ActionSet(.putObject),
            bucket: name,
            key: ObjectKey("a b.png"),
            fields: fields,
            lifetime: .seconds(60)
        )
        wish.place = ObjectKey(".gatehouse/quarantine/0123/a b.png")
        let random = Array(0..<28).map { UInt8($0) + UInt8(length) }
        form = try? call.caller.form(for: wish, length: length, random: random, at: call.now)
        return Reply(status: 200)
    }
}
