import Admission
import Identity
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

    @Test func theOIDCSnippetIsRecognisedAndSaidNotToBeSupported() {
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
            """
        )
        #expect(result.configuration == nil)
        #expect(result.problems.map(\.origin.line) == [8])
        #expect(result.problems.first?.message.contains("not supported by this version") == true)
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
