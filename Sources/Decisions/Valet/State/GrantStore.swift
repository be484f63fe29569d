public import S3API
public import WireFormats

/// Keeps grants and links. Every call that returns has its effect on stable storage; one that throws may be repeated.
public protocol GrantStore: Sendable {
    /// Writes a new grant, and with it the answer to the creation it comes from.
    /// - Parameters:
    ///   - limits: counted with it, of those in force when it is issued.
    ///   - creation: which ``IdempotencyStore`` was told of before; nil where the caller gave no key.
    func insert(
        _ grant: Grant,
        within limits: GrantLimits,
        for creation: IdempotencyKey?
    ) async throws(StateError) -> GrantInsertion
    /// Whether there is room for a grant, as far as is known before it is inserted.
    func hasRoom(for grant: Grant, within limits: GrantLimits) async throws(StateError) -> Bool
    func grant(_ id: String) async throws(StateError) -> GrantRecord?
    /// The grant of a link.
    /// - Parameter hash: the SHA-256 of its token.
    func grant(ofLink hash: [UInt8]) async throws(StateError) -> GrantRecord?
    /// In the order of their ids.
    /// - Parameters:
    ///   - bucket: nil: every one.
    ///   - subject: nil: every one; `link` for links, else a principal.
    ///   - after: the id behind which to go on; nil: from the beginning.
    func grants(
        bucket: BucketName?,
        subject: String?,
        after: String?,
        limit: Int
    ) async throws(StateError) -> [GrantRecord]
    /// - Returns: the grant as it is then; nil where there is none.
    func revoke(_ id: String, at now: Instant) async throws(StateError) -> GrantRecord?
    /// Takes one of a grant's uses, unless it has none left. An address goes on with the last use that was kept for it, without
    /// taking another, where it is `continuing`; one that may still be given back is nothing to go on with.
    func use(_ id: String, _ kind: UseKind, from address: IPAddress?, at now: Instant) async throws(StateError)
        -> UseOutcome
    /// A use that was taken is made: its address may go on with it for ``UseKind/window`` after it was taken.
    func keep(_ id: String, from address: IPAddress, at now: Instant) async throws(StateError)
    /// Gives a use back that was taken and came to nothing.
    func giveBack(_ id: String) async throws(StateError)
    /// What was inserted or revoked since, in the order in which it was written, for the table that requests are
    /// decided by.
    /// - Parameter cursor: of the call before; 0: from the beginning.
    func changes(since cursor: Int64, limit: Int) async throws(StateError) -> (changed: [GrantRecord], cursor: Int64)
    /// Remembers a URL of a store that rests on a grant, and that taking the grant back does not end. Of the URLs of one grant
    /// the ``OutstandingURL/most`` that last longest are kept.
    func remember(_ url: OutstandingURL) async throws(StateError)
    /// Such URLs that are still good then, the longest lasting first.
    func outstanding(_ grant: String, at now: Instant, limit: Int) async throws(StateError) -> [OutstandingURL]
    /// Forgets grants that expired or were taken back before that, and their URLs. Returns how many.
    func forget(expiredBefore instant: Instant, limit: Int) async throws(StateError) -> Int
}

public enum GrantInsertion: Hashable, Sendable {
    case inserted
    /// There are as many in force as may be.
    case tooMany
    /// The same creation was answered meanwhile, with that one.
    case repeated(id: String)
}

public struct GrantRecord: Hashable, Sendable {
    public let grant: Grant
    public let uses: Int
    public let lastUsedAt: Instant?

    public init(grant: Grant, uses: Int, lastUsedAt: Instant? = nil) {
        self.grant = grant
        self.uses = uses
        self.lastUsedAt = lastUsedAt
    }
}

public enum UseKind: Hashable, Sendable {
    /// The object from its beginning.
    case fresh
    /// A later part of it.
    case continuing
    /// Nothing of it: takes no use, and is refused where none is left.
    case looking

    /// How long after a use that was kept its address may go on.
    public static let window = Duration.seconds(600)
}

public enum UseOutcome: Hashable, Sendable {
    case counted(uses: Int)
    /// It goes on with a use that was counted before.
    case continued
    /// Exhausted, revoked, expired or unknown: the same to whoever asks.
    case refused
}

/// A signed URL of a store, which nobody can take back before it expires.
public struct OutstandingURL: Hashable, Sendable {
    /// As many are listed where a grant is taken back.
    public static let most = 1000

    public let grant: String
    public let method: String
    public let bucket: BucketName
    public let key: ObjectKey
    public let expiresAt: Instant

    public init(grant: String, method: String, bucket: BucketName, key: ObjectKey, expiresAt: Instant) {
        self.grant = grant
        self.method = method
        self.bucket = bucket
        self.key = key
        self.expiresAt = expiresAt
    }
}
