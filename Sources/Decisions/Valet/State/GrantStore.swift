public import S3API
public import WireFormats

/// Keeps grants and links. Every call that returns has its effect on stable storage; one that throws has none.
public protocol GrantStore: Sendable {
    func insert(_ grant: Grant) async throws(StateError)
    func grant(_ id: String) async throws(StateError) -> GrantRecord?
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
    /// Takes one of a grant's uses, unless it has none left. The same address goes on with its last use for ten
    /// minutes without taking another, where it is `continuing`.
    func use(_ id: String, _ kind: UseKind, from address: IPAddress?, at now: Instant) async throws(StateError)
        -> UseOutcome
    /// What was inserted or revoked since, in the order in which it was written, for the table that requests are
    /// decided by.
    /// - Parameter cursor: of the call before; 0: from the beginning.
    func changes(since cursor: Int64, limit: Int) async throws(StateError) -> (changed: [GrantRecord], cursor: Int64)
    func forget(expiredBefore instant: Instant, limit: Int) async throws(StateError) -> Int
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
}

public enum UseOutcome: Hashable, Sendable {
    case counted(uses: Int)
    /// It goes on with a use that was counted before.
    case continued
    /// Exhausted, revoked, expired or unknown: the same to whoever asks.
    case refused
}
