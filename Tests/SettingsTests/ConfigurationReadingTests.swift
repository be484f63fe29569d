import Admission
import Foundation
import Identity
import Samples
import Settings
import Testing
import WireFormats

private let store = """
    [[accounts]]
    name = "minio"
    buckets = ["photos"]
    [accounts.backend_options]
    endpoint = "http://127.0.0.1:8333"
    access_key_id = "AKSTORE"
    secret_access_key = "store-secret-0123456789"
    session_token = "store-token-0123456789"

    """

@Suite struct ConfigurationReadingTests {
    @Test func anEmptyFileIsValidAndHasTheDefaultsOfTheContract() throws {
        let configuration = try #require(reading("").configuration)
        #expect(configuration.server.listen.description == "127.0.0.1:9000")
        #expect(configuration.server.adminListen.description == "127.0.0.1:9001")
        #expect(configuration.server.maxObjectSize == 5 << 40)
        #expect(configuration.server.headerTimeout == .seconds(10))
        #expect(configuration.server.tls == nil)
        #expect(configuration.state.store == .sqlite(path: "gatehouse.db"))
        #expect(configuration.accessLog.destination == .standardOutput)
        #expect(configuration.audit.destination == .file("audit.jsonl"))
        #expect(configuration.limits.isUnlimited)
        #expect(configuration.buckets.isEmpty)
    }

    @Test func aBucketAtGoogleIsReadUnderBothNamesOfItsKind() throws {
        for type in ["gcs", "gs"] {
            let result = reading(
                """
                [[accounts]]
                name = "google"
                backend_type = "\(type)"
                buckets = ["photos"]
                [accounts.backend_options]
                hmac_access_id = "GOOG1EXAMPLE"
                hmac_secret = "env:HMAC_SECRET"
                [[buckets]]
                name = "data"
                account = "google"
                backend_type = "gcs"
                [buckets.backend_options]
                bucket_name = "data-at-google"
                service_account_key = "env:KEY_FILE"
                response_timeout = "3s"
                """,
                variables: ["HMAC_SECRET": "hmac-secret", "KEY_FILE": serviceAccountKeyFile]
            )
            let configuration = try #require(result.configuration)
            let photos = try #require(configuration.buckets.first { $0.name == "photos" })
            guard case .gcs(let shared) = photos.backend, case .hmac("GOOG1EXAMPLE", let secret)? = shared.credential
            else {
                Issue.record("no HMAC key")
                return
            }
            #expect(secret.reveal() == "hmac-secret")
            #expect(shared.endpoint.description == "https://storage.googleapis.com")
            let data = try #require(configuration.buckets.first { $0.name == "data" })
            guard case .gcs(let own) = data.backend, case .serviceAccount(let key)? = own.credential else {
                Issue.record("no service account")
                return
            }
            #expect(key.email == "data@project.iam.gserviceaccount.com")
            #expect(data.backend.credentialSource == .googleKey(key))
            #expect(own.responseTimeout == .seconds(3))
            #expect(data.backendBucket == "data-at-google")
        }
    }

    @Test func everyKeyOfTheServerIsRead() throws {
        let result = reading(
            """
            [server]
            listen = "[::1]:8000"
            admin_listen = "localhost:8001"
            public_url = "https://Files.Example.com:8443/"
            domains = ["S3.example.com"]
            region = "*"
            max_object_size = "1GiB"
            trusted_proxies = ["10.0.0.0/8", "::1"]
            proxy_protocol = true
            strict_keys = true
            sigv2_presigned = false
            header_timeout = "1s"
            idle_timeout = "2m"
            body_idle_timeout = "500ms"
            max_connections = 5
            max_header_bytes = 16384
            drain_timeout = "1h"
            [server.tls]
            certificate = "file:tls/crt.pem"
            private_key = "env:TLS_KEY"
            """,
            beside: ["tls/crt.pem": PEMSample.certificate],
            variables: ["TLS_KEY": PEMSample.certificateKey]
        )
        #expect(result.problems.isEmpty)
        let server = try #require(result.configuration?.server)
        #expect(server.listen == ListenAddress(host: "::1", port: 8000))
        #expect(server.publicURL?.description == "https://files.example.com:8443")
        #expect(server.domains == ["s3.example.com"])
        #expect(server.trustedProxies.count == 2)
        #expect(server.proxyProtocol && server.strictKeys && !server.acceptsSigV2Presigned)
        #expect(server.idleTimeout == .seconds(120))
        #expect(server.bodyIdleTimeout == .milliseconds(500))
        #expect(server.maxHeaderBytes == 16384)
        #expect(server.tls?.privateKey.reveal() == PEMSample.certificateKey)
    }

    @Test func aBucketTakesWhatItDoesNotSayFromItsAccount() throws {
        let result = reading(
            store + """
                [[buckets]]
                name = "data"
                account = "minio"
                backend_prefix = "/v2/"
                allowed_roles = []
                [buckets.backend_options]
                bucket_name = "Other_Bucket"
                region = "eu-west-1"
                [[buckets]]
                name = "own-key"
                account = "minio"
                [buckets.backend_options]
                access_key_id = "AKOWN"
                secret_access_key = "own-secret-0123456789"
                """
        )
        #expect(result.problems.isEmpty)
        let buckets = try #require(result.configuration?.buckets)
        #expect(buckets.map(\.name) == ["data", "own-key", "photos"])
        guard case .s3(let first) = buckets[0].backend, case .s3(let second) = buckets[1].backend else {
            Issue.record("not S3")
            return
        }
        #expect(buckets[0].backendBucket == "Other_Bucket" && buckets[0].backendPrefix == "v2")
        #expect(buckets[0].allowedRoles?.isEmpty == true)
        #expect(first.region == "eu-west-1" && first.credential?.accessKeyID == "AKSTORE")
        #expect(first.credential?.sessionToken != nil)
        // A session token belongs to its key: with another key it stays behind.
        #expect(second.credential?.accessKeyID == "AKOWN" && second.credential?.sessionToken == nil)
    }

    @Test func aBucketTakesTheChecksumsOfItsAccountUnlessItHasItsOwn() throws {
        let text =
            store.replacing("name = \"minio\"", with: "name = \"minio\"\nchecksums = \"verify\"")
            + "[[buckets]]\nname = \"same\"\naccount = \"minio\"\n"
            + "[[buckets]]\nname = \"own\"\naccount = \"minio\"\nchecksums = \"pass\"\n"
        let configuration = try #require(reading(text).configuration)
        #expect(configuration.buckets.map(\.checksums) == [.verify, .pass, .verify])
        #expect(configuration.accounts.map(\.checksums) == [.verify])
    }

    @Test func bucketsThatShareABackendBucketSaySo() throws {
        let result = reading(
            store + """
                [[buckets]]
                name = "alias"
                account = "minio"
                backend_options.bucket_name = "photos"
                [[buckets]]
                name = "alone"
                account = "minio"
                """
        )
        let buckets = try #require(result.configuration?.buckets)
        #expect(buckets.filter(\.sharesBackendBucket).map(\.name) == ["alias", "photos"])
    }

    @Test func anAccountOfEveryOtherBucketHasNoneThatAnEntryHas() throws {
        let result = reading(
            store.replacing("[\"photos\"]", with: "[\"*\"]")
                + "[[buckets]]\nname = \"alias\"\naccount = \"minio\"\nbackend_options.bucket_name = \"photos\"\n"
        )
        #expect(try #require(result.configuration?.buckets).map(\.sharesBackendBucket) == [false])
    }

    @Test func anAccountOfEveryOtherBucketMakesAnyNameExist() throws {
        let result = reading(
            store.replacing("[\"photos\"]", with: "[\"photos\", \"*\"]")
                + "[[users]]\nname = \"a\"\napi_key = \"0123456789abcdef\"\nallowed_buckets = [\"later\"]\n"
                + "[[buckets]]\nname = \"other\"\nbackend_type = \"file\"\nbackend_options.path = \"data\"\n"
        )
        #expect(result.problems.isEmpty)
        #expect(result.configuration?.accountOfEveryOtherBucket?.name == "minio")
        #expect(result.configuration?.buckets.map(\.name) == ["other", "photos"])
    }

    @Test func limitsOfAPrincipalReplaceOrLiftTheDefaults() throws {
        let users = ["", "requests = \"5/1s\"", "requests = \"\"\nbytes = \"1MiB/1m\""].enumerated()
            .map { "[[users]]\nname = \"u\($0)\"\napi_key = \"0123456789abcdef-\($0)\"\n\($1)\n" }
        let result = reading("[limits]\nrequests = \"100/60s\"\nconcurrent_requests = 7\n" + users.joined())
        let limits = try #require(result.configuration?.users.map(\.limits))
        #expect(limits.map { $0.requests?.amount } == [100, 5, nil])
        #expect(limits.map { $0.bytes?.amount } == [nil, nil, 1 << 20])
        #expect(limits.allSatisfy { $0.concurrentRequests == 7 })
    }

    @Test func instantsMayBeStringsOrDates() throws {
        for text in ["\"2027-01-01T00:00:00Z\"", "2027-01-01T00:00:00Z", "2027-01-01T01:00:00+01:00"] {
            let result = reading(
                "[[credentials]]\naccess_key_id = \"AKX\"\nsecret_access_key = \"0123456789abcdef\"\n"
                    + "principal_name = \"x\"\nexpires_at = " + text
            )
            #expect(
                result.configuration?.credentials.first?.key.expiresAt == Instant(secondsSince1970: 1_798_761_600),
                "\(text): \(result.problems)"
            )
        }
    }

    @Test func weakSecretsAreWarnings() {
        let result = reading(
            "[server]\nsigv2_presigned = true\n[[users]]\nname = \"a\"\napi_key = \"short\"\n"
        )
        #expect(result.configuration != nil)
        #expect(result.warnings.map(\.origin.line) == [5])
    }

    @Test func theEffectiveConfigurationShowsDefaultsAndNoSecret() throws {
        let result = reading(
            store + """
                [[users]]
                name = "alice"
                api_key = "alice-secret-0123456789"
                [[credentials]]
                access_key_id = "AKCLIENT"
                secret_access_key = "client-secret-0123456789"
                principal_name = "client"
                [audit]
                hmac_key = "audit-secret-0123456789"
                """
        )
        let text = try #require(result.configuration).effective.rendered()
        #expect(!text.contains("0123456789"))
        #expect(text.contains("\"***\"") && text.contains("\"idle_timeout\": \"75s\""))
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(text.utf8)) }
        let dumped = String(reflecting: result.configuration) + "\(result)"
        #expect(!dumped.contains("0123456789"))
    }

    @Test func problemsAreOneLineForPeopleAndAnObjectForPrograms() throws {
        let problem = try #require(reading(store + "[[buckets]]\nname = \"data\"\nacount = 1").errors.last)
        #expect(
            problem.description == "gatehouse.toml:11: buckets[0].acount: unknown key; did you mean \"account\"?"
        )
        let json = try JSONSerialization.jsonObject(with: Data(problem.json.rendered().utf8))
        #expect((json as? [String: Any])?["file"] as? String == "gatehouse.toml")
    }

    @Test func onlyWhatListenersStoresAndLogsWereOpenedWithNeedsARestart() throws {
        let old = try #require(reading("").configuration)
        let same = try #require(reading("[server]\nidle_timeout = \"1s\"\nregion = \"*\"").configuration)
        let applied = RestartRequired(since: old, reading: same)
        #expect(applied.keys.isEmpty)
        #expect(applied.inForce.server.region == "*")
        let other = try #require(
            reading(
                """
                [server]
                listen = "127.0.0.1:1"
                admin_listen = "127.0.0.1:2"
                [server.tls]
                certificate = '''
                \(PEMSample.certificate)'''
                private_key = '''
                \(PEMSample.certificateKey)'''
                [state]
                store = "memory:"
                max_staleness = "10s"
                [admin]
                allowed_hosts = ["admin.example.com"]
                [access_log]
                path = "access.log"
                format = "json"
                [audit]
                path = "elsewhere.jsonl"
                rotate_size = "1MiB"
                keep = 3
                on_error = "deny"
                hmac_key = "audit-secret-0123456789"
                [uploads]
                max_ttl = "2h"
                sqs_queue_url = "http://127.0.0.1:4566/1/uploads"
                sqs_region = "eu-1"
                sqs_access_key_id = "AKQUEUE"
                sqs_secret_access_key = "queue-secret-0123456789"
                """
            ).configuration
        )
        let waiting = RestartRequired(since: old, reading: other)
        #expect(
            waiting.keys == [
                "server.listen", "server.admin_listen", "server.tls", "admin.allowed_hosts", "state.store",
                "state.max_staleness",
                "access_log.path", "access_log.format", "audit.path", "audit.rotate_size", "audit.keep",
                "audit.hmac_key", "uploads.sqs_queue_url", "uploads.sqs_region", "uploads.sqs_access_key_id",
                "uploads.sqs_secret_access_key",
            ]
        )
        // What is shown and gone by is what is in force: the old where it stays, the new where it does not.
        let shown = waiting.inForce
        #expect(shown.audit.onError == .deny && shown.uploads.maxTTL == .seconds(7200))
        #expect(shown.audit.keep == 10 && shown.audit.hmacKey == nil && shown.uploads.queue == nil)
        #expect(shown.server.tls == nil && shown.server.listen == old.server.listen)
        #expect(RestartRequired(since: old, reading: shown).keys.isEmpty)
        // Back as it was, nothing waits any more.
        #expect(RestartRequired(since: other, reading: other).keys.isEmpty)
    }
}
