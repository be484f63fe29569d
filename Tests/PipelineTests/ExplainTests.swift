import Crypto
import HTTP1
import Identity
import Pipeline
import S3API
import Signatures
import Testing
import WireFormats

@Suite("Explaining: every mistake that people make is named in words")
struct ExplainTests {
    private static func explain(
        _ call: Call,
        body: [UInt8]? = nil,
        hosts: [String] = [],
        at now: Instant = noon,
        server: ServerSettings = Gate.settings(),
        tokens: any TokenVerifier = NoTokens()
    ) async throws -> Explanation {
        var gate = Gate()
        gate.server = server
        return await Explainer(tokens: tokens).explain(
            call.head,
            body: body,
            otherHosts: hosts,
            from: ConnectionFacts(peer: IPAddress("192.0.2.7"), isSecure: true),
            under: try gate.snapshot(),
            at: now
        )
    }

    private static let read = Call("GET", "/photos/models/a%20b%2Bc.bin?versionId=7")

    // MARK: - What was understood

    @Test("A request that is right: understood, signed, known, and allowed by which scope")
    func right() async throws {
        let explanation = try await Self.explain(Self.read.signed(by: .models))
        #expect(explanation.understood.bucket == "photos")
        #expect(explanation.understood.key.map { text($0) } == "models/a b+c.bin")
        #expect(explanation.understood.operation == "get_object")
        #expect(explanation.understood.actions.contains("get_object"))
        #expect(explanation.signature?.verdict == .right)
        #expect(explanation.caller == "key:akmodels")
        #expect(explanation.findings.isEmpty)
        #expect(explanation.decision.outcome == "allowed")
        #expect(explanation.rules.contains { $0.contains("allowed by scope 1") && $0.contains("models/") })
        let canonical = try #require(explanation.signature?.canonicalRequest)
        #expect(canonical.hasPrefix("GET\n/photos/models/a%20b%2Bc.bin\nversionId=7\nhost:files.example.com\n"))
        #expect(explanation.signature?.stringToSign?.hasPrefix("AWS4-HMAC-SHA256\n") == true)
    }

    @Test("A denial says of each scope what it lacks")
    func denied() async throws {
        let outside = try await Self.explain(Call("GET", "/photos/other.txt").signed(by: .models))
        #expect(outside.decision.outcome == "denied")
        #expect(outside.decision.errorCode == "AccessDenied")
        #expect(outside.rules.contains { $0.contains("covers another part of the bucket") })
        let elsewhere = try await Self.explain(Call("GET", "/docs/other.txt").signed(by: .models))
        #expect(elsewhere.rules.contains { $0.contains("is about another bucket") })
        let writing = try await Self.explain(Call("PUT", "/photos/a", length: 1).signed(by: .reader))
        #expect(writing.rules.contains { $0.contains("does not name this action") })
        let watching = try await Self.explain(Call("DELETE", "/photos/a").by(.watcher))
        #expect(watching.caller == "user:watcher")
        #expect(watching.rules.contains { $0.contains("readonly") })
        let nobody = try await Self.explain(Call("GET", "/photos/a"))
        #expect(nobody.caller == "anonymous")
        #expect(nobody.decision.outcome == "denied")
    }

    @Test("What is decided is what the pipeline decides")
    func agreesWithThePipeline() async throws {
        for call in [
            Self.read.signed(), Self.read.signed(by: .models), Call("GET", "/docs/a").signed(by: .models),
            Call("PUT", "/photos/a", length: 3).by(.alice), Call("GET", "/public/a"),
            Call("GET", "/nobodys/a").by(.root),
            Call("GET", "/photos/../a").by(.root), Call("GET", "/photos/a?nonsense&acl&tagging").by(.root),
            Call("GET", "/-/health"), Call("OPTIONS", "/web/a"),
        ] {
            var gate = Gate()
            let decision = try gate.decide(call)
            let explanation = try await Self.explain(call)
            #expect(explanation.decision.outcome == "\(decision.outcome)", "\(call)")
            #expect(explanation.decision.reason == decision.reason, "\(call)")
        }
    }

    // MARK: - Mistakes

    struct Mistake: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let call: Call
        let code: Explanation.Finding.Code
        /// What the words must hold.
        let words: [String]
        var body: [UInt8]?
        var at = noon
    }

    private static func moved(_ call: Call, _ change: (inout Call) -> Void) -> Call {
        var call = call
        change(&call)
        return call
    }

    private static func field(_ name: String, _ value: String?, of call: Call) -> Call {
        var call = call
        call.fields.removeAll { $0.0.lowercased() == name }
        if let value { call.fields.append((name, value)) }
        return call
    }

    static let mistakes: [Mistake] = {
        let plain = Call("GET", "/photos/a.txt")
        let spaced = Call("GET", "/photos/a%20b.txt")
        let body = Array("hello".utf8)
        let other = PayloadHash.sha256([UInt8](repeating: 7, count: 32))
        return [
            Mistake(
                testDescription: "a proxy changed Host",
                call: moved(plain.on(host: "files.example.com").signed()) { $0.host = "10.1.2.3:9000" },
                code: .wrongHost,
                words: ["'files.example.com'", "'10.1.2.3:9000'", "Host"]
            ),
            Mistake(
                testDescription: "another port than signed",
                call: moved(plain.on(host: "localhost:9000").signed()) { $0.host = "localhost:8080" },
                code: .wrongHost,
                words: ["'localhost:9000'"]
            ),
            Mistake(
                testDescription: "signed for the store and sent here",
                call: moved(plain.on(host: "north").signed()) { $0.host = "files.example.com" },
                code: .wrongHost,
                words: ["'north'"]
            ),
            Mistake(
                testDescription: "bucket in the host for the client, in the path here",
                call: moved(Call("GET", "/a.txt").on(host: "photos.files.example.com").signed()) {
                    $0.host = "files.example.com"
                    $0.path = "/photos/a.txt"
                },
                code: .wrongHost,
                words: ["in the host or in the path"]
            ),
            Mistake(
                testDescription: "wrong region",
                call: plain.signed(region: "eu-central-1"),
                code: .wrongRegion,
                words: ["'eu-central-1'", "'us-east-1'"]
            ),
            Mistake(
                testDescription: "a signed header got lost",
                call: field("x-amz-meta-colour", nil, of: plain.with("x-amz-meta-colour", "red").signed()),
                code: .headerMissing,
                words: ["'x-amz-meta-colour'", "did not arrive"]
            ),
            Mistake(
                testDescription: "a header was added",
                call: plain.signed().with("x-amz-meta-colour", "red"),
                code: .headerNotSigned,
                words: ["'x-amz-meta-colour'", "does not cover"]
            ),
            Mistake(
                testDescription: "a presigned URL with an extra x-amz header",
                call: plain.presigned().with("x-amz-acl", "private"),
                code: .headerNotSigned,
                words: ["'x-amz-acl'"]
            ),
            Mistake(
                testDescription: "the body is not the one that was hashed",
                call: Call("PUT", "/photos/a.txt", length: 5).signed(payload: other),
                code: .bodyHash,
                words: ["5 bytes", "changed after signing"],
                body: body
            ),
            Mistake(
                testDescription: "the hash of nothing for a body",
                call: Call("PUT", "/photos/a.txt", length: 5).signed(payload: .empty),
                code: .bodyHash,
                words: ["the hash of nothing"],
                body: body
            ),
            Mistake(
                testDescription: "another payload was signed than is stated",
                call: field(
                    "x-amz-content-sha256",
                    "UNSIGNED-PAYLOAD",
                    of: Call("PUT", "/photos/a.txt", length: 5).signed(payload: .empty)
                ),
                code: .bodyHash,
                words: ["the hash of nothing"]
            ),
            Mistake(
                testDescription: "the path encoded twice when sent",
                call: moved(spaced.signed()) { $0.path = "/photos/a%2520b.txt" },
                code: .doubleEncoding,
                words: ["arrived encoded twice"]
            ),
            Mistake(
                testDescription: "the path encoded twice for signing",
                call: moved(Call("GET", "/photos/a%2520b.txt").signed()) { $0.path = "/photos/a%20b.txt" },
                code: .doubleEncoding,
                words: ["encoded the path twice for signing"]
            ),
            Mistake(
                testDescription: "a plus for a space in the path",
                call: moved(spaced.signed()) { $0.path = "/photos/a+b.txt" },
                code: .plusSign,
                words: ["'+'", "%20"]
            ),
            Mistake(
                testDescription: "a space for a plus in the path",
                call: moved(Call("GET", "/photos/a%2Bb.txt").signed()) { $0.path = "/photos/a%20b.txt" },
                code: .plusSign,
                words: ["%2B"]
            ),
            Mistake(
                testDescription: "a raw plus in the query",
                call: moved(Call("GET", "/photos?prefix=a%2Bb").signed()) { $0.query = "prefix=a+b" },
                code: .plusSign,
                words: ["%2B"]
            ),
            Mistake(
                testDescription: "a slash at the end taken away",
                call: moved(Call("GET", "/photos/folder/").signed()) { $0.path = "/photos/folder" },
                code: .wrongPath,
                words: ["taken away"]
            ),
            Mistake(
                testDescription: "a parameter added to a presigned URL",
                call: moved(plain.presigned()) { $0.query = ($0.query ?? "") + "&utm_source=mail" },
                code: .queryChanged,
                words: ["'utm_source'"]
            ),
            Mistake(
                testDescription: "a URL for GET used with HEAD",
                call: moved(plain.presigned()) { $0.method = "HEAD" },
                code: .wrongMethod,
                words: ["right for GET", "HEAD"]
            ),
            Mistake(
                testDescription: "an expired URL",
                call: plain.presigned(expiresIn: .seconds(60)),
                code: .expired,
                words: ["1 minute", "1 hour and 59 minutes"],
                at: noon + .seconds(7200)
            ),
            Mistake(
                testDescription: "a clock that is behind",
                call: plain.signed(at: noon),
                code: .clock,
                words: ["20 minutes behind"],
                at: noon + .seconds(1200)
            ),
            Mistake(
                testDescription: "a clock that is ahead",
                call: plain.signed(at: noon),
                code: .clock,
                words: ["1 hour ahead"],
                at: noon - .seconds(3600)
            ),
            Mistake(
                testDescription: "a URL from the future",
                call: plain.presigned(),
                code: .clock,
                words: ["ahead"],
                at: noon - .seconds(3600)
            ),
            Mistake(
                testDescription: "the secret of another key",
                call: plain.signed(by: .reader, secret: Key.full.secret),
                code: .wrongSecret,
                words: ["'AKREADER'", "'AKFULL'"]
            ),
            Mistake(
                testDescription: "a secret with the end of its line",
                call: plain.signed(secret: Key.full.secret + "\n"),
                code: .wrongSecret,
                words: ["white space"]
            ),
            Mistake(
                testDescription: "a secret of nobody's",
                call: plain.signed(secret: "a guess"),
                code: .mismatch,
                words: ["another secret", "host"]
            ),
            Mistake(
                testDescription: "a media type that a proxy completed",
                call: field(
                    "content-type",
                    "text/plain; charset=utf-8",
                    of: signedWithContentType("text/plain")
                ),
                code: .headerChanged,
                words: ["'content-type'", "'text/plain'"]
            ),
            Mistake(
                testDescription: "a disabled key",
                call: plain.signed(by: .disabled),
                code: .keyNotUsable,
                words: ["disabled"]
            ),
            Mistake(
                testDescription: "an expired key",
                call: plain.signed(by: .expired),
                code: .keyNotUsable,
                words: ["expired"]
            ),
        ]
    }()

    /// A header signature that covers Content-Type, as some SDKs make it.
    private static func signedWithContentType(_ type: String) -> Call {
        var call = Call("GET", "/photos/a.txt").with("content-type", type)
        var request = OutgoingRequest(method: .get, path: Array(call.path.utf8), query: [])
        request.fields.append("host", call.host)
        request.fields.append("content-type", type)
        SigV4Signer(accessKeyID: Key.full.rawValue, secret: Secret(Key.full.secret), region: "us-east-1")
            .sign(&request, payload: .empty, at: noon, alsoSigning: ["content-type"])
        call.fields = request.fields.entries.dropFirst().map { entry in
            (text(request.fields.name(entry)), text(request.fields.value(entry)))
        }
        return call
    }

    @Test("Each mistake is named", arguments: mistakes)
    func mistake(_ mistake: Mistake) async throws {
        let explanation = try await Self.explain(mistake.call, body: mistake.body, at: mistake.at)
        let found = explanation.findings.filter { $0.code == mistake.code }
        #expect(!found.isEmpty, "found instead: \(explanation.findings)")
        for word in mistake.words {
            #expect(found.contains { $0.message.contains(word) }, "\(word) is not in \(found)")
        }
    }

    @Test("What is wrong beside the signature does not hide that the signature is right")
    func severalAtOnce() async throws {
        let call = Call("GET", "/photos/a.txt").signed(region: "eu-central-1").with("x-amz-meta-a", "b")
        let explanation = try await Self.explain(call, at: noon + .seconds(3600))
        #expect(Set(explanation.findings.map(\.code)) == [.clock, .wrongRegion, .headerNotSigned])
        #expect(explanation.signature?.verdict == .right)
        #expect(explanation.decision.outcome == "unauthenticated")
        #expect(explanation.caller == nil)
    }

    @Test("A host that only the asker knows is tried")
    func furtherHost() async throws {
        var call = Call("GET", "/photos/a.txt").on(host: "storage.corp.example").signed()
        call.host = "files.example.com"
        let without = try await Self.explain(call)
        #expect(without.findings.map(\.code) == [.mismatch])
        let with = try await Self.explain(call, hosts: ["storage.corp.example"])
        #expect(with.findings.map(\.code) == [.wrongHost])
    }

    @Test("A forwarded host that is not believed is mentioned")
    func forwardedHost() async throws {
        var call = Call("GET", "/photos/a.txt").on(host: "cdn.example.net").signed()
        call.host = "files.example.com"
        let explanation = try await Self.explain(call.with("x-forwarded-host", "cdn.example.net"))
        #expect(explanation.findings.contains { $0.code == .note && $0.message.contains("trusted_proxies") })
        #expect(explanation.findings.contains { $0.code == .wrongHost && $0.message.contains("'cdn.example.net'") })
    }

    @Test("An unknown key is named, and one that differs in case only is hinted at")
    func unknownKey() async throws {
        var call = Call("GET", "/photos/a.txt").signed()
        call.fields = call.fields.map { ($0.0, $0.1.replacing("AKFULL", with: "akfull")) }
        let explanation = try await Self.explain(call)
        #expect(explanation.findings.map(\.code) == [.unknownKey])
        #expect(explanation.findings.first?.message.contains("'AKFULL'") == true)
        #expect(explanation.signature?.verdict == .unchecked)
    }

    // MARK: - Version 2

    /// The URL of the developer guide's form: method, type, expiry and resource, under HMAC-SHA1.
    private static func presigned2(_ method: String, _ path: String, secret: String = Key.full.secret) -> Call {
        let expires = noon.secondsSince1970 + 60
        let text = "\(method)\n\n\n\(expires)\n\(path)"
        let code = HMAC<Insecure.SHA1>.authenticationCode(
            for: Array(text.utf8),
            using: SymmetricKey(data: Array(secret.utf8))
        )
        let signature = String(
            decoding: PercentEncoding.encode(Base64.encode(Array(code)).utf8, keepSlash: .encode),
            as: UTF8.self
        )
        return Call(method, "\(path)?AWSAccessKeyId=AKFULL&Expires=\(expires)&Signature=\(signature)")
    }

    @Test("A URL of version 2: right, for another method, with a type, too late, and with a wrong secret")
    func version2() async throws {
        let right = try await Self.explain(Self.presigned2("GET", "/photos/a.txt"))
        #expect(right.signature?.verdict == .right)
        #expect(right.signature?.stringToSign?.hasSuffix("/photos/a.txt") == true)
        #expect(right.findings.isEmpty)
        let late = try await Self.explain(Self.presigned2("GET", "/photos/a.txt"), at: noon + .seconds(120))
        #expect(late.findings.map(\.code) == [.expired])
        let head = try await Self.explain(Self.moved(Self.presigned2("GET", "/photos/a.txt")) { $0.method = "HEAD" })
        #expect(head.findings.map(\.code) == [.wrongMethod])
        let typed = Self.presigned2("PUT", "/photos/a.txt").with("content-type", "text/plain")
        #expect(try await Self.explain(typed).findings.map(\.code) == [.headerChanged])
        let guessed = Self.presigned2("GET", "/photos/a.txt", secret: "a guess")
        #expect(try await Self.explain(guessed).findings.map(\.code) == [.mismatch])
        let mixed = Self.presigned2("GET", "/photos/a.txt", secret: Key.reader.secret)
        #expect(try await Self.explain(mixed).findings.map(\.code) == [.wrongSecret])
    }

    // MARK: - What never comes out

    @Test("No signature, secret or token comes out, neither the request's own nor the right one", arguments: mistakes)
    func nothingToReplay(_ mistake: Mistake) async throws {
        let secrets = ["x-amz-security-token": "planted-token", "cookie": "planted-cookie"]
        var call = mistake.call
        for (name, value) in secrets { call = call.with(name, value) }
        for (name, value) in [("x-amz-security-token", "planted-token")] {
            call.query = (call.query.map { $0 + "&" } ?? "") + "\(name)=\(value)"
        }
        let explanation = try await Self.explain(call, body: mistake.body, at: mistake.at)
        let shown = String(reflecting: explanation)
        for planted in secrets.values { #expect(!shown.contains(planted)) }
        for key in Key.allCases { #expect(!shown.contains(key.secret)) }
        for signature in Self.signatures(in: mistake.call) { #expect(!shown.contains(signature)) }
        // The right one, for whichever host is tried.
        for host in ["files.example.com", mistake.call.host] {
            var unsigned = mistake.call
            unsigned.fields.removeAll { ["authorization", "x-amz-date", "x-amz-content-sha256"].contains($0.0) }
            unsigned.host = host
            for signature in Self.signatures(in: unsigned.signed(at: mistake.at)) {
                #expect(!shown.contains(signature))
            }
        }
    }

    private static func signatures(in call: Call) -> [String] {
        let texts = call.fields.filter { $0.0 == "authorization" }.map(\.1) + [call.query ?? ""]
        return texts.compactMap { text in
            text.firstRange(of: "Signature=").map { String(text[$0.upperBound...].prefix { $0.isHexDigit }) }
        }
        .filter { $0.count == 64 }
    }

    @Test("A signed token is masked in the canonical request, and said to be")
    func maskedToken() async throws {
        let call = Call("GET", "/photos/a.txt").with("x-amz-security-token", "planted-token").signed()
        let explanation = try await Self.explain(call)
        #expect(explanation.signature?.masked == ["x-amz-security-token"])
        #expect(explanation.signature?.canonicalRequest?.contains("x-amz-security-token:***\n") == true)
    }

    // MARK: - Routes

    @Test("A route is named, with the object that it means for the caller")
    func routes() async throws {
        let identity = TokenIdentity(
            provider: "auth",
            subject: "photos",
            claims: ["sub": "photos"],
            expiresAt: noon + .seconds(60)
        )
        var gate = Gate()
        gate.routes = [try route("/api/files/{id}", bucket: "{sub}", key: "models/{id}")]
        let call = Call("GET", "/api/files/7").with("authorization", "Bearer abc.def.ghi")
        let explanation = await Explainer(tokens: OneToken(finding: .verified(identity))).explain(
            call.head,
            body: nil,
            from: ConnectionFacts(peer: IPAddress("192.0.2.7"), isSecure: true),
            under: try gate.snapshot(),
            at: noon
        )
        #expect(explanation.understood.kind == .route)
        #expect(explanation.understood.route == "/api/files/{id}")
        #expect(explanation.understood.bucket == "photos")
        #expect(explanation.understood.key.map { text($0) } == "models/7")
        #expect(explanation.decision.outcome == "allowed")
        #expect(explanation.rules.contains { $0.contains("get_object") })
    }

    @Test("A bucket in a host that is in no domain of ours: that is said, and not only that the path names no bucket")
    func unknownHost() async throws {
        for path in ["/README.md", "/models/a"] {
            let explanation = try await Self.explain(Call("GET", path).on(host: "photos.localhost:9000"))
            #expect(
                explanation.findings.contains {
                    $0.code == .note && $0.message.contains("'photos.localhost:9000' is in none of [server] domains")
                        && $0.message.contains("'s3.example.com'") && $0.message.contains("add 'localhost'")
                },
                "\(explanation.findings)"
            )
        }
        let plain = try await Self.explain(Call("GET", "/nobodys/a").on(host: "files.example.com"))
        #expect(!plain.findings.contains { $0.message.contains("domains") })
        let inPath = try await Self.explain(Call("GET", "/photos/a").on(host: "photos.localhost"))
        #expect(!inPath.findings.contains { $0.message.contains("domains") })
    }

    // MARK: - Other credentials

    @Test("Tokens are verified, and what they permit is said")
    func bearer() async throws {
        let identity = TokenIdentity(
            provider: "auth",
            subject: "photos",
            claims: ["sub": "photos"],
            expiresAt: noon + .seconds(60)
        )
        let call = Call("GET", "/photos/a.txt").with("authorization", "Bearer abc.def.ghi")
        let explanation = try await Self.explain(call, tokens: OneToken(finding: .verified(identity)))
        #expect(explanation.caller == "idp:auth:photos")
        #expect(explanation.credential == "bearer token")
        #expect(explanation.decision.outcome == "allowed")
        #expect(!String(reflecting: explanation).contains("abc.def.ghi"))
        let forged = TokenFinding.refused(reason: "its signature is wrong", failure: "token_signature")
        let refused = try await Self.explain(call, tokens: OneToken(finding: forged))
        #expect(refused.decision.outcome == "unauthenticated")
        #expect(refused.findings.contains { $0.message.contains("its signature is wrong") })
    }

    private struct OneToken: TokenVerifier {
        let finding: TokenFinding

        func known(_ token: BearerToken, under snapshot: Snapshot, at now: Instant) -> TokenFinding? { nil }
        func verify(_ token: BearerToken, under snapshot: Snapshot, at now: Instant) async -> TokenFinding { finding }
    }
}
