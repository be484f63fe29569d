import Admission
import Identity
import Samples
import Settings
import Testing
import WireFormats

@Suite struct SeedShapesTests {
    @Test func theStaticSnippetOfBackendAuthenticationLoadsVerbatim() throws {
        let result = reading(
            """
            [[buckets]]
            name = "my-data"
            backend_type = "s3"

            [buckets.backend_options]
            endpoint = "https://s3.us-east-1.amazonaws.com"
            bucket_name = "my-backend-bucket"
            region = "us-east-1"
            access_key_id = "AKIAIOSFODNN7EXAMPLE"
            secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
            """
        )
        #expect(result.problems.isEmpty)
        let configuration = try #require(result.configuration)
        let bucket = try #require(configuration.buckets.first)
        #expect(bucket.name == "my-data")
        #expect(bucket.backendBucket == "my-backend-bucket")
        guard case .s3(let connection) = bucket.backend else {
            Issue.record("not an S3 backend")
            return
        }
        #expect(connection.endpoint.description == "https://s3.us-east-1.amazonaws.com")
        #expect(connection.region == "us-east-1")
        #expect(connection.credential?.accessKeyID == "AKIAIOSFODNN7EXAMPLE")
        #expect(connection.credential?.secretAccessKey.reveal() == "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    }

    @Test func withoutKeysTheStoreIsReadUnsigned() throws {
        let result = reading(
            """
            [[buckets]]
            name = "public-data"
            backend_type = "s3"
            [buckets.backend_options]
            region = "eu-central-1"
            bucket_name = "open-data"
            """
        )
        guard case .s3(let connection)? = result.configuration?.buckets.first?.backend else {
            Issue.record("\(result.problems)")
            return
        }
        #expect(connection.credential == nil)
        #expect(connection.endpoint.description == "https://s3.eu-central-1.amazonaws.com")
    }

    @Test func theOIDCSnippetOfBackendAuthenticationLoadsVerbatim() throws {
        let result = reading(
            """
            [[buckets]]
            name = "my-data"
            backend_type = "s3"
            [buckets.backend_options]
            endpoint = "https://s3.us-east-1.amazonaws.com"
            bucket_name = "my-backend-bucket"
            region = "us-east-1"
            auth_type = "oidc"
            oidc_role_arn = "arn:aws:iam::123456789012:role/DataProxyAccess"
            """,
            variables: ["OIDC_PROVIDER_KEY": PEMSample.pkcs8, "OIDC_PROVIDER_ISSUER": "https://s3proxy.example.com"]
        )
        #expect(result.problems.isEmpty)
        let session = try awsSession(result)
        #expect(
            session
                == AWSSession(
                    .webIdentity(
                        .own(subject: "s3-proxy", audience: "sts.amazonaws.com"),
                        roleARN: "arn:aws:iam::123456789012:role/DataProxyAccess"
                    ),
                    endpoint: try #require(ServiceURL("https://sts.us-east-1.amazonaws.com")),
                    region: "us-east-1"
                )
        )
        let shown = try #require(result.configuration).effective.rendered()
        #expect(shown.contains("\"oidc_role_arn\": \"arn:aws:iam::123456789012:role/DataProxyAccess\""))
    }

    /// The session that the first bucket's credential comes from.
    private func awsSession(_ result: ConfigurationReading) throws -> AWSSession {
        let bucket = try #require(result.configuration?.buckets.first, "\(result.problems)")
        guard case .aws(let session)? = bucket.backend.credentialSource else {
            throw Mismatch()
        }
        return session
    }

    private struct Mismatch: Error {}

    @Test func everyOptionOfTheExchangeIsRead() throws {
        let result = reading(
            """
            [[buckets]]
            name = "my-data"
            [buckets.backend_options]
            endpoint = "http://127.0.0.1:8333"
            region = "eu-central-1"
            auth_type = "oidc"
            oidc_role_arn = "arn:aws:iam::123456789012:role/First"
            oidc_subject = "gatehouse/photos"
            oidc_audience = "store"
            sts_endpoint = "http://127.0.0.1:8333/sts"
            role_chain = ["arn:aws:iam::210987654321:role/Second"]
            """,
            variables: ["OIDC_PROVIDER_KEY": PEMSample.pkcs8, "OIDC_PROVIDER_ISSUER": "http://127.0.0.1:9000"]
        )
        let session = try awsSession(result)
        #expect(
            session.beginning
                == .webIdentity(
                    .own(subject: "gatehouse/photos", audience: "store"),
                    roleARN: "arn:aws:iam::123456789012:role/First"
                )
        )
        #expect(session.chain == ["arn:aws:iam::210987654321:role/Second"])
        #expect(session.endpoint.authority == "127.0.0.1:8333")
        #expect(session.endpoint.path == "/sts")
        #expect(session.region == "eu-central-1")
    }

    @Test(arguments: [
        ("eu-west-1", "https://sts.eu-west-1.amazonaws.com"), ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn"),
    ])
    func theTokenServiceIsTheRegionsOwn(_ region: String, _ expected: String) throws {
        let result = reading(
            "[[buckets]]\nname = \"data\"\n[buckets.backend_options]\nregion = \"\(region)\"\nauth_type = \"web-identity\"",
            variables: [
                "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token", "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/Pod",
            ]
        )
        let session = try awsSession(result)
        #expect(session.endpoint.description == expected)
        #expect(
            session.beginning
                == .webIdentity(.file(path: "/var/run/token"), roleARN: "arn:aws:iam::123456789012:role/Pod")
        )
    }

    @Test func theEnvironmentsKeyIsTheOneThatSDKsRead() throws {
        let result = reading(
            "[[buckets]]\nname = \"data\"\n[buckets.backend_options]\nregion = \"x\"\nauth_type = \"env\"",
            variables: ["AWS_ACCESS_KEY_ID": "AKENV", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"]
        )
        guard case .s3(let connection)? = result.configuration?.buckets.first?.backend else {
            Issue.record("\(result.problems)")
            return
        }
        #expect(connection.credential?.accessKeyID == "AKENV")
        #expect(connection.credential?.sessionToken?.reveal() == "token")
    }

    @Test func anEntryWithAKeyOfItsOwnTakesNothingOfItsAccountsExchange() throws {
        let result = reading(
            """
            [[accounts]]
            name = "aws"
            [accounts.backend_options]
            region = "us-east-1"
            auth_type = "oidc"
            oidc_role_arn = "arn:aws:iam::123456789012:role/First"
            [[buckets]]
            name = "own"
            account = "aws"
            [buckets.backend_options]
            access_key_id = "A"
            secret_access_key = "B"
            [[buckets]]
            name = "shared"
            account = "aws"
            """,
            variables: ["OIDC_PROVIDER_KEY": PEMSample.pkcs8, "OIDC_PROVIDER_ISSUER": "http://127.0.0.1:9000"]
        )
        let buckets = try #require(result.configuration?.buckets, "\(result.problems)")
        #expect(buckets.map { $0.backend.credentialSource != nil } == [false, true])
    }

    @Test func theSmallProxysAccountsAndUsersTranslateOneToOne() throws {
        let result = reading(
            """
            [[accounts]]
            name = "aws"
            buckets = ["photos", "backups"]
            [accounts.backend_options]
            endpoint = "https://s3.eu-west-1.amazonaws.com"
            region = "eu-west-1"
            access_key_id = "AKIAAWSEXAMPLE"
            secret_access_key = "aws-secret-aws-secret"

            [[accounts]]
            name = "minio"
            buckets = ["docs"]
            [accounts.backend_options]
            endpoint = "http://minio.internal:9000"
            region = "us-east-1"
            access_key_id = "minioadmin"
            secret_access_key = "minioadmin"

            [[users]]
            name = "alice"
            api_key = "alice-key-0123456789"
            role = "admin"
            allowed_buckets = ["*"]

            [[users]]
            name = "bob"
            api_key = "bob-key-0123456789"
            role = "user"
            allowed_buckets = ["photos", "docs"]
            requests = "100/60s"

            [[users]]
            name = "carol"
            api_key = "carol-key-0123456789"
            role = "readonly"
            allowed_buckets = ["photos"]
            """
        )
        #expect(result.problems.isEmpty)
        let configuration = try #require(result.configuration)
        #expect(configuration.buckets.map(\.name) == ["photos", "backups", "docs"])
        #expect(configuration.buckets.map(\.account) == ["aws", "aws", "minio"])
        #expect(configuration.buckets.map(\.backendBucket) == ["photos", "backups", "docs"])
        #expect(configuration.users.map(\.user.role) == [.admin, .user, .readonly])
        #expect(configuration.users[0].user.allowedBuckets == .every)
        #expect(configuration.users[1].user.allowedBuckets == .named(["photos", "docs"]))
        #expect(configuration.users[1].limits.requests?.amount == 100)
        #expect(configuration.users[0].keyDigest == APIKeyDigest(of: "alice-key-0123456789".utf8))
    }
}
