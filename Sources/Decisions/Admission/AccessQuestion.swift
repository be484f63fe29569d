public import Identity
public import S3API
public import WireFormats

/// May this caller do that there? A value with everything the answer depends on, besides the policies.
public struct AccessQuestion: Sendable {
    public var principal: Principal
    public var standing: Standing
    /// What the caller's credential itself permits.
    public var basis: RightsBasis
    /// All of them must be permitted.
    public var actions: ActionSet
    public var target: Target
    /// Which version of the object; nil: the current one, or no object.
    public var versionID: [UInt8]?
    public var bucket: BucketFacts
    public var circumstances: Circumstances
    /// Counted grants that were found to have no use left.
    public var spentGrants: Set<String> = []
    /// What narrows the caller's session: each of them has to permit it too.
    public var sessionPolicies: [PolicyDocument] = []

    public init(
        principal: Principal,
        standing: Standing = .active,
        basis: RightsBasis,
        actions: ActionSet,
        target: Target,
        bucket: BucketFacts = BucketFacts(),
        circumstances: Circumstances
    ) {
        self.principal = principal
        self.standing = standing
        self.basis = basis
        self.actions = actions
        self.target = target
        self.bucket = bucket
        self.circumstances = circumstances
    }

    /// The same for many objects of one request, what narrows the session looked at as far as it does not differ by object.
    ///
    /// - Parameter values: as ``decide(_:policies:grants:rights:values:)`` asks for them.
    public func settled(_ values: (RequestValue) -> [[UInt8]]) -> AccessQuestion {
        var question = self
        question.sessionPolicies = sessionPolicies.map { $0.settled(for: self, values) }
        return question
    }

    /// Whether the principal may act at all.
    public enum Standing: Hashable, Sendable {
        case active
        case disabled
        case expired
    }

    /// What is asked for. Names and keys are the caller's: virtual buckets, keys without `backend_prefix`.
    public enum Target: Hashable, Sendable {
        /// No bucket: ListBuckets.
        case service
        /// A bucket as a whole.
        case bucket(BucketName)
        /// The keys of a bucket that begin with a prefix; empty: all of them.
        case listing(BucketName, prefix: [UInt8])
        case object(BucketName, ObjectKey)

        public var bucket: BucketName? {
            switch self {
            case .service: nil
            case .bucket(let name), .listing(let name, _), .object(let name, _): name
            }
        }

        /// What a store may take it for that tells fewer keys apart than S3; nil where that is the same.
        var folded: Target? {
            switch self {
            case .service, .bucket: nil
            case .listing(let name, let prefix):
                FoldedName.isFolded(prefix) ? nil : .listing(name, prefix: FoldedName(prefix).bytes)
            case .object(let name, let key):
                FoldedName.isFolded(key.bytes) ? nil : .object(name, ObjectKey(FoldedName(key.bytes).bytes))
            }
        }
    }

    /// What is asked for, and what the store may take it for.
    public var targets: [Target] {
        [target] + (bucket.keepsKeys ? [] : target.folded.map { [$0] } ?? [])
    }

    /// What the configuration says of the bucket.
    public struct BucketFacts: Hashable, Sendable {
        /// `anonymous_access`.
        public var anonymousAccess: Bool
        /// Its account has `buckets = ["*"]`.
        public var accountOwnsEveryBucket: Bool
        /// `allowed_roles`: which roles may reach it; nil: any.
        public var allowedRoles: Set<String>?
        /// Its store is known to keep every key as it is: no two of them are one object.
        public var keepsKeys: Bool

        public init(
            anonymousAccess: Bool = false,
            accountOwnsEveryBucket: Bool = false,
            allowedRoles: Set<String>? = nil,
            keepsKeys: Bool = false
        ) {
            self.anonymousAccess = anonymousAccess
            self.accountOwnsEveryBucket = accountOwnsEveryBucket
            self.allowedRoles = allowedRoles
            self.keepsKeys = keepsKeys
        }
    }

    /// When, from where and how the request came.
    public struct Circumstances: Hashable, Sendable {
        public var now: Instant
        /// Nil where no trustworthy address is known: then address conditions hold for denials, not for permissions.
        public var sourceAddress: IPAddress?
        public var transport: Transport
        public var occasion: Occasion

        public init(
            now: Instant,
            sourceAddress: IPAddress?,
            transport: Transport,
            occasion: Occasion = .present
        ) {
            self.now = now
            self.sourceAddress = sourceAddress
            self.transport = transport
            self.occasion = occasion
        }

        /// Which requests the answer has to hold for.
        public enum Occasion: Hashable, Sendable {
            /// The one at hand.
            case present
            /// Whichever come later and nobody will decide about: when they come and what fields they have is not known.
            case later
        }

        /// Between the client and the first hop that is trusted.
        public enum Transport: Hashable, Sendable {
            case tls
            case plain
        }
    }
}

/// What a credential brings along.
public enum RightsBasis: Sendable {
    /// An access key's `allowed_scopes`.
    case scopes([Scope])
    /// An API-key user's role on their buckets.
    case user(UserRole, AllowedBuckets)
    /// Nothing: anonymous callers.
    case none
}
