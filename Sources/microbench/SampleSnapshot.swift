import Admission
import Backends
import Identity
import Pipeline
import S3API
import Signatures
import WireFormats

/// A configuration of ordinary size: a hundred buckets, as many callers, a policy and limits that hold for everybody.
enum SampleSnapshot {
    /// How requests to the store are signed.
    enum Credential {
        case key
        /// A federated session, with a token as long as AWS's.
        case session
    }

    static func make(_ credential: Credential = .key) throws -> Snapshot {
        let endpoint = Endpoint(address: .tcp(host: "store", port: 8333), transport: .plain, authority: "store:8333")
        let upstream = Upstream(name: "store", endpoint: endpoint)
        let lease = credential == .session ? lease : nil
        let signer = SigV4Signer(
            accessKeyID: "AKSTORE0000EXAMPLE",
            secret: Secret("store-secret"),
            sessionToken: lease.map { _ in Secret(String(repeating: "token/+=", count: 100)) },
            region: "us-east-1"
        )
        let names = ["photos"] + (1..<100).map { "bucket-\($0)" }
        let buckets = names.compactMap { BucketName(validating: $0) }.map { name in
            Bucket(
                name: name,
                backend: S3Backend(
                    endpoint: endpoint,
                    region: "us-east-1",
                    bucketName: "store-" + name.string,
                    signer: signer
                ),
                upstream: upstream,
                hardening: HardeningFields.lines(frameOptions: "DENY", overTLS: true),
                lease: lease
            )
        }
        return Snapshot(
            generation: 1,
            server: ServerSettings(publicURL: "https://files.example.com", domains: ["s3.example.com"]),
            accessKeys: try AccessKeyTable(keys),
            keyScopes: [SampleRequests.accessKeyID: [try scope]],
            apiKeys: try APIKeyTable(users),
            admins: [],
            policies: try policies,
            limits: RequestLimits(requests: RateLimit(amount: 1 << 40, window: .seconds(60))),
            ownLimits: [:],
            openAccount: nil,
            buckets: buckets
        )
    }

    private static var lease: CredentialLease? {
        let end = SampleRequests.now + .seconds(3600)
        return ServiceURL("https://sts.us-east-1.amazonaws.com").map { place in
            CredentialLease(
                .aws(AWSSession(.instance, endpoint: place, region: "us-east-1")),
                term: CredentialLease.Term(version: 1, expiresAt: end, usableUntil: end - .seconds(60)),
                from: Nobody()
            )
        }
    }

    /// Nothing ends while it is measured.
    private struct Nobody: CredentialOffice {
        func obtain(_ source: CredentialSource) async -> CredentialFinding {
            .unavailable(reason: "not measured", retryAfter: .seconds(1))
        }

        func refused(_ source: CredentialSource, version: Int) {}
    }

    static var scope: Scope {
        get throws { try Scope(bucket: "photos", prefixes: ["models/production/"], actions: ["read", "list"]) }
    }

    private static var keys: [AccessKey] {
        let others = (1..<100).map { number in
            AccessKey(
                id: "AKOTHER\(number)EXAMPLE",
                secret: Secret("secret-\(number)"),
                principalName: "other-\(number)"
            )
        }
        return others + [
            AccessKey(id: SampleRequests.accessKeyID, secret: SampleRequests.secret, principalName: "dashboard")
        ]
    }

    private static var users: [APIKeyTable.Entry] {
        let keys = [SampleRequests.apiKey] + (1..<100).map { "other-api-key-\($0)" }
        return keys.enumerated().map { number, key in
            APIKeyTable.Entry(
                digest: APIKeyDigest(of: key.utf8),
                user: APIUser(name: "user-\(number)", role: .user, allowedBuckets: .named(["photos"]))
            )
        }
    }

    /// A home folder for everybody, and something nobody may touch.
    static var policies: PolicySet {
        get throws {
            let document = """
                {"Version":"2012-10-17","Statement":[
                {"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::docs/${aws:username}/*"},
                {"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::docs",
                 "Condition":{"StringLike":{"s3:prefix":"${aws:username}/*"}}},
                {"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/frozen/*",
                 "Condition":{"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","2001:db8::/32"]}}}]}
                """
            return PolicySet([
                PolicySet.Entry(
                    name: "everybody",
                    appliesTo: [try PrincipalPattern(parsing: "*")],
                    document: try PolicyDocument(parsing: document.utf8)
                )
            ])
        }
    }
}
