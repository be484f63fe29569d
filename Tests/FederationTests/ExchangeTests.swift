import Federation
import Identity
import Samples
import Signatures
import Testing
import WireFormats

@Suite("Exchanges for stores' credentials")
struct ExchangeTests {
    private static let now = Instant(secondsSince1970: 1_767_225_600)
    private static let roleARN = "arn:aws:iam::123456789012:role/DataProxyAccess"

    private func provider() throws -> OIDCProvider {
        OIDCProvider(issuer: "https://s3proxy.example.com", keys: [try OIDCKey(pem: PEMSample.pkcs8)])
    }

    private func aws(
        _ beginning: AWSSession.Beginning,
        chain: [String] = [],
        at endpoint: String = "https://sts.eu-west-1.amazonaws.com"
    ) throws -> CredentialSource {
        .aws(AWSSession(beginning, chain: chain, endpoint: try #require(ServiceURL(endpoint)), region: "eu-west-1"))
    }

    private func own(_ audience: String = "sts.amazonaws.com") -> WebIdentity {
        .own(subject: "s3-proxy", audience: audience)
    }

    /// The credential, or what is said of its absence.
    private func outcome(
        _ source: CredentialSource,
        _ services: PlayedServices,
        _ surroundings: Surroundings = .played()
    ) async throws -> (said: String, expiresAt: Instant?) {
        let exchange = CredentialExchange(services, as: try provider(), surroundings: surroundings) { _ in
            (Secret("entra-token"), 1)
        } refused: { _, _ in
        }
        do {
            let timed = try await exchange.credential(of: source)
            let said =
                switch timed.credential {
                case .keys(let pair):
                    [pair.id, pair.secret.reveal(), pair.sessionToken?.reveal() ?? "-"].joined(separator: " ")
                case .bearer(let token): "bearer " + token.reveal()
                case .delegation(let key): "delegation " + key.objectID + " " + key.start + " " + key.expiry
                }
            return (said, timed.expiresAt)
        } catch {
            return ("\(error)", nil)
        }
    }

    // MARK: - AWS

    @Test("Our token is exchanged at the regional endpoint, unsigned")
    func webIdentity() async throws {
        let services = PlayedServices([(200, PlayedAnswers.session("AssumeRoleWithWebIdentity", id: "ASIA1"))])
        let (said, expiresAt) = try await outcome(try aws(.webIdentity(own(), roleARN: Self.roleARN)), services)
        #expect(said == "ASIA1 secret-ASIA1 session-ASIA1")
        #expect(expiresAt == Timestamp.parseISO8601("2030-01-01T00:00:00Z".utf8))
        let asked = try #require(services.asked.first)
        #expect(asked.line == "POST https://sts.eu-west-1.amazonaws.com/")
        #expect(asked.field("authorization") == nil)
        #expect(asked.form["Action"] == "AssumeRoleWithWebIdentity")
        #expect(asked.form["Version"] == "2011-06-15")
        #expect(asked.form["RoleArn"] == Self.roleARN)
        #expect(asked.form["RoleSessionName"] == "gatehouse")
        let token = try SignedToken(parsing: try #require(BearerToken((asked.form["WebIdentityToken"] ?? "").utf8)))
        #expect(token.claims.issuer == "https://s3proxy.example.com")
    }

    @Test("Roles are assumed one from the other, each request signed by the session before it")
    func chain() async throws {
        let services = PlayedServices([
            (200, PlayedAnswers.session("AssumeRoleWithWebIdentity", id: "ASIA1")),
            (200, PlayedAnswers.session("AssumeRole", id: "ASIA2")),
            (200, PlayedAnswers.session("AssumeRole", id: "ASIA3", expires: "2026-01-01T01:00:00Z")),
        ])
        let roles = ["arn:aws:iam::210987654321:role/Second", "arn:aws:iam::210987654321:role/Third"]
        let source = try aws(.webIdentity(own(), roleARN: Self.roleARN), chain: roles)
        let (said, expiresAt) = try await outcome(source, services)
        #expect(said == "ASIA3 secret-ASIA3 session-ASIA3")
        #expect(expiresAt == Timestamp.parseISO8601("2026-01-01T01:00:00Z".utf8))
        #expect(services.asked.map { $0.form["RoleArn"] } == [Self.roleARN] + roles)
        for (asked, id) in zip(services.asked.dropFirst(), ["ASIA1", "ASIA2"]) {
            let authorization = try #require(asked.field("authorization"))
            #expect(
                authorization.hasPrefix(
                    "AWS4-HMAC-SHA256 Credential=\(id)/20260101/eu-west-1/sts/aws4_request, SignedHeaders="
                        + "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature="
                )
            )
            #expect(asked.field("x-amz-security-token") == "session-\(id)")
        }
    }

    @Test("A token in a file is read at every exchange")
    func tokenFile() async throws {
        let services = PlayedServices([(200, PlayedAnswers.session("AssumeRoleWithWebIdentity", id: "ASIA1"))])
        let source = try aws(.webIdentity(.file(path: "/token"), roleARN: Self.roleARN))
        _ = try await outcome(source, services, .played(files: ["/token": "aaa.bbb.ccc\n"]))
        _ = try await outcome(source, services, .played(files: ["/token": "ddd.eee.fff"]))
        #expect(services.asked.map { $0.form["WebIdentityToken"] } == ["aaa.bbb.ccc", "ddd.eee.fff"])
        let (said, _) = try await outcome(source, services, .played(files: ["/token": " \n"]))
        #expect(said == "/token holds no token")
        #expect(services.asked.count == 2)
    }

    @Test("What STS says when it refuses is shown, and never a token in it")
    func refusal() async throws {
        let echo = String(repeating: "eyJhbGciOiJSUzI1NiJ9.", count: 5)
        let services = PlayedServices([
            (
                400,
                """
                <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
                <Code>InvalidIdentityToken</Code><Message>No OpenIDConnect provider found in your account for
                https://s3proxy.example.com (\(echo))</Message></Error><RequestId>x</RequestId></ErrorResponse>
                """
            )
        ])
        let (said, _) = try await outcome(try aws(.webIdentity(own(), roleARN: Self.roleARN)), services)
        #expect(
            said == "STS (AssumeRoleWithWebIdentity at sts.eu-west-1.amazonaws.com) answered 400 InvalidIdentityToken: "
                + "No OpenIDConnect provider found in your account for https://s3proxy.example.com (…)"
        )
    }

    @Test(
        "An answer that is not exactly a session is none",
        arguments: [
            "", "<html>hello</html>", PlayedAnswers.session("AssumeRole", id: "ASIA1"),
            PlayedAnswers.session("AssumeRoleWithWebIdentity", id: "AS IA"),
            PlayedAnswers.session("AssumeRoleWithWebIdentity", id: "A/B"),
            PlayedAnswers.session("AssumeRoleWithWebIdentity", id: "ASIA1", expires: "tomorrow"),
            PlayedAnswers.session("AssumeRoleWithWebIdentity", id: "ASIA1")
                .replacing("<AccessKeyId>ASIA1</AccessKeyId>", with: ""),
            PlayedAnswers.session("AssumeRoleWithWebIdentity", id: "ASIA1")
                .replacing("</Credentials>", with: "</Credentials><Credentials></Credentials>"),
            PlayedAnswers.session("AssumeRoleWithWebIdentity", id: "ASIA1")
                .replacing("session-ASIA1", with: "session&#13;&#10;x-injected: yes"),
            "<!DOCTYPE x>" + PlayedAnswers.session("AssumeRoleWithWebIdentity", id: "ASIA1"),
        ]
    )
    func strictness(_ body: String) async throws {
        let source = try aws(.webIdentity(own(), roleARN: Self.roleARN))
        let (_, expiresAt) = try await outcome(source, PlayedServices([(200, body)]))
        #expect(expiresAt == nil)
    }

    @Test("Without a key nobody is asked")
    func noProvider() async throws {
        let services = PlayedServices([(200, "")])
        let exchange = CredentialExchange(services, as: nil, surroundings: .played()) { _ in
            (Secret(""), 1)
        } refused: { _, _ in
        }
        await #expect(throws: ExchangeFailure("there is no key to sign our own tokens with")) {
            try await exchange.credential(of: try aws(.webIdentity(own(), roleARN: Self.roleARN)))
        }
        #expect(services.asked.isEmpty)
    }

    @Test("The environment's key is where a chain may begin")
    func environment() async throws {
        let services = PlayedServices([(200, PlayedAnswers.session("AssumeRole", id: "ASIA2"))])
        let source = try aws(.environment, chain: [Self.roleARN])
        let variables = ["AWS_ACCESS_KEY_ID": "AKENV", "AWS_SECRET_ACCESS_KEY": "secret"]
        let (said, _) = try await outcome(source, services, .played(environment: variables))
        #expect(said == "ASIA2 secret-ASIA2 session-ASIA2")
        #expect(services.asked.first?.field("authorization")?.contains("Credential=AKENV/") == true)
        #expect(services.asked.first?.field("x-amz-security-token") == nil)
    }

    // MARK: - The machine's own

    private static let machineCredential = """
        {"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIAEC2","SecretAccessKey":"secret","Token":"session",
        "Expiration":"2026-01-01T06:00:00Z"}
        """

    @Test("EC2's metadata service is asked in its version 2 alone")
    func ec2() async throws {
        let services = PlayedServices([(200, "IMDS-TOKEN"), (200, "my-role\n"), (200, Self.machineCredential)])
        let (said, _) = try await outcome(try aws(.instance), services)
        #expect(said == "ASIAEC2 secret session")
        let roles = "http://169.254.169.254/latest/meta-data/iam/security-credentials/"
        #expect(
            services.asked.map(\.line) == [
                "PUT http://169.254.169.254/latest/api/token", "GET " + roles, "GET " + roles + "my-role",
            ]
        )
        #expect(services.asked[0].field("x-aws-ec2-metadata-token-ttl-seconds") == "300")
        #expect(services.asked.dropFirst().allSatisfy { $0.field("x-aws-ec2-metadata-token") == "IMDS-TOKEN" })
    }

    @Test("A machine without a role says so")
    func noRole() async throws {
        let services = PlayedServices([(200, "IMDS-TOKEN"), (404, "")])
        let (said, _) = try await outcome(try aws(.instance), services)
        #expect(said == "this machine has no role: its instance profile is missing")
    }

    @Test("A role's name leads nowhere else", arguments: ["../../x", "a b", "a/b", "r?x=1"])
    func roleNames(_ name: String) async throws {
        let services = PlayedServices([(200, "IMDS-TOKEN"), (200, name), (200, Self.machineCredential)])
        let (_, expiresAt) = try await outcome(try aws(.instance), services)
        #expect(expiresAt == nil)
        #expect(services.asked.count == 2)
    }

    @Test("A container's agent is asked with its token, read from its file each time")
    func container() async throws {
        let body = Self.machineCredential.replacing("\"Code\":\"Success\",", with: "")
        let services = PlayedServices([(200, body)])
        let (said, _) = try await outcome(
            try aws(.instance),
            services,
            .played(
                environment: [
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
                    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/var/run/token",
                ],
                files: ["/var/run/token": "pod-token\n"]
            )
        )
        #expect(said == "ASIAEC2 secret session")
        #expect(services.asked.first?.line == "GET http://169.254.170.23/v1/credentials")
        #expect(services.asked.first?.field("authorization") == "pod-token")
        let relative = PlayedServices([(200, body)])
        _ = try await outcome(
            try aws(.instance),
            relative,
            .played(environment: ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/abc"])
        )
        #expect(relative.asked.first?.line == "GET http://169.254.170.2/v2/credentials/abc")
    }

    @Test("A credential is not fetched in the open from another machine")
    func containerElsewhere() async throws {
        let services = PlayedServices([(200, Self.machineCredential)])
        let variables = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://203.0.113.1/credentials"]
        let (_, expiresAt) = try await outcome(try aws(.instance), services, .played(environment: variables))
        #expect(expiresAt == nil)
        #expect(services.asked.isEmpty)
    }

    // MARK: - Azure

    private func application() throws -> AzureApplication {
        AzureApplication(
            own("api://AzureADTokenExchange"),
            tenantID: "6f1e6a4e-0000-4000-8000-000000000001",
            clientID: "6f1e6a4e-0000-4000-8000-000000000002",
            endpoint: try #require(ServiceURL("https://login.microsoftonline.com"))
        )
    }

    private func azure() throws -> CredentialSource { .azure(try application()) }

    @Test("Our token is a client assertion to Entra ID")
    func entra() async throws {
        let services = PlayedServices([(200, #"{"token_type":"Bearer","expires_in":3599,"access_token":"eyJ0.e30.x"}"#)]
        )
        let (said, expiresAt) = try await outcome(try azure(), services)
        #expect(said == "bearer eyJ0.e30.x")
        #expect(expiresAt == Self.now + .seconds(3599))
        let asked = try #require(services.asked.first)
        let tenant = "6f1e6a4e-0000-4000-8000-000000000001"
        #expect(asked.line == "POST https://login.microsoftonline.com/\(tenant)/oauth2/v2.0/token")
        #expect(asked.form["grant_type"] == "client_credentials")
        #expect(asked.form["client_id"] == "6f1e6a4e-0000-4000-8000-000000000002")
        #expect(asked.form["scope"] == "https://storage.azure.com/.default")
        #expect(
            asked.form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        )
        let assertion = try #require(BearerToken((asked.form["client_assertion"] ?? "").utf8))
        #expect(try SignedToken(parsing: assertion).claims.issuer == "https://s3proxy.example.com")
    }

    @Test("What Entra ID says when it refuses is shown")
    func entraRefusal() async throws {
        let services = PlayedServices([
            (
                401,
                #"{"error":"invalid_client","error_description":"AADSTS700213: No matching federated identity record found for presented assertion subject 's3-proxy'."}"#
            )
        ])
        let (said, _) = try await outcome(try azure(), services)
        #expect(
            said == "Entra ID (login.microsoftonline.com) answered 401 invalid_client: AADSTS700213: No matching "
                + "federated identity record found for presented assertion subject 's3-proxy'."
        )
    }

    @Test(
        "An answer that is not exactly a bearer token is none",
        arguments: [
            "", "{}", #"{"token_type":"mac","expires_in":3599,"access_token":"x"}"#,
            #"{"token_type":"Bearer","access_token":"x"}"#,
            #"{"token_type":"Bearer","expires_in":-1,"access_token":"x"}"#,
            #"{"token_type":"Bearer","expires_in":3599,"access_token":""}"#,
            #"{"token_type":"Bearer","expires_in":3599,"access_token":"a\r\nb"}"#,
            #"{"token_type":"Bearer","expires_in":3599,"access_token":"a","access_token":"b"}"#,
            #"{"token_type":"Bearer","expires_in":3599,"access_token":["a"]}"#,
        ]
    )
    func bearerStrictness(_ body: String) async throws {
        let (_, expiresAt) = try await outcome(try azure(), PlayedServices([(200, body)]))
        #expect(expiresAt == nil)
    }

    private func delegation() throws -> CredentialSource {
        .azureDelegation(
            AzureDelegation(
                try application(),
                storage: try #require(ServiceURL("https://photostore.blob.core.windows.net"))
            )
        )
    }

    private static let delegationKey = """
        <?xml version="1.0" encoding="utf-8"?><UserDelegationKey>
        <SignedOid>11111111-2222-3333-4444-555555555555</SignedOid>
        <SignedTid>66666666-7777-8888-9999-000000000000</SignedTid>
        <SignedStart>2025-12-31T23:45:00Z</SignedStart><SignedExpiry>2026-01-02T00:00:00Z</SignedExpiry>
        <SignedService>b</SignedService><SignedVersion>2021-12-02</SignedVersion><Value>c2VjcmV0</Value>
        </UserDelegationKey>
        """

    @Test("The key for URLs is asked for with the application's token, for a day")
    func delegationKey() async throws {
        let services = PlayedServices([(200, Self.delegationKey)])
        let (said, expiresAt) = try await outcome(try delegation(), services)
        #expect(said == "delegation 11111111-2222-3333-4444-555555555555 2025-12-31T23:45:00Z 2026-01-02T00:00:00Z")
        #expect(expiresAt == Self.now + .seconds(86_400))
        let asked = try #require(services.asked.first)
        #expect(
            asked.line == "POST https://photostore.blob.core.windows.net/?restype=service&comp=userdelegationkey"
        )
        #expect(asked.field("authorization") == "Bearer entra-token")
        #expect(asked.field("x-ms-version") == "2021-12-02")
        #expect(
            String(decoding: asked.request.body.reveal(), as: UTF8.self)
                .hasSuffix(
                    "<KeyInfo><Start>2025-12-31T23:45:00Z</Start><Expiry>2026-01-02T00:00:00Z</Expiry></KeyInfo>"
                )
        )
    }

    @Test("What the storage account says when it refuses is shown")
    func delegationRefusal() async throws {
        let services = PlayedServices([
            (
                403,
                "<?xml version=\"1.0\"?><Error><Code>AuthorizationPermissionMismatch</Code><Message>This request is not "
                    + "authorized to perform this operation using this permission.</Message></Error>"
            )
        ])
        let (said, _) = try await outcome(try delegation(), services)
        #expect(
            said == "Azure Storage (photostore.blob.core.windows.net) answered 403 AuthorizationPermissionMismatch: "
                + "This request is not authorized to perform this operation using this permission."
        )
    }

    @Test(
        "An answer that is not exactly a key is none",
        arguments: [
            ("<SignedService>b</SignedService>", "<SignedService>q</SignedService>"),
            ("<Value>c2VjcmV0</Value>", ""), ("<Value>c2VjcmV0</Value>", "<Value>c2VjcmV0</Value><Value>b</Value>"),
            ("c2VjcmV0", "not base64!"), ("c2VjcmV0", ""), ("2026-01-02T00:00:00Z", "tomorrow"),
            ("2025-12-31T23:45:00Z", "yesterday"), ("11111111-2222-3333-4444-555555555555", "a b"),
            ("<SignedVersion>2021-12-02</SignedVersion>", ""), ("UserDelegationKey>", "Other>"),
            ("<?xml", "<!DOCTYPE x><?xml"),
        ]
    )
    func delegationStrictness(_ part: String, _ other: String) async throws {
        let body = Self.delegationKey.replacing(part, with: other)
        let (_, expiresAt) = try await outcome(try delegation(), PlayedServices([(200, body)]))
        #expect(expiresAt == nil)
    }

    // MARK: - Google

    private func accountKey(_ pem: String = PEMSample.pkcs8) throws -> CredentialSource {
        let document = StrictJSON.object([
            ("type", .string("service_account")), ("client_email", .string("data@project.iam.gserviceaccount.com")),
            ("private_key_id", .string("k1")), ("private_key", .string(pem)),
            ("token_uri", .string("https://oauth2.googleapis.com/token")),
        ])
        return .googleKey(try GoogleAccountKey(keyFile: Secret(String(decoding: document.text, as: UTF8.self))))
    }

    @Test("A service account's key signs for a token, and is not shown")
    func googleKey() async throws {
        let services = PlayedServices([(200, #"{"access_token":"ya29.k","expires_in":3599,"token_type":"Bearer"}"#)])
        let (said, expiresAt) = try await outcome(try accountKey(), services)
        #expect(said == "bearer ya29.k")
        #expect(expiresAt == Self.now + .seconds(3599))
        let asked = try #require(services.asked.first)
        #expect(asked.line == "POST https://oauth2.googleapis.com/token")
        #expect(asked.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer")
        let assertion = try SignedToken(parsing: try #require(BearerToken((asked.form["assertion"] ?? "").utf8)))
        #expect(assertion.claims.issuer == "data@project.iam.gserviceaccount.com")
        let (refused, _) = try await outcome(
            try accountKey(),
            PlayedServices([(400, #"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#)])
        )
        #expect(refused == "Google (oauth2.googleapis.com) answered 400 invalid_grant: Invalid JWT Signature.")
    }

    @Test("A key that can't sign asks nobody")
    func googleKeyThatIsNone() async throws {
        let services = PlayedServices([(200, "")])
        let (said, _) = try await outcome(try accountKey("none"), services)
        #expect(said.hasPrefix("the key of data@project.iam.gserviceaccount.com can't sign"))
        #expect(services.asked.isEmpty)
    }

    private func google(_ account: String?) throws -> CredentialSource {
        .google(
            GoogleWorkload(
                own("https://s3proxy.example.com"),
                provider: "projects/1/locations/global/workloadIdentityPools/p/providers/x",
                serviceAccount: account,
                endpoint: try #require(ServiceURL("https://sts.googleapis.com")),
                credentialsEndpoint: try #require(ServiceURL("https://iamcredentials.googleapis.com"))
            )
        )
    }

    private static let federated =
        #"{"access_token":"ya29.federated","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":3600}"#

    @Test("Our token is exchanged at Google's STS, and its own impersonates the service account")
    func googleImpersonation() async throws {
        let services = PlayedServices([
            (200, Self.federated),
            (200, #"{"accessToken":"ya29.account","expireTime":"2026-01-01T01:00:00Z"}"#),
        ])
        let (said, expiresAt) = try await outcome(try google("data@project.iam.gserviceaccount.com"), services)
        #expect(said == "bearer ya29.account")
        #expect(expiresAt == Timestamp.parseISO8601("2026-01-01T01:00:00Z".utf8))
        let asked = services.asked
        #expect(asked.map(\.line)[0] == "POST https://sts.googleapis.com/v1/token")
        #expect(
            asked[0].form["audience"]
                == "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x"
        )
        #expect(asked[0].form["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange")
        #expect(asked[0].form["subject_token_type"] == "urn:ietf:params:oauth:token-type:jwt")
        #expect(asked[0].form["requested_token_type"] == "urn:ietf:params:oauth:token-type:access_token")
        #expect(asked[0].field("authorization") == nil)
        #expect(
            asked[1].line == "POST https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
                + "data%40project.iam.gserviceaccount.com:generateAccessToken"
        )
        #expect(asked[1].field("authorization") == "Bearer ya29.federated")
        #expect(
            String(decoding: asked[1].request.body.reveal(), as: UTF8.self)
                == #"{"scope":["https://www.googleapis.com/auth/cloud-platform"],"lifetime":"3600s"}"#
        )
    }

    @Test("Without a service account the federated token is used itself")
    func googleDirect() async throws {
        let services = PlayedServices([(200, Self.federated)])
        let (said, expiresAt) = try await outcome(try google(nil), services)
        #expect(said == "bearer ya29.federated")
        #expect(expiresAt == Self.now + .seconds(3600))
        #expect(services.asked.count == 1)
    }

    @Test("What Google says when it refuses is shown, at either step")
    func googleRefusals() async throws {
        let first = PlayedServices([
            (400, #"{"error":"invalid_grant","error_description":"The audience in ID Token does not match."}"#)
        ])
        let (said, _) = try await outcome(try google("a@b.c"), first)
        #expect(
            said
                == "Google STS (sts.googleapis.com) answered 400 invalid_grant: The audience in ID Token does not match."
        )
        let second = PlayedServices([
            (200, Self.federated),
            (403, #"{"error":{"code":403,"message":"Permission denied.","status":"PERMISSION_DENIED"}}"#),
        ])
        let (refused, _) = try await outcome(try google("a@b.c"), second)
        #expect(
            refused == "Google IAM credentials (iamcredentials.googleapis.com) answered 403 PERMISSION_DENIED: "
                + "Permission denied."
        )
    }
}
