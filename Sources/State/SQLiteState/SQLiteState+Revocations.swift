import GRDB
package import Valet
package import WireFormats

extension SQLiteState: RevocationStore {
    package func revoke(_ revocation: Revocation) async throws(StateError) -> Revocation {
        try await write { try RevocationTable.revoke($0, revocation) }
    }

    package func unblock(_ kind: Revocation.Kind, _ subject: String) async throws(StateError) -> Revocation? {
        try await write { try RevocationTable.unblock($0, kind, subject) }
    }

    package func revocations(limit: Int) async throws(StateError) -> [Revocation] {
        try await read { try RevocationTable.newest($0, limit: limit) }
    }

    package func revocations(
        since cursor: Int64,
        limit: Int
    ) async throws(StateError) -> (changed: [Revocation], cursor: Int64) {
        try await read { try RevocationTable.changes($0, since: cursor, limit: limit) }
    }

    package func forget(revokedBefore instant: Instant, limit: Int) async throws(StateError) -> Int {
        try await write { try RevocationTable.forget($0, revokedBefore: instant, limit: limit) }
    }
}
