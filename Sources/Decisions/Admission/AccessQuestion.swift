package import Identity
package import S3API
package import WireFormats

/// May this caller do that there? A value with everything the answer depends on, besides the policies.
package struct AccessQuestion: Sendable {
    package var principal: Principal
    package var standing: Standing
    /// What the caller's credential itself permits.
    package var basis: RightsBasis
    /// All of them must be permitted.
    package var actions: ActionSet
    package var target: Target
    package var bucket: BucketFacts
    package var circumstances: Circumstances

    package init(
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

    /// Whether the principal may act at all.
    package enum Standing: Hashable, Sendable {
        case active
        case disabled
        case expired
    }

    /// What is asked for. Names and keys are the caller's: virtual buckets, keys without `backend_prefix`.
    package enum Target: Hashable, Sendable {
        /// No bucket: ListBuckets.
        case service
        /// A bucket as a whole.
        case bucket(BucketName)
        /// The keys of a bucket that begin with a prefix; empty: all of them.
        case listing(BucketName, prefix: [UInt8])
        case object(BucketName, ObjectKey)

        package var bucket: BucketName? {
            switch self {
            case .service: nil
            case .bucket(let name), .listing(let name, _), .object(let name, _): name
            }
        }
    }

    /// What the configuration says of the bucket.
    package struct BucketFacts: Hashable, Sendable {
        /// `anonymous_access`.
        package var anonymousAccess: Bool
        /// Its account has `buckets = ["*"]`.
        package var accountOwnsEveryBucket: Bool

        package init(anonymousAccess: Bool = false, accountOwnsEveryBucket: Bool = false) {
            self.anonymousAccess = anonymousAccess
            self.accountOwnsEveryBucket = accountOwnsEveryBucket
        }
    }

    /// When, from where and how the request came.
    package struct Circumstances: Hashable, Sendable {
        package var now: Instant
        /// Nil where no trustworthy address is known: then address conditions hold for denials, not for permissions.
        package var sourceAddress: IPAddress?
        package var transport: Transport

        package init(now: Instant, sourceAddress: IPAddress?, transport: Transport) {
            self.now = now
            self.sourceAddress = sourceAddress
            self.transport = transport
        }

        /// Between the client and the first hop that is trusted.
        package enum Transport: Hashable, Sendable {
            case tls
            case plain
        }
    }
}

/// What a credential brings along.
package enum RightsBasis: Sendable {
    /// An access key's `allowed_scopes`.
    case scopes([Scope])
    /// An API-key user's role on their buckets.
    case user(UserRole, AllowedBuckets)
    /// Nothing: anonymous callers.
    case none
}
