public import S3API
public import WireFormats

/// What somebody gave to somebody else: some actions on one key, or on the keys with a prefix, for a time. Never more than
/// the giver may do, which is asked again at every use.
public struct Grant: Hashable, Sendable {
    /// 32 lower-case hexadecimal digits: 128 random bits.
    public let id: String
    public let subject: Subject
    public let bucket: BucketName
    public let reach: Reach
    public let actions: ActionSet
    /// Who gave it, as `user:NAME` and its like.
    public let grantor: String
    /// What templates need of the token by which the giver was known; empty for those who had none.
    public let claims: [String: String]
    public let note: String
    public let issuedAt: Instant
    public let expiresAt: Instant
    /// Nil: as often as one likes.
    public let maxUses: Int?
    public let source: CIDR?
    public internal(set) var revokedAt: Instant?

    public enum Subject: Hashable, Sendable {
        /// `user:bob` and its like.
        case principal(String)
        /// Whoever holds the link: the SHA-256 of its token, 32 bytes. The token itself is kept nowhere.
        case link(hash: [UInt8])
    }

    public enum Reach: Hashable, Sendable {
        case key(ObjectKey)
        /// As the prefixes of scopes: one that is empty or ends in `/` is what the key begins with; any other is the key
        /// itself or a folder that it lies in.
        case prefix([UInt8])

        public func covers(_ key: ObjectKey) -> Bool {
            switch self {
            case .key(let own): own == key
            case .prefix(let prefix):
                key.hasPrefix(prefix)
                    && (prefix.isEmpty || prefix.last == slash || key.bytes.count == prefix.count
                        || key.bytes[prefix.count] == slash)
            }
        }
    }

    public init(
        id: String,
        subject: Subject,
        bucket: BucketName,
        reach: Reach,
        actions: ActionSet,
        grantor: String,
        claims: [String: String] = [:],
        note: String = "",
        issuedAt: Instant,
        expiresAt: Instant,
        maxUses: Int? = nil,
        source: CIDR? = nil,
        revokedAt: Instant? = nil
    ) {
        self.id = id
        self.subject = subject
        self.bucket = bucket
        self.reach = reach
        self.actions = actions
        self.grantor = grantor
        self.claims = claims
        self.note = note
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.maxUses = maxUses
        self.source = source
        self.revokedAt = revokedAt
    }

    /// Whether it holds at all; uses are counted elsewhere.
    public func isInForce(at now: Instant) -> Bool {
        revokedAt == nil && now < expiresAt
    }

    /// The grant taken back; one that was stays as it is.
    public func revoked(at now: Instant) -> Grant {
        var revoked = self
        if revoked.revokedAt == nil { revoked.revokedAt = now }
        return revoked
    }
}

private let slash = UInt8(ascii: "/")
