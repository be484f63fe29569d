public import WireFormats

/// Remembers what a creation answered, so that the same one asked again gets the same answer (the `Idempotency-Key`
/// field) for a day.
public protocol IdempotencyStore: Sendable {
    /// Begins a creation.
    /// - Parameters:
    ///   - digest: of the request; the same key with another one is a conflict.
    ///   - lease: how long it may be under way before the next one takes it for lost.
    func begin(_ key: IdempotencyKey, request digest: [UInt8], at now: Instant, lease: Duration)
        async throws(StateError)
        -> IdempotencyOutcome
    /// Keeps its answer; the first one stays. Nothing where it was not begun.
    ///
    /// Stores of what is created keep ``IdempotentAnswer/created(_:)`` themselves, with the creation.
    func finish(_ key: IdempotencyKey, _ answer: IdempotentAnswer) async throws(StateError)
    /// It came to nothing and may be tried again. Nothing where it was answered.
    func cancel(_ key: IdempotencyKey) async throws(StateError)
    func forget(begunBefore instant: Instant, limit: Int) async throws(StateError) -> Int
}

/// Whose key it is, and what for: two callers' equal keys are two.
public struct IdempotencyKey: Hashable, Sendable {
    public let principal: String
    public let operation: String
    /// As the caller chose it, at most 255 bytes.
    public let key: String

    /// How long an answer is kept.
    public static let lifetime = Duration.seconds(86_400)

    public init(principal: String, operation: String, key: String) {
        self.principal = principal
        self.operation = operation
        self.key = key
    }
}

public enum IdempotentAnswer: Hashable, Sendable {
    /// The id of what was created, which is shown again: nothing signed or secret has to be kept for that.
    case created(String)
    /// Word for word.
    case reply(status: Int, body: [UInt8])
}

public enum IdempotencyOutcome: Hashable, Sendable {
    case begun
    case answered(IdempotentAnswer)
    /// The same key came with another request.
    case conflict
    /// The first request is still under way.
    case underWay
}
