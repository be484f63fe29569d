public import WireFormats

/// Keeps what others must be told until they have heard it. Entries come in with the change they tell of.
public protocol Outbox: Sendable {
    /// Entries that are due, the longest waiting first, each given to nobody else until the lease ends.
    func claim(at now: Instant, lease: Duration, limit: Int) async throws(StateError) -> [OutboxEntry]
    func delivered(_ id: Int64) async throws(StateError)
    /// - Parameter next: when to try again; nil: never, it is a dead letter.
    func failed(_ id: Int64, reason: String, next: Instant?) async throws(StateError)
    /// Those that were given up, the latest first. They are forgotten with their slots.
    func deadLetters(limit: Int) async throws(StateError) -> [OutboxEntry]
    func backlog() async throws(StateError) -> OutboxBacklog
}

/// One event for one target.
public struct OutboxEntry: Hashable, Sendable {
    public let id: Int64
    /// As `[uploads] events` names it.
    public let target: String
    public let event: SlotEvent
    /// Deliveries begun so far, this one included: one that a crash cut short counts too.
    public let attempts: Int
    public let lastFailure: String

    public init(id: Int64, target: String, event: SlotEvent, attempts: Int, lastFailure: String) {
        self.id = id
        self.target = target
        self.event = event
        self.attempts = attempts
        self.lastFailure = lastFailure
    }
}

public struct OutboxBacklog: Hashable, Sendable {
    public let waiting: Int
    public let dead: Int

    public init(waiting: Int, dead: Int) {
        self.waiting = waiting
        self.dead = dead
    }
}
