import Admission
import Backends
import Federation
import Identity
import Logging
import Pipeline
import S3API
import Samples
import Synchronization
import Testing
import WireFormats

@Suite("Credentials of stores, obtained for requests")
struct StoreCredentialsTests {
    private static let source = ServiceURL("https://sts.eu-west-1.amazonaws.com").map { place in
        CredentialSource.aws(
            AWSSession(
                .webIdentity(
                    .own(subject: "s3-proxy", audience: "sts.amazonaws.com"),
                    roleARN: "arn:aws:iam::123456789012:role/DataProxyAccess"
                ),
                endpoint: place,
                region: "eu-west-1"
            )
        )
    }

    private func make(_ services: PlayedServices, rules: RenewalRules = RenewalRules()) throws -> StoreCredentials {
        let credentials = StoreCredentials(
            services,
            surroundings: .played(),
            rules: rules,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        let inForce = try Self.snapshot()
        credentials.adopt(inForce)
        credentials.publish { inForce }
        return credentials
    }

    static func snapshot() throws -> Snapshot {
        Snapshot(
            generation: 1,
            server: ServerSettings(region: "us-east-1", publicURL: "https://files.example.com", requiresAudit: false),
            accessKeys: try AccessKeyTable([]),
            keyScopes: [:],
            apiKeys: try APIKeyTable([]),
            admins: [],
            policies: PolicySet(),
            limits: .unlimited,
            ownLimits: [:],
            openAccount: nil,
            buckets: [],
            provider: OIDCProvider(issuer: "https://s3proxy.example.com", keys: [try OIDCKey(pem: PEMSample.pkcs8)])
        )
    }

    private func isObtained(_ finding: CredentialFinding) -> Bool {
        if case .obtained = finding { true } else { false }
    }

    @Test("A thousand requests at once cause one exchange")
    func thousand() async throws {
        let source = try #require(Self.source)
        let services = PlayedServices(
            [(200, PlayedAnswers.session("AssumeRoleWithWebIdentity", id: "ASIA1"))],
            pause: { _ in try? await Task.sleep(for: .milliseconds(50)) }
        )
        let credentials = try make(services)
        let obtained = await withTaskGroup(of: Bool.self) { tasks in
            for _ in 1...1000 {
                tasks.addTask { self.isObtained(await credentials.obtain(source)) }
            }
            return await tasks.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(obtained == 1000)
        #expect(services.asked.count == 1)
        #expect(credentials.version == 1)
        guard case .keys(let pair)? = credentials.held[source]?.credential else {
            Issue.record("nothing is held")
            return
        }
        #expect(pair.id == "ASIA1")
    }

    @Test("What the service said is known to whoever waited")
    func refused() async throws {
        let source = try #require(Self.source)
        let services = PlayedServices([(403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>")]
        )
        let credentials = try make(services)
        guard case .unavailable(let reason, _) = await credentials.obtain(source) else {
            Issue.record("something was obtained")
            return
        }
        #expect(reason.hasSuffix("answered 403 AccessDenied"))
    }

    @Test("Whoever leaves is let go at once, and the exchange goes on for others")
    func leaving() async throws {
        let source = try #require(Self.source)
        let barrier = Barrier()
        let services = PlayedServices(
            [(200, PlayedAnswers.session("AssumeRoleWithWebIdentity", id: "ASIA1"))],
            pause: { _ in await barrier.pass() }
        )
        let credentials = try make(services)
        let impatient = Task { await credentials.obtain(source) }
        let patient = Task { await credentials.obtain(source) }
        #expect(try await eventually { barrier.held == 1 })
        impatient.cancel()
        #expect(!isObtained(await impatient.value))
        barrier.open()
        #expect(isObtained(await patient.value))
        #expect(services.asked.count == 1)
    }

    @Test("The key for URLs waits for the token that it is asked for with: one exchange for each")
    func delegation() async throws {
        let application = AzureApplication(
            .own(subject: "s3-proxy", audience: "api://AzureADTokenExchange"),
            tenantID: "t",
            clientID: "c",
            endpoint: try #require(ServiceURL("https://login.microsoftonline.com"))
        )
        let storage = try #require(ServiceURL("https://photostore.blob.core.windows.net"))
        let key = """
            <UserDelegationKey><SignedOid>o</SignedOid><SignedTid>t</SignedTid><SignedStart>2025-12-31T23:45:00Z</SignedStart>
            <SignedExpiry>2026-01-02T00:00:00Z</SignedExpiry><SignedService>b</SignedService>
            <SignedVersion>2021-12-02</SignedVersion><Value>c2VjcmV0</Value></UserDelegationKey>
            """
        let services = PlayedServices(
            [(200, #"{"token_type":"Bearer","expires_in":3599,"access_token":"eyJ0"}"#), (200, key)],
            pause: { _ in try? await Task.sleep(for: .milliseconds(50)) }
        )
        let credentials = try make(services)
        let source = CredentialSource.azureDelegation(AzureDelegation(application, storage: storage))
        async let token = credentials.obtain(.azure(application))
        async let first = credentials.obtain(source)
        async let second = credentials.obtain(source)
        let findings = await [token, first, second]
        #expect(findings.filter(isObtained).count == 3)
        #expect(services.asked.count == 2)
        #expect(services.asked[1].field("authorization") == "Bearer eyJ0")
        let end = Timestamp.parseISO8601("2026-01-02T00:00:00Z".utf8)
        #expect(credentials.held[source]?.expiresAt == end)
    }

    @Test("A token that Azure's storage does not accept for the key is replaced, and not shown again until it ends")
    func delegationUnderABadToken() async throws {
        let application = AzureApplication(
            .own(subject: "s3-proxy", audience: "api://AzureADTokenExchange"),
            tenantID: "t",
            clientID: "c",
            endpoint: try #require(ServiceURL("https://login.microsoftonline.com"))
        )
        let storage = try #require(ServiceURL("https://photostore.blob.core.windows.net"))
        func token(_ text: String) -> (Int, String) {
            (200, #"{"token_type":"Bearer","expires_in":3599,"access_token":"\#(text)"}"#)
        }
        let services = PlayedServices([
            token("bad"), (401, "<Error><Code>InvalidAuthenticationInfo</Code></Error>"), token("good"),
        ])
        var rules = RenewalRules()
        rules.pauseAfterRefusal = .zero
        let credentials = try make(services, rules: rules)
        guard
            case .unavailable = await credentials.obtain(
                .azureDelegation(AzureDelegation(application, storage: storage))
            )
        else {
            Issue.record("something was obtained")
            return
        }
        #expect(try await eventually { credentials.version == 2 })
        guard case .bearer(let held)? = credentials.held[.azure(application)]?.credential else {
            Issue.record("there is no token")
            return
        }
        #expect(held.reveal() == "good")
        #expect(services.asked.count == 3)
    }

    @Test("Without a token there is no key for URLs, and the reason is the token's")
    func delegationWithoutToken() async throws {
        let application = AzureApplication(
            .own(subject: "s3-proxy", audience: "api://AzureADTokenExchange"),
            tenantID: "t",
            clientID: "c",
            endpoint: try #require(ServiceURL("https://login.microsoftonline.com"))
        )
        let storage = try #require(ServiceURL("https://photostore.blob.core.windows.net"))
        let services = PlayedServices([(401, #"{"error":"invalid_client"}"#)])
        let source = CredentialSource.azureDelegation(AzureDelegation(application, storage: storage))
        guard case .unavailable(let reason, _) = await (try make(services)).obtain(source) else {
            Issue.record("something was obtained")
            return
        }
        #expect(reason == "Entra ID (login.microsoftonline.com) answered 401 invalid_client")
        #expect(services.asked.count == 1)
    }
}
