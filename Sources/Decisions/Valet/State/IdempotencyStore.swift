public import WireFormats

/// Remembers what a creation answered, so that the same one asked again gets the same answer (the `Idempotency-Key`
/// field) for a day.
public protocol IdempotencyStore: Sendable {
    /// Begins a creation.
    func begin(_ key: IdempotencyKey, request digest: [UInt8], at now: Instant) async throws(StateError)
        -> IdempotencyOutcome
    /// Keeps its answer.
    func finish(_ key: IdempotencyKey, status: Int, body: [UInt8]) async throws(StateError)
    /// It came to nothing and may be tried again.
    func cancel(_ key: IdempotencyKey) async throws(StateError)
    func forget(begunBefore instant: Instant, limit: Int) async throws(StateError) -> Int
}

/// Whose key it is, and what for: two callers' equal keys are two.
public struct IdempotencyKey: Hashable, Sendable {
    public let principal: String
    public let operation: String
    /// As the caller chose it, at most 255 bytes.
    public let key: String

    public init(principal: String, operation: String, key: String) {
        self.principal = principal
        self.operation = operation
        self.key = key
    }
}

public enum IdempotencyOutcome: Hashable, Sendable {
    case begun
    case answered(status: Int, body: [UInt8])
    /// The same key came with another request.
    case conflict
    /// The first request is still under way.
    case underWay
}
