import Admission
import Backends
import Identity
import Pipeline
import S3API
import Signatures
import Testing
import WireFormats

/// A pipeline with the callers and buckets that these tests share; what it decides by may be changed between requests.
struct Gate {
    var server = Gate.settings()
    var policies = PolicySet()
    var authorizer: AuthorizerSettings?
    var gateways = GatewayRules()
    var limits = RequestLimits.unlimited
    var ownLimits: [Principal: RequestLimits] = [:]
    /// `buckets = ["*"]` for the account in the north.
    var hasOpenAccount = false
    var openAccountKind = BackendKind.s3
    /// The buckets `azured`, at Azure, and `googled`, which a store of Google's is said to have.
    var hasOtherKinds = false
    var auditIsHealthy = true
    var isDraining = false
    /// Whether the client's connection is TLS.
    var clientIsSecure = true
    /// What every store knows of checksums.
    var checksums = StoreChecksums.headersAndTrailers
    /// Paths of the application's own.
    var routes: [Route] = []
    var identityProviders: [IdentityProvider] = []
    var uploads = UploadRules()
    var provider: OIDCProvider?
    var roles: [Role] = []
    var sessionKeys: SessionKeyring?
    /// Of the bucket `leased`, whose store's credential has to be obtained; nil: there is no such bucket.
    var lease: CredentialLease?
    /// Besides.
    var otherBuckets: [Bucket] = []
    /// Whether every access key has another secret by now, and every user another API key.
    var keysAreNew = false
    let limiter = Limiter()
    private var pipeline: Pipeline

    init(
        tokens: any TokenVerifier = NoTokens(),
        authorizer: any Authorizer = NoAuthorizer(),
        desk: (any APIDesk)? = nil,
        grants: GrantSource? = nil,
        revocations: RevocationBook? = nil
    ) {
        pipeline = Pipeline(
            limiter: limiter,
            tokens: tokens,
            authorizer: authorizer,
            desk: desk,
            grants: grants,
            revocations: revocations
        )
    }

    static func settings(
        region: String = "us-east-1",
        requiresAudit: Bool = false,
        maxObjectSize: Int64 = 5 << 40,
        trustedProxies: [CIDR] = [],
        keyRules: KeyRules = .standard
    ) -> ServerSettings {
        ServerSettings(
            region: region,
            publicURL: "https://files.example.com",
            requiresAudit: requiresAudit,
            domains: ["s3.example.com"],
            maxObjectSize: maxObjectSize,
            trustedProxies: trustedProxies,
            keyRules: keyRules
        )
    }

    @discardableResult
    mutating func decide(
        _ call: Call,
        at now: Instant = noon,
        from peer: String = "192.0.2.7",
        knowing findings: Findings = Findings()
    ) throws -> Decision {
        pipeline.decide(
            call.head,
            from: ConnectionFacts(peer: IPAddress(peer), isSecure: clientIsSecure),
            knowing: findings,
            under: try snapshot(),
            at: now,
            requestID: RequestID(random: 42),
            auditIsHealthy: auditIsHealthy,
            isDraining: isDraining
        )
    }

    func snapshot() throws -> Snapshot {
        Snapshot(
            generation: 1,
            server: server,
            accessKeys: try AccessKeyTable(Key.allCases.map { $0.accessKey(isNew: keysAreNew) }),
            keyScopes: try Dictionary(uniqueKeysWithValues: Key.allCases.map { ($0.rawValue, try $0.scopes) }),
            apiKeys: try APIKeyTable(User.allCases.map { $0.entry(isNew: keysAreNew) }),
            admins: [.user("root")],
            identityProviders: identityProviders,
            tokenScopes: try Self.tokenScopes(),
            gateways: gateways,
            routes: routes.isEmpty ? nil : RouteTable(routes),
            policies: policies,
            authorizer: authorizer,
            limits: limits,
            ownLimits: ownLimits,
            openAccount: hasOpenAccount ? openAccount : nil,
            buckets: try Self.buckets(knowing: checksums)
                + (hasOtherKinds ? [try Self.azureBucket(), try Self.bucket("googled", kind: .gcs)] : [])
                + (lease.map { [try leasedBucket($0)] } ?? []) + otherBuckets,
            urlKeys: URLKeyring(secret: Secret(Array(repeating: 7, count: 32))),
            uploads: uploads,
            roles: roles,
            sessionKeys: sessionKeys,
            provider: provider
        )
    }

    /// Who has a token of `auth` reads the bucket named after the subject, and writes below an organisation in docs.
    private static func tokenScopes() throws -> [String: [ScopeTemplate]] {
        let read = try #require(ActionSet(named: "read"))
        let write = try #require(ActionSet(named: "write"))
        return [
            "auth": [
                try ScopeTemplate(bucket: "{sub}", prefixes: [], actions: read, namesEveryAction: false),
                try ScopeTemplate(bucket: "docs", prefixes: ["{org}/"], actions: write, namesEveryAction: false),
            ]
        ]
    }

    private static let north = Endpoint(address: .tcp(host: "north", port: 80), transport: .plain, authority: "north")
    private static let south = Endpoint(address: .tcp(host: "south", port: 80), transport: .plain, authority: "south")

    private static let overTLS = Endpoint(address: .tcp(host: "tls", port: 443), transport: .tls, authority: "tls")

    private var openAccount: OpenAccount {
        OpenAccount(
            upstream: Upstream(name: "north", endpoint: Self.north),
            backend: Self.backend(""),
            storeVerifiesPayload: false,
            kind: openAccountKind,
            hardening: []
        )
    }

    private static func backend(
        _ bucket: String,
        at endpoint: Endpoint = north,
        prefix: String = "",
        crossOrigin: S3Backend.CrossOrigin = .store,
        checksums: StoreChecksums = .headersAndTrailers
    ) -> S3Backend {
        S3Backend(
            endpoint: endpoint,
            region: "eu-west-1",
            bucketName: bucket,
            prefix: prefix,
            signer: SigV4Signer(accessKeyID: "AKSTORE", secret: Secret("store-secret"), region: "eu-west-1"),
            crossOrigin: crossOrigin,
            checksums: checksums
        )
    }

    private static func buckets(knowing checksums: StoreChecksums) throws -> [Bucket] {
        [
            try bucket("photos", checksums: checksums),
            try bucket("docs"),
            try bucket("public", anonymous: true),
            // v2/ in the bucket that another entry shows too.
            try bucket("prefixed", in: "shared", prefix: "v2"),
            try bucket("shared-too", in: "shared", owned: false),
            try bucket("checked", verified: true),
            try bucket("local", kind: .file),
            try bucket("far", at: south),
            try bucket("encrypted", at: overTLS),
            try bucket("renamed", in: "at-the-store"),
            try unsignedBucket("free"),
            try bucket("web", crossOrigin: CrossOriginRules(webRules)),
        ]
    }

    /// One application may write, another site and its subdomains with one method more, everybody may read.
    private static let webRules = [
        CORSConfiguration.Rule(
            allowedOrigins: ["https://app.example.com"],
            allowedMethods: ["GET", "PUT"],
            allowedHeaders: ["content-type", "x-amz-*"],
            exposedHeaders: ["x-amz-meta-colour", "etag"],
            maxAgeSeconds: 600
        ),
        CORSConfiguration.Rule(
            allowedOrigins: ["https://*.example.net"],
            allowedMethods: ["DELETE"],
            allowedHeaders: [],
            exposedHeaders: [],
            maxAgeSeconds: 60
        ),
        CORSConfiguration.Rule(
            allowedOrigins: ["*"],
            allowedMethods: ["GET", "HEAD"],
            allowedHeaders: ["*"],
            exposedHeaders: [],
            maxAgeSeconds: 1
        ),
    ]

    private static func azureBucket() throws -> Bucket {
        let signer = try #require(SharedKeySigner(account: "acct", key: Secret("c2VjcmV0")))
        return Bucket(
            name: try #require(BucketName(validating: "azured")),
            backend: AzureBackend(
                account: "acct",
                container: "azured",
                endpoint: south,
                credential: .sharedKey(signer)
            ),
            upstream: Upstream(name: "azured", endpoint: south),
            kind: .azure,
            hardening: []
        )
    }

    private func leasedBucket(_ lease: CredentialLease) throws -> Bucket {
        Bucket(
            name: try #require(BucketName(validating: "leased")),
            backend: S3Backend(
                endpoint: Self.north,
                publicEndpoint: Endpoint(url: "https://store.example.com"),
                region: "eu-west-1",
                bucketName: "leased",
                signer: lease.term.map { term in
                    SigV4Signer(
                        accessKeyID: "ASIA\(term.version)",
                        secret: Secret("session-secret"),
                        sessionToken: Secret("session-token"),
                        region: "eu-west-1"
                    )
                }
            ),
            upstream: Upstream(name: "north", endpoint: Self.north),
            hardening: [],
            lease: lease
        )
    }

    private static func unsignedBucket(_ name: String) throws -> Bucket {
        Bucket(
            name: try #require(BucketName(validating: name)),
            backend: S3Backend(endpoint: north, region: "eu-west-1", bucketName: name, signer: nil),
            upstream: Upstream(name: "north", endpoint: north),
            hardening: []
        )
    }

    private static func bucket(
        _ name: String,
        in backendBucket: String? = nil,
        at endpoint: Endpoint = north,
        prefix: String = "",
        anonymous: Bool = false,
        verified: Bool = false,
        owned: Bool = true,
        kind: BackendKind = .s3,
        crossOrigin: CrossOriginRules? = nil,
        checksums: StoreChecksums = .headersAndTrailers
    ) throws -> Bucket {
        Bucket(
            name: try #require(BucketName(validating: name)),
            backend: backend(
                backendBucket ?? name,
                at: endpoint,
                prefix: prefix,
                crossOrigin: crossOrigin == nil ? .store : .gateway,
                checksums: checksums
            ),
            upstream: Upstream(name: endpoint.authority, endpoint: endpoint),
            anonymousAccess: anonymous,
            storeVerifiesPayload: verified,
            ownsBackendBucket: owned && prefix.isEmpty,
            kind: kind,
            crossOrigin: crossOrigin,
            hardening: []
        )
    }
}

/// The access keys of these tests: their ids.
enum Key: String, CaseIterable {
    case full = "AKFULL"
    /// Reads and lists everywhere.
    case reader = "AKREADER"
    /// Everything below `models/` in photos.
    case models = "AKMODELS"
    case disabled = "AKDISABLED"
    case expired = "AKEXPIRED"

    var secret: String { "secret of " + rawValue }

    fileprivate func accessKey(isNew: Bool) -> AccessKey {
        AccessKey(
            id: rawValue,
            secret: Secret(isNew ? "new " + secret : secret),
            principalName: rawValue.lowercased(),
            enabled: self != .disabled,
            expiresAt: self == .expired ? noon : nil
        )
    }

    fileprivate var scopes: [Scope] {
        get throws {
            switch self {
            case .full, .disabled, .expired: [try Scope(bucket: "*", actions: ["*"])]
            case .reader: [try Scope(bucket: "*", actions: ["read", "list"])]
            case .models: [try Scope(bucket: "photos", prefixes: ["models/"], actions: ["*"])]
            }
        }
    }
}

/// The API-key users of these tests: their keys.
enum User: String, CaseIterable {
    case alice = "alice-key"
    case root = "root-key"
    case watcher = "watcher-key"

    fileprivate func entry(isNew: Bool) -> APIKeyTable.Entry {
        let user =
            switch self {
            case .alice: APIUser(name: "alice", role: .user, allowedBuckets: .named(["photos"]))
            case .root: APIUser(name: "root", role: .admin, allowedBuckets: .every)
            case .watcher: APIUser(name: "watcher", role: .readonly, allowedBuckets: .named(["photos", "docs"]))
            }
        return APIKeyTable.Entry(digest: APIKeyDigest(of: (isNew ? "new-" + rawValue : rawValue).utf8), user: user)
    }
}

extension PolicySet {
    /// One policy that permits whoever `pattern` names everything, bucket configuration and ACLs included.
    static func everything(for pattern: String) throws -> PolicySet {
        let document = #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#
        return PolicySet([
            PolicySet.Entry(
                name: "everything",
                appliesTo: [try PrincipalPattern(parsing: pattern)],
                document: try PolicyDocument(parsing: document.utf8)
            )
        ])
    }
}
