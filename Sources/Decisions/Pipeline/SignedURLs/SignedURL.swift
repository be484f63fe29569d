public import HTTP1
public import S3API
public import WireFormats

/// A URL that does one thing with one key for whoever holds it, until it expires.
public struct SignedURL: Sendable {
    /// Where it leads.
    public enum Delivery: String, Sendable {
        /// To the store: nobody decides about it again.
        case store
        /// Back to Gatehouse, which decides by what its owner may do then.
        case gatehouse
    }

    /// What ends it before the time that was asked for.
    public enum Cap: String, CaseIterable, Sendable {
        /// No signature is good for longer, or the configuration does not want it to be.
        case maximum
        /// What the store is asked with ends.
        case backendCredential = "backend_credential"
        /// What the caller showed ends.
        case callerCredential = "caller_credential"
        case grant
        case authorizer
    }

    /// 32 lower-case hexadecimal digits.
    public let id: String
    public let method: HTTPMethod
    public let url: String
    /// What the request has to carry; names in lower case.
    public let fields: FieldBlock
    public let via: Delivery
    public let expiresAt: Instant
    public let cappedBy: Cap?
    /// The rule that allowed it, for the log.
    public let reason: String
    /// What has to be kept before it is handed out: one of a store that rests on grants, for each of them.
    public let onGrants: [URLOnGrant]
}

/// What a URL shall do.
public struct URLWish: Sendable {
    public enum Via: String, CaseIterable, Sendable {
        case store, gatehouse, auto
    }

    public let method: HTTPMethod
    /// What it takes to be allowed.
    public let actions: ActionSet
    public let bucket: BucketName
    public let key: ObjectKey
    /// Where the bytes go for now, if not under the key.
    public var place: ObjectKey?
    public var query: Query
    /// What the request has to carry; names in lower case, without `host`.
    public var fields: FieldBlock
    public var lifetime: Duration
    public var via: Via
    /// Besides what always limits it: a grant's end, the configuration's maximum.
    public var limits: [(cap: SignedURL.Cap, until: Instant)]

    public init(
        _ method: HTTPMethod,
        _ actions: ActionSet,
        bucket: BucketName,
        key: ObjectKey,
        query: Query = Query(),
        fields: FieldBlock = FieldBlock(),
        lifetime: Duration,
        via: Via = .auto,
        limits: [(cap: SignedURL.Cap, until: Instant)] = []
    ) {
        self.method = method
        self.actions = actions
        self.bucket = bucket
        self.key = key
        self.query = query
        self.fields = fields
        self.lifetime = lifetime
        self.via = via
        self.limits = limits
    }
}

/// Why no URL is signed: what the caller is told, and what only the log is.
public struct URLRefusal: Error, Sendable {
    public let error: S3Error
    public let reason: String

    init(_ error: S3Error, reason: String? = nil) {
        self.error = error
        self.reason = reason ?? error.code.name
    }
}

extension URLRefusal {
    static let stateAway = URLRefusal(S3Error(.serviceUnavailable, retryAfter: 5), reason: Refusal.stateAway.reason)
}
