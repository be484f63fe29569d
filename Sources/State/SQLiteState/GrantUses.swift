import GRDB
import S3API
import Valet
import WireFormats

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// How often a grant was used, in `permission` and, for those that can be used up, by which addresses in
/// `permission_use`; and the URLs of stores that rest on it, in `outstanding`.
enum GrantUses {
    static func use(
        _ database: Database,
        _ id: String,
        _ kind: UseKind,
        from address: IPAddress?,
        at now: Instant
    ) throws -> UseOutcome {
        let statement = try database.cachedStatement(
            sql: "SELECT number, uses, max_uses FROM permission WHERE id = ? AND revoked IS NULL AND expires > ?"
        )
        guard let row = try Row.fetchOne(statement, arguments: [id, now.nanosecondsSince1970]) else { return .refused }
        let number: Int64 = row[0]
        let uses: Int = row[1]
        let limit: Int? = row[2]
        if kind != .fresh {
            guard let limit else { return .continued }
            if kind == .looking, uses < limit { return .continued }
            if let address, limit > 0, try isInUse(database, number, by: address, at: now) { return .continued }
        }
        if let limit, uses >= limit { return .refused }
        try database.cachedStatement(sql: "UPDATE permission SET uses = uses + 1, used = ? WHERE number = ?")
            .execute(arguments: [now.nanosecondsSince1970, number])
        return .counted(uses: uses + 1)
    }

    static func keep(_ database: Database, _ id: String, from address: IPAddress, at now: Instant) throws {
        let statement = try database.cachedStatement(
            sql: "SELECT number FROM permission WHERE id = ? AND max_uses IS NOT NULL"
        )
        guard let number = try Int64.fetchOne(statement, arguments: [id]) else { return }
        try note(database, number, by: address, at: now)
    }

    static func giveBack(_ database: Database, _ id: String) throws {
        try database.cachedStatement(sql: "UPDATE permission SET uses = uses - 1 WHERE id = ? AND uses > 0")
            .execute(arguments: [id])
    }

    private static func isInUse(
        _ database: Database,
        _ permission: Int64,
        by address: IPAddress,
        at now: Instant
    ) throws -> Bool {
        let statement = try database.cachedStatement(
            sql: "SELECT EXISTS (SELECT 1 FROM permission_use WHERE permission = ? AND address = ? AND at > ?)"
        )
        let arguments: StatementArguments = [
            permission, address.description, (now - UseKind.window).nanosecondsSince1970,
        ]
        return try Bool.fetchOne(statement, arguments: arguments) ?? false
    }

    /// At most as many rows as the grant has uses, and only of the last ten minutes.
    private static func note(
        _ database: Database,
        _ permission: Int64,
        by address: IPAddress,
        at now: Instant
    ) throws {
        try database.cachedStatement(sql: "DELETE FROM permission_use WHERE permission = ? AND at <= ?")
            .execute(arguments: [permission, (now - UseKind.window).nanosecondsSince1970])
        try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO permission_use (permission, address, at) VALUES (?, ?, ?)"
        ).execute(arguments: [permission, address.description, now.nanosecondsSince1970])
    }

    static func remember(_ database: Database, _ url: OutstandingURL) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO outstanding (permission, method, bucket, key, expires)
                SELECT number, ?, ?, ?, ? FROM permission WHERE id = ?
                """
        ).execute(arguments: [
            url.method, url.bucket.string, Data(url.key.bytes), url.expiresAt.nanosecondsSince1970, url.grant,
        ])
        try database.cachedStatement(
            sql: """
                DELETE FROM outstanding WHERE number IN (
                    SELECT outstanding.number FROM permission JOIN outstanding ON outstanding.permission = permission.number
                    WHERE permission.id = ? ORDER BY outstanding.expires DESC LIMIT -1 OFFSET ?
                )
                """
        ).execute(arguments: [url.grant, OutstandingURL.most])
    }

    static func outstanding(
        _ database: Database,
        _ grant: String,
        at now: Instant,
        limit: Int
    ) throws -> [OutstandingURL] {
        let statement = try database.cachedStatement(
            sql: """
                SELECT outstanding.method, outstanding.bucket, outstanding.key, outstanding.expires
                FROM permission JOIN outstanding ON outstanding.permission = permission.number
                WHERE permission.id = ? AND outstanding.expires > ? ORDER BY outstanding.expires DESC LIMIT ?
                """
        )
        return try Row.fetchAll(statement, arguments: [grant, now.nanosecondsSince1970, limit]).map { row in
            let bucket: String = row[1]
            let key: Data = row[2]
            guard let bucket = BucketName(validating: bucket.utf8) else {
                throw StateError.corrupt("a signed URL has a bucket that can't be")
            }
            return OutstandingURL(
                grant: grant,
                method: row[0],
                bucket: bucket,
                key: ObjectKey(key),
                expiresAt: Instant(nanosecondsSince1970: row[3])
            )
        }
    }
}
