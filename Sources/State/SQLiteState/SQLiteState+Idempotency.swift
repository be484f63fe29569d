package import Valet
package import WireFormats

extension SQLiteState: IdempotencyStore {
    package func begin(
        _ key: IdempotencyKey,
        request digest: [UInt8],
        at now: Instant,
        lease: Duration
    ) async throws(StateError) -> IdempotencyOutcome {
        try await write { try CreationTable.begin($0, key, request: digest, at: now, until: now + lease) }
    }

    package func finish(_ key: IdempotencyKey, _ answer: IdempotentAnswer) async throws(StateError) {
        try await write { try CreationTable.finish($0, key, answer) }
    }

    package func cancel(_ key: IdempotencyKey) async throws(StateError) {
        try await write { try CreationTable.cancel($0, key) }
    }

    package func forget(begunBefore instant: Instant, limit: Int) async throws(StateError) -> Int {
        try await write { try CreationTable.forget($0, begunBefore: instant, limit: limit) }
    }
}
