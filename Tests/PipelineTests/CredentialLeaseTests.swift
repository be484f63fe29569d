import Backends
import HTTP1
import Identity
import Pipeline
import S3API
import Synchronization
import Testing
import WireFormats

@Suite("Stores' credentials that are obtained: never without one, never with one that ends")
struct CredentialLeaseTests {
    private static let read = Call("GET", "/leased/a.txt").with("x-api-key", User.root.rawValue)

    /// Gives what the test has it give, and remembers what it was told.
    private final class Office: CredentialOffice {
        let finding: @Sendable () -> CredentialFinding
        let wanted = Mutex(0)
        let refusals = Mutex<[Int]>([])

        init(_ finding: @escaping @Sendable () -> CredentialFinding) {
            self.finding = finding
        }

        func obtain(_ source: CredentialSource) async -> CredentialFinding {
            wanted.withLock { $0 += 1 }
            return finding()
        }

        func refused(_ source: CredentialSource, version: Int) { refusals.withLock { $0.append(version) } }
    }

    private static func lease(_ office: Office, version: Int? = nil, lasting: Duration = .seconds(3600)) throws
        -> CredentialLease
    {
        let session = AWSSession(
            .instance,
            endpoint: try #require(ServiceURL("https://sts.eu-west-1.amazonaws.com")),
            region: "eu-west-1"
        )
        let term = version.map { version in
            CredentialLease.Term(
                version: version,
                expiresAt: noon + lasting,
                usableUntil: noon + lasting - min(.seconds(60), lasting / 10)
            )
        }
        return CredentialLease(.aws(session), term: term, from: office)
    }

    private static let nothing = CredentialFinding.unavailable(reason: "AccessDenied", retryAfter: .milliseconds(2500))

    private func accessKey(_ plan: Plan) -> String? {
        guard case .forward(let forward) = plan, let value = forward.request.fields.string("authorization") else {
            return nil
        }
        return value.split(separator: "=").dropFirst().first.map { String($0.prefix { $0 != "/" }) }
    }

    @Test("A request without a credential waits for one, and is decided again with it")
    func waits() async throws {
        var later = Gate()
        let never = Office { Self.nothing }
        later.lease = try Self.lease(never, version: 7)
        let snapshot = try later.snapshot()
        let office = Office { .obtained(snapshot) }
        var gate = Gate()
        gate.lease = try Self.lease(office)
        let first = try gate.decide(Self.read)
        guard case .wait(let make) = first.plan else {
            Issue.record("it did not wait")
            return
        }
        #expect(!first.isFinal)
        guard case .reconsider(let findings) = await make() else {
            Issue.record("nothing was found")
            return
        }
        let second = try gate.decide(Self.read, knowing: findings)
        #expect(accessKey(second.plan) == "ASIA7")
        #expect(second.isFinal)
        #expect(office.wanted.withLock { $0 } == 1)
    }

    @Test("Without any the client is told 503 with a code and when to come again, and not why")
    func unavailable() async throws {
        let office = Office { Self.nothing }
        var gate = Gate()
        gate.lease = try Self.lease(office)
        guard case .wait(let make) = try gate.decide(Self.read).plan, case .reconsider(let findings) = await make()
        else {
            Issue.record("it did not wait")
            return
        }
        let decision = try gate.decide(Self.read, knowing: findings)
        guard case .reply(let reply) = decision.plan else {
            Issue.record("no answer")
            return
        }
        #expect(reply.status == 503)
        #expect(reply.fields.string("retry-after") == "2")
        let body = String(decoding: reply.body, as: UTF8.self)
        #expect(body.contains("BackendCredentialUnavailable"))
        #expect(!body.contains("AccessDenied"))
        #expect(decision.reason == "no credential for the store: AccessDenied")
    }

    @Test("A credential that is about to end is not used; one that is not costs no wait")
    func aboutToEnd() throws {
        let office = Office { Self.nothing }
        var gate = Gate()
        gate.lease = try Self.lease(office, version: 1)
        #expect(accessKey(try gate.decide(Self.read, at: noon + .seconds(3539)).plan) == "ASIA1")
        guard case .wait = try gate.decide(Self.read, at: noon + .seconds(3540)).plan else {
            Issue.record("it was signed with what is about to end")
            return
        }
    }

    @Test("A snapshot that brings nothing better is not waited for without end")
    func rounds() async throws {
        var old = Gate()
        old.lease = try Self.lease(Office { Self.nothing })
        let snapshot = try old.snapshot()
        var gate = Gate()
        gate.lease = try Self.lease(Office { .obtained(snapshot) })
        var findings = Findings()
        for _ in 1...3 {
            guard case .wait(let make) = try gate.decide(Self.read, knowing: findings).plan,
                case .reconsider(let found) = await make()
            else { return }
            findings = found
        }
        guard case .reply(let reply) = try gate.decide(Self.read, knowing: findings).plan else {
            Issue.record("it waits for ever")
            return
        }
        #expect(reply.status == 503)
    }

    @Test("Who may not do it makes nobody ask for a credential")
    func deniedFirst() throws {
        let office = Office { Self.nothing }
        var gate = Gate()
        gate.lease = try Self.lease(office)
        let call = Call("GET", "/leased/a.txt").with("x-api-key", User.alice.rawValue)
        #expect(try gate.decide(call).outcome == .denied)
    }

    @Test("A store that refuses our credential has another one asked for, and a plain refusal has not")
    func refusedByTheStore() throws {
        let office = Office { Self.nothing }
        var gate = Gate()
        gate.lease = try Self.lease(office, version: 4)
        let stored = { (code: String) in
            Array("<Error><Code>\(code)</Code><Message>m</Message></Error>".utf8)
        }
        for (code, expected) in [("AccessDenied", []), ("ExpiredToken", [4]), ("InvalidAccessKeyId", [4, 4])] {
            guard case .forward(let forward) = try gate.decide(Self.read).plan else {
                Issue.record("not forwarded")
                return
            }
            let head = ResponseHead(status: 403, fields: FieldBlock(), framing: .length(100))
            guard case .collect(_, let then) = forward.answer(head), case .reply(let reply) = then(stored(code)) else {
                Issue.record("no answer")
                return
            }
            #expect(reply.status == (code == "AccessDenied" ? 403 : 502))
            #expect(office.refusals.withLock { $0 } == expected)
        }
    }

    @Test("A URL to the store ends with the session that signed it, and says so")
    func urlsEnd() async throws {
        let office = Office { Self.nothing }
        let lease = try Self.lease(office, version: 1, lasting: .seconds(600))
        let rights = try await rightsOfRoot { $0.lease = lease }
        let key = ObjectKey("a.txt")
        let bucket = try #require(BucketName(validating: "leased"))
        let wish = URLWish(.get, S3Operation.getObject.actions, bucket: bucket, key: key, lifetime: .seconds(3600))
        let random = [UInt8](repeating: 1, count: Rights.randomBytesOfURL)
        let url = try rights.url(for: wish, random: random, at: noon)
        #expect(url.via == .store)
        #expect(url.cappedBy == .backendCredential)
        #expect(url.expiresAt == noon + .seconds(600))
        #expect(url.url.contains("X-Amz-Security-Token=session-token"))
        // What is about to end signs nothing: the URL leads here, and lasts.
        let late = try rights.url(for: wish, random: random, at: noon + .seconds(550))
        #expect(late.via == .gatehouse)
        #expect(late.cappedBy == nil)
    }
}
