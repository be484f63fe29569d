import Federation
import Identity
import Logging
import Pipeline
import Samples
import Testing
import WireFormats

@Suite("Signatures that Google makes for a service account")
struct SignatoryTests {
    private static let federated =
        #"{"access_token":"ya29.federated","token_type":"Bearer","expires_in":3600}"#
    private static let impersonated = #"{"accessToken":"ya29.account","expireTime":"2026-01-01T01:00:00Z"}"#
    private static let signature = [UInt8](repeating: 9, count: 256)

    private func workload(_ account: String?) throws -> GoogleWorkload {
        GoogleWorkload(
            .own(subject: "s3-proxy", audience: "https://iam.googleapis.com/x"),
            provider: "projects/1/locations/global/workloadIdentityPools/p/providers/x",
            serviceAccount: account,
            endpoint: try #require(ServiceURL("https://sts.googleapis.com")),
            credentialsEndpoint: try #require(ServiceURL("https://iamcredentials.googleapis.com"))
        )
    }

    private func signatory(
        _ services: PlayedServices,
        _ rules: SignatureRules = SignatureRules()
    ) throws -> (StoreCredentials, any URLSignatory) {
        let credentials = StoreCredentials(
            services,
            surroundings: .played(),
            signing: rules,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        credentials.adopt(try StoreCredentialsTests.snapshot())
        let workload = try workload("data@project.iam.gserviceaccount.com")
        return (credentials, try #require(credentials.signatory(of: workload)))
    }

    @Test("The text is signed under the impersonated token, which is obtained first")
    func signs() async throws {
        let services = PlayedServices([
            (200, Self.federated), (200, Self.impersonated),
            (200, #"{"keyId":"k","signedBlob":"\#(Base64.encode(Self.signature))"}"#),
        ])
        let (credentials, signatory) = try signatory(services)
        #expect(await signatory.signature(of: Array("text".utf8)) == .made(Self.signature))
        #expect(await signatory.signature(of: Array("other".utf8)) == .made(Self.signature))
        let condition = try #require(credentials.signatureConditions.first)
        #expect((condition.made, condition.failures, condition.problem) == (2, 0, nil))
        let asked = services.asked
        #expect(asked.count == 4, "the token is had once")
        #expect(
            asked[2].line == "POST https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
                + "data%40project.iam.gserviceaccount.com:signBlob"
        )
        #expect(asked[2].field("authorization") == "Bearer ya29.account")
        #expect(String(decoding: asked[2].request.body.reveal(), as: UTF8.self) == #"{"payload":"dGV4dA=="}"#)
    }

    @Test("What has no service account has no keys")
    func withoutAccount() throws {
        let (credentials, _) = try signatory(PlayedServices([]))
        #expect(credentials.signatory(of: try workload(nil)) == nil)
    }

    @Test(
        "A refusal, and what is no signature, signs nothing",
        arguments: [
            (403, #"{"error":{"code":403,"message":"Permission denied.","status":"PERMISSION_DENIED"}}"#),
            (200, "{}"), (200, #"{"signedBlob":"AAAA"}"#), (200, #"{"signedBlob":"not base64!"}"#), (200, ""),
        ]
    )
    func refusals(_ status: Int, _ body: String) async throws {
        let services = PlayedServices([(200, Self.federated), (200, Self.impersonated), (status, body)])
        let (credentials, signatory) = try signatory(services)
        guard case .unavailable(let reason) = await signatory.signature(of: [1]) else {
            Issue.record("something was signed")
            return
        }
        let condition = try #require(credentials.signatureConditions.first)
        #expect((condition.made, condition.failures, condition.problem) == (0, 1, reason))
        // Whom the configuration does not name any more is forgotten.
        credentials.adopt(try StoreCredentialsTests.snapshot())
        #expect(credentials.signatureConditions.isEmpty)
        #expect(reason.hasPrefix("Google IAM credentials (iamcredentials.googleapis.com) answered "))
        #expect(status == 200 || reason.hasSuffix("403 PERMISSION_DENIED: Permission denied."))
    }

    /// What is asked for at the same time, while each answer takes its time.
    private func findings(_ count: Int, by signatory: any URLSignatory) async -> [SignatureFinding] {
        await withTaskGroup(of: SignatureFinding.self) { tasks in
            for number in 0..<count { tasks.addTask { await signatory.signature(of: [UInt8(number)]) } }
            return await tasks.reduce(into: [SignatureFinding]()) { $0.append($1) }
        }
    }

    private static let signs = [
        (200, federated), (200, impersonated), (200, #"{"signedBlob":"\#(Base64.encode(signature))"}"#),
    ]

    @Test("A hundred that are asked for at once are all made, sixty-four at a time")
    func queue() async throws {
        let barrier = Barrier()
        var rules = SignatureRules()
        rules.patience = .seconds(3600)
        let services = PlayedServices(
            Self.signs,
            pause: { request in if request.url.contains(":signBlob") { await barrier.pass() } }
        )
        let (credentials, signatory) = try signatory(services, rules)
        async let asked = findings(100, by: signatory)
        #expect(try await eventually { barrier.held == 64 })
        // A chance for the next one, were it let in.
        try await Task.sleep(for: .milliseconds(50))
        #expect(barrier.held == 64)
        barrier.open()
        #expect(await asked.allSatisfy { $0 == .made(Self.signature) })
        #expect(credentials.signatureConditions.first?.made == 100)
    }

    @Test(
        "Whoever finds the queue full, or has no turn in time, is refused, and that is counted",
        arguments: [
            (2, 3600_000, 5, "too many signatures are being asked for"),
            (100, 20, 3, "no turn to ask for a signature within 0.02 seconds"),
        ]
    )
    func bound(queue: Int, patience milliseconds: Int, made: Int, reason: String) async throws {
        var rules = SignatureRules()
        rules.most = 3
        rules.longestQueue = queue
        rules.patience = .milliseconds(milliseconds)
        let barrier = Barrier()
        let services = PlayedServices(Self.signs, pause: { _ in await barrier.pass() })
        let (credentials, signatory) = try signatory(services, rules)
        async let asked = findings(20, by: signatory)
        #expect(try await eventually { credentials.signatureConditions.first?.failures == 20 - made })
        barrier.open()
        let findings = await asked
        #expect(findings.filter { $0 == .made(Self.signature) }.count == made)
        #expect(findings.filter { $0 == .unavailable(reason: reason) }.count == 20 - made)
        let condition = try #require(credentials.signatureConditions.first)
        #expect((condition.made, condition.failures) == (made, 20 - made))
        #expect(await signatory.signature(of: [1]) == .made(Self.signature), "there is room again")
    }

    @Test("Whoever leaves while waiting takes no turn with them")
    func leaving() async throws {
        var rules = SignatureRules()
        rules.most = 1
        rules.patience = .seconds(3600)
        let barrier = Barrier()
        let services = PlayedServices(Self.signs, pause: { _ in await barrier.pass() })
        let (_, signatory) = try signatory(services, rules)
        let first = Task { await signatory.signature(of: [1]) }
        #expect(try await eventually { barrier.held == 1 })
        let impatient = Task { await signatory.signature(of: [2]) }
        let patient = Task { await signatory.signature(of: [3]) }
        impatient.cancel()
        #expect(await impatient.value == .unavailable(reason: "nobody waits any more"))
        barrier.open()
        #expect(await first.value == .made(Self.signature))
        #expect(await patient.value == .made(Self.signature))
        #expect(services.asked.count == 4, "two tokens and two signatures")
    }
}
