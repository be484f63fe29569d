import GRDB
import Valet
import WireFormats

/// The table `revocation`.
enum RevocationTable {
    static func revoke(_ database: Database, _ revocation: Revocation) throws -> Revocation {
        try database.cachedStatement(
            sql: """
                INSERT INTO revocation (kind, subject, at, blocked, change) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (kind, subject) DO UPDATE SET
                    at = max(at, excluded.at), blocked = max(blocked, excluded.blocked), change = excluded.change
                """
        ).execute(arguments: [
            revocation.kind.rawValue, revocation.subject, revocation.at.nanosecondsSince1970, revocation.isBlocked,
            try nextChange(database),
        ])
        return try find(database, revocation.kind, revocation.subject) ?? revocation
    }

    static func unblock(_ database: Database, _ kind: Revocation.Kind, _ subject: String) throws -> Revocation? {
        try database.cachedStatement(
            sql: "UPDATE revocation SET blocked = 0, change = ? WHERE kind = ? AND subject = ? AND blocked"
        ).execute(arguments: [try nextChange(database), kind.rawValue, subject])
        return try find(database, kind, subject)
    }

    static func newest(_ database: Database, limit: Int) throws -> [Revocation] {
        try Row.fetchAll(
            database.cachedStatement(sql: "SELECT \(columns) FROM revocation ORDER BY change DESC LIMIT ?"),
            arguments: [limit]
        ).map(revocation)
    }

    static func changes(_ database: Database, since cursor: Int64, limit: Int) throws -> ([Revocation], Int64) {
        let rows = try Row.fetchAll(
            database.cachedStatement(
                sql: "SELECT \(columns), change FROM revocation WHERE change > ? ORDER BY change LIMIT ?"
            ),
            arguments: [cursor, limit]
        )
        return (try rows.map(revocation), rows.last.map { $0[4] } ?? cursor)
    }

    static func forget(_ database: Database, revokedBefore instant: Instant, limit: Int) throws -> Int {
        try database.cachedStatement(
            sql: """
                DELETE FROM revocation WHERE (kind, subject) IN (
                    SELECT kind, subject FROM revocation WHERE at < ? AND NOT blocked AND NOT (
                        kind = ? AND EXISTS (
                            SELECT 1 FROM permission WHERE grantor = revocation.subject AND issued <= revocation.at
                        )
                    ) LIMIT ?
                )
                """
        ).execute(arguments: [instant.nanosecondsSince1970, Revocation.Kind.user.rawValue, limit])
        return database.changesCount
    }

    private static let columns = "kind, subject, at, blocked"

    private static func find(_ database: Database, _ kind: Revocation.Kind, _ subject: String) throws -> Revocation? {
        let statement = try database.cachedStatement(
            sql: "SELECT \(columns) FROM revocation WHERE kind = ? AND subject = ?"
        )
        return try Row.fetchOne(statement, arguments: [kind.rawValue, subject]).map(revocation)
    }

    /// Counts on where the rows that had the last ones are forgotten: a cursor never meets the same number twice.
    private static func nextChange(_ database: Database) throws -> Int64 {
        try database.cachedStatement(sql: "UPDATE revocation_change SET last = last + 1").execute()
        guard let last = try Int64.fetchOne(database.cachedStatement(sql: "SELECT last FROM revocation_change")) else {
            throw StateError.corrupt("the count of revocations is gone")
        }
        return last
    }

    private static func revocation(_ row: Row) throws -> Revocation {
        let kind: String = row[0]
        guard let kind = Revocation.Kind(rawValue: kind) else {
            throw StateError.corrupt("a revocation is of a kind that can't be")
        }
        return Revocation(
            kind: kind,
            subject: row[1],
            at: Instant(nanosecondsSince1970: row[2]),
            isBlocked: row[3]
        )
    }
}
