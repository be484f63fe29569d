import Federation
import Identity
import Logging
import Pipeline
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

    private func signatory(_ services: PlayedServices) throws -> (StoreCredentials, any URLSignatory) {
        let credentials = StoreCredentials(
            services,
            surroundings: .played(),
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

    @Test("No more than so many are asked for at once")
    func bound() async throws {
        let services = PlayedServices(
            [
                (200, Self.federated), (200, Self.impersonated),
                (200, #"{"signedBlob":"\#(Base64.encode(Self.signature))"}"#),
            ],
            pause: { try? await Task.sleep(for: .milliseconds(50)) }
        )
        let (_, signatory) = try signatory(services)
        let findings = await withTaskGroup(of: SignatureFinding.self) { tasks in
            for number in 0..<200 { tasks.addTask { await signatory.signature(of: [UInt8(number)]) } }
            return await tasks.reduce(into: [SignatureFinding]()) { $0.append($1) }
        }
        let made = findings.filter { $0 == .made(Self.signature) }.count
        #expect(made >= 1 && made <= 64)
        #expect(findings.contains(.unavailable(reason: "too many signatures are being asked for")))
        #expect(await signatory.signature(of: [1]) == .made(Self.signature), "there is room again")
    }
}
