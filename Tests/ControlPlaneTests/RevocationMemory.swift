import Synchronization
import Valet
import WireFormats

/// Revocations in memory.
final class RevocationMemory: RevocationStore {
    private struct Contents {
        var entries: [(revocation: Revocation, change: Int64)] = []
        var last: Int64 = 0
        var isAway = false
    }

    private let contents = Mutex(Contents())

    func goAway() { contents.withLock { $0.isAway = true } }

    private func with<Value: Sendable>(_ body: (inout Contents) -> Value) throws(StateError) -> Value {
        let value: Value? = contents.withLock { $0.isAway ? nil : body(&$0) }
        guard let value else { throw .unavailable("away") }
        return value
    }

    private static func put(_ revocation: Revocation, in contents: inout Contents) {
        contents.entries.removeAll {
            $0.revocation.kind == revocation.kind && $0.revocation.subject == revocation.subject
        }
        contents.last += 1
        contents.entries.append((revocation, contents.last))
    }

    func revoke(_ revocation: Revocation) async throws(StateError) -> Revocation {
        try with { contents in
            Self.put(revocation, in: &contents)
            return revocation
        }
    }

    func unblock(_ kind: Revocation.Kind, _ subject: String) async throws(StateError) -> Revocation? {
        try with { contents -> Revocation? in
            let found = contents.entries.first { $0.revocation.kind == kind && $0.revocation.subject == subject }
            guard let known = found?.revocation else { return nil }
            let lifted = Revocation(kind: kind, subject: subject, at: known.at, isBlocked: false)
            Self.put(lifted, in: &contents)
            return lifted
        }
    }

    func revocations(limit: Int) async throws(StateError) -> [Revocation] {
        try with { contents in Array(contents.entries.map(\.revocation).reversed().prefix(limit)) }
    }

    func revocations(
        since cursor: Int64,
        limit: Int
    ) async throws(StateError) -> (changed: [Revocation], cursor: Int64) {
        try with { contents in
            let rows = contents.entries.filter { $0.change > cursor }.prefix(limit)
            return (rows.map(\.revocation), rows.last?.change ?? cursor)
        }
    }

    func forget(revokedBefore instant: Instant, limit: Int) async throws(StateError) -> Int { 0 }
}
