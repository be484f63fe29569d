public import Admission
public import Backends
public import Identity
public import S3API
import WireFormats

/// Everything a decision rests on, compiled from one configuration and never changed: every event loop reads it without
/// a lock, and a request keeps the one it began with. A reload makes a new one.
public final class Snapshot: Sendable {
    /// Counts up with every reload.
    public let generation: Int
    public let server: ServerSettings
    public let accessKeys: AccessKeyTable
    /// What each access key may do, by its id.
    public let keyScopes: [String: [Scope]]
    public let apiKeys: APIKeyTable
    /// Who may use the admin listener.
    public let admins: Set<Principal>
    /// Whose tokens are accepted.
    public let identityProviders: [IdentityProvider]
    /// What the bearers of each identity provider's tokens may do, by its name.
    public let tokenScopes: [String: [ScopeTemplate]]
    /// Who may ask in other gateways' stead.
    public let gateways: GatewayRules
    /// Paths of the applications' own; nil: there are none.
    public let routes: RouteTable?
    public let policies: PolicySet
    /// The application that may veto; nil: nobody is asked.
    public let authorizer: AuthorizerSettings?
    public let limits: RequestLimits
    /// Limits of single principals, where they differ from ``limits``.
    public let ownLimits: [Principal: RequestLimits]
    /// The account that owns every bucket no other entry claims, by its own name or by another.
    public let openAccount: OpenAccount?
    /// What URLs to ourselves are signed with; nil: none are.
    public let urlKeys: URLKeyring?
    /// What upload slots may be, and who is told of them.
    public let uploads: UploadRules
    /// What can be assumed, by id.
    public let roles: [String: Role]
    /// What session tokens are sealed with; nil: there are no sessions.
    public let sessionKeys: SessionKeyring?
    /// We as an identity provider; nil: nobody has to believe us.
    public let provider: OIDCProvider?
    private let buckets: [BucketName: Bucket]

    public init(
        generation: Int,
        server: ServerSettings,
        accessKeys: AccessKeyTable,
        keyScopes: [String: [Scope]],
        apiKeys: APIKeyTable,
        admins: Set<Principal>,
        identityProviders: [IdentityProvider] = [],
        tokenScopes: [String: [ScopeTemplate]] = [:],
        gateways: GatewayRules = GatewayRules(),
        routes: RouteTable? = nil,
        policies: PolicySet,
        authorizer: AuthorizerSettings? = nil,
        limits: RequestLimits,
        ownLimits: [Principal: RequestLimits],
        openAccount: OpenAccount?,
        buckets: [Bucket],
        urlKeys: URLKeyring? = nil,
        uploads: UploadRules = UploadRules(),
        roles: [Role] = [],
        sessionKeys: SessionKeyring? = nil,
        provider: OIDCProvider? = nil
    ) {
        self.generation = generation
        self.server = server
        self.accessKeys = accessKeys
        self.keyScopes = keyScopes
        self.apiKeys = apiKeys
        self.admins = admins
        self.identityProviders = identityProviders
        self.tokenScopes = tokenScopes
        self.gateways = gateways
        self.routes = routes
        self.policies = policies
        self.authorizer = authorizer
        self.limits = limits
        self.ownLimits = ownLimits
        self.openAccount = openAccount?.leaving(buckets)
        self.urlKeys = urlKeys
        self.uploads = uploads
        self.roles = Dictionary(roles.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.sessionKeys = sessionKeys
        self.provider = provider
        let upstreams = buckets.map(\.upstream) + (openAccount.map { [$0.upstream] } ?? [])
        self.upstreams = Set(upstreams)
        upstreamObjects = Set(upstreams.map(ObjectIdentifier.init))
        self.buckets = Dictionary(buckets.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Which key it is that somebody shows; nil where there is none any more.
    func generation(of holder: CredentialHolder, at now: Instant) -> String? {
        switch holder {
        case .user(let name): apiKeys.digest(ofUser: name).map { URLKey.generation(of: $0.bytes) }
        case .accessKey(let id):
            (try? accessKeys.find(id, at: now)).map { URLKey.generation(of: $0.secret.reveal().utf8) }
        // These end by themselves.
        case .token, .session: ""
        }
    }

    /// The bucket of that name: an entry of the configuration, or one of the account that owns all others.
    public func bucket(_ name: BucketName) -> Bucket? {
        buckets[name] ?? openAccount?.bucket(name)
    }

    /// Why nobody makes a bucket whose name the configuration gave away.
    var noBucketIsMade: S3Error { openAccount == nil ? .bucketsAreConfigured : S3Error(.bucketAlreadyExists) }

    /// The configured buckets, by name.
    public var namedBuckets: [Bucket] {
        buckets.values.sorted { $0.name.string < $1.name.string }
    }

    /// Every store that a bucket of this snapshot lies at.
    public let upstreams: Set<Upstream>
    private let upstreamObjects: Set<ObjectIdentifier>

    /// The credentials that are obtained for its stores, each source once, under the names of stores that have it.
    public var credentialSources: [CredentialSource: Set<String>] {
        var sources: [CredentialSource: Set<String>] = [:]
        for bucket in buckets.values {
            for lease in bucket.leases { sources[lease.source, default: []].insert(bucket.upstream.name) }
        }
        if let account = openAccount, let lease = account.lease {
            sources[lease.source, default: []].insert(account.upstream.name)
        }
        return sources
    }

    /// Whether this very object is of this snapshot, so that it lives as long.
    public func owns(_ upstream: Upstream) -> Bool {
        upstreamObjects.contains(ObjectIdentifier(upstream))
    }

    public func limits(of principal: Principal) -> RequestLimits {
        ownLimits.isEmpty ? limits : ownLimits[principal] ?? limits
    }
}

/// A bucket as clients see it: its own name, its place in a store, and how it is shown.
public final class Bucket: Sendable {
    public let name: BucketName
    public let backend: any Backend
    public let upstream: Upstream
    public let anonymousAccess: Bool
    /// Which roles' sessions may reach it; nil: any.
    public let allowedRoles: Set<String>?
    /// The store checks the signed payload hash itself, so that we need not.
    public let storeVerifiesPayload: Bool
    /// Whether the bucket's configuration is its own: no prefix, and no other entry with the same bucket behind it.
    public let ownsBackendBucket: Bool
    /// Says which operations the store has.
    public let kind: BackendKind
    /// It belongs to an account with `buckets = ["*"]`.
    public let isOfOpenAccount: Bool
    /// What pages of other origins may do; nil: what the store's own bucket says.
    public let crossOrigin: CrossOriginRules?
    /// Field lines that every answer about this bucket carries.
    public let hardening: [UInt8]
    /// Where the store's credential ends and is renewed; nil: it stands in the configuration, or there is none.
    public let lease: CredentialLease?
    /// What URLs to the store are signed with.
    public let urls: URLBasis

    /// - Parameter urls: nil: what requests are made with.
    public init(
        name: BucketName,
        backend: any Backend,
        upstream: Upstream,
        anonymousAccess: Bool = false,
        allowedRoles: Set<String>? = nil,
        storeVerifiesPayload: Bool = false,
        ownsBackendBucket: Bool = true,
        kind: BackendKind = .s3,
        isOfOpenAccount: Bool = false,
        crossOrigin: CrossOriginRules? = nil,
        hardening: [UInt8],
        lease: CredentialLease? = nil,
        urls: URLBasis? = nil
    ) {
        self.name = name
        self.backend = backend
        self.upstream = upstream
        self.anonymousAccess = anonymousAccess
        self.allowedRoles = allowedRoles
        self.storeVerifiesPayload = storeVerifiesPayload
        self.ownsBackendBucket = ownsBackendBucket
        self.kind = kind
        self.isOfOpenAccount = isOfOpenAccount
        self.crossOrigin = crossOrigin
        self.hardening = hardening
        self.lease = lease
        self.urls = urls ?? lease.map { .leased($0) } ?? .lasting
    }
}

/// An account with `buckets = ["*"]`: a bucket of it is whatever name nobody else has, here or at the store. What an entry shows
/// under another name, behind a prefix or to some alone has no second door.
public struct OpenAccount: Sendable {
    public let upstream: Upstream
    /// The store as such, for listing its buckets.
    public let backend: S3Backend
    public let storeVerifiesPayload: Bool
    public let kind: BackendKind
    public let hardening: [UInt8]
    /// As of a bucket.
    public let lease: CredentialLease?
    /// What entries have of its store: names there, in lower case, since not every store tells cases apart.
    private var taken: Set<String> = []

    public init(
        upstream: Upstream,
        backend: S3Backend,
        storeVerifiesPayload: Bool,
        kind: BackendKind,
        hardening: [UInt8],
        lease: CredentialLease? = nil
    ) {
        self.upstream = upstream
        self.backend = backend
        self.storeVerifiesPayload = storeVerifiesPayload
        self.kind = kind
        self.hardening = hardening
        self.lease = lease
    }

    /// The same without what these have of its store.
    fileprivate func leaving(_ buckets: [Bucket]) -> OpenAccount {
        var account = self
        let place = backend.endpoint.namespace
        account.taken = Set(
            buckets.filter { $0.backend.endpoint.namespace == place }.map { $0.backend.bucketName.lowercased() }
        )
        return account
    }

    /// Nil where an entry has the store's bucket of that name.
    func bucket(_ name: BucketName) -> Bucket? {
        guard !taken.contains(name.string.lowercased()) else { return nil }
        return Bucket(
            name: name,
            backend: backend.withBucket(name.string),
            upstream: upstream,
            storeVerifiesPayload: storeVerifiesPayload,
            kind: kind,
            isOfOpenAccount: true,
            hardening: hardening,
            lease: lease
        )
    }
}
