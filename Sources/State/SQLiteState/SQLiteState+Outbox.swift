package import Valet
package import WireFormats

extension SQLiteState: Outbox {
    package func claim(at now: Instant, lease: Duration, limit: Int) async throws(StateError) -> [OutboxEntry] {
        // Asked every second or so: what finds nothing writes nothing.
        guard try await read({ try EventTable.isAnythingDue($0, at: now) }) else { return [] }
        return try await write { try EventTable.claim($0, at: now, until: now + lease, limit: limit) }
    }

    package func delivered(_ id: Int64) async throws(StateError) {
        try await write { try EventTable.delivered($0, id) }
    }

    package func failed(_ id: Int64, reason: String, next: Instant?) async throws(StateError) {
        let reason = String(reason.prefix(Self.longestReason))
        try await write { try EventTable.failed($0, id, reason: reason, next: next) }
    }

    package func deadLetters(limit: Int) async throws(StateError) -> [OutboxEntry] {
        try await read { try EventTable.deadLetters($0, limit: limit) }
    }

    package func backlog() async throws(StateError) -> OutboxBacklog {
        try await read { try EventTable.backlog($0) }
    }

    /// Of why a delivery failed, in characters: others choose what it says.
    private static let longestReason = 500
}
