public import WireFormats

/// Keeps what was ended before its time. Every call that returns has its effect on stable storage; one that throws may be
/// repeated.
public protocol RevocationStore: Sendable {
    /// Adds to what is known of the subject: the later instant counts, and a block stays until it is lifted.
    /// - Returns: what is known of it then.
    func revoke(_ revocation: Revocation) async throws(StateError) -> Revocation
    /// Lifts a block; what was issued up to then stays ended.
    /// - Returns: what is known of the subject then; nil where nothing is.
    func unblock(_ kind: Revocation.Kind, _ subject: String) async throws(StateError) -> Revocation?
    /// What is known, the latest first.
    func revocations(limit: Int) async throws(StateError) -> [Revocation]
    /// What was changed since, in the order in which it was written.
    /// - Parameter cursor: of the call before; 0: from the beginning.
    func revocations(
        since cursor: Int64,
        limit: Int
    ) async throws(StateError) -> (changed: [Revocation], cursor: Int64)
    /// Forgets what is no block and was written before that, but for what ends a grant that is kept. Returns how many.
    func forget(revokedBefore instant: Instant, limit: Int) async throws(StateError) -> Int
}
