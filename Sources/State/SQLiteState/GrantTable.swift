import GRDB
import S3API
import Valet
import WireFormats

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The table `permission`: grants (GRANT is a word of SQL).
enum GrantTable {
    static func insert(_ database: Database, _ grant: Grant) throws {
        let (subject, link): (String, Data?) =
            switch grant.subject {
            case .principal(let name): (name, nil)
            case .link(let hash): (linkSubject, Data(hash))
            }
        let (reach, isPrefix): ([UInt8], Bool) =
            switch grant.reach {
            case .key(let key): (key.bytes, false)
            case .prefix(let prefix): (prefix, true)
            }
        try database.cachedStatement(
            sql: """
                INSERT INTO permission (
                    id, subject, link, bucket, reach, prefix, actions, grantor, claims, note, issued, expires, max_uses,
                    source, revoked, uses, change
                ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)
                """
        ).execute(arguments: [
            grant.id, subject, link, grant.bucket.string, Data(reach), isPrefix,
            grant.actions.actions.map(\.rawValue).joined(separator: " "), grant.grantor,
            Self.text(of: grant.claims), grant.note,
            grant.issuedAt.nanosecondsSince1970, grant.expiresAt.nanosecondsSince1970, grant.maxUses,
            grant.source?.description, grant.revokedAt?.nanosecondsSince1970, try nextChange(database),
        ])
    }

    static func find(_ database: Database, _ id: String) throws -> GrantRecord? {
        try fetch(database, "id = ?", [id]).first
    }

    static func find(_ database: Database, link hash: [UInt8]) throws -> GrantRecord? {
        try fetch(database, "link = ?", [Data(hash)]).first
    }

    static func page(
        _ database: Database,
        bucket: BucketName?,
        subject: String?,
        after: String?,
        limit: Int
    ) throws -> [GrantRecord] {
        var conditions = ["id > ?"]
        var arguments: StatementArguments = [after ?? ""]
        if let bucket {
            conditions.append("bucket = ?")
            arguments += [bucket.string]
        }
        if let subject {
            conditions.append("subject = ?")
            arguments += [subject]
        }
        return try fetch(
            database,
            conditions.joined(separator: " AND ") + " ORDER BY id LIMIT ?",
            arguments + [limit]
        )
    }

    static func revoke(_ database: Database, _ id: String, at now: Instant) throws -> GrantRecord? {
        let statement = try database.cachedStatement(
            sql: "SELECT number FROM permission WHERE id = ? AND revoked IS NULL"
        )
        if let number = try Int64.fetchOne(statement, arguments: [id]) {
            try database.cachedStatement(sql: "UPDATE permission SET revoked = ?, change = ? WHERE number = ?")
                .execute(arguments: [now.nanosecondsSince1970, try nextChange(database), number])
        }
        return try find(database, id)
    }

    static func changes(_ database: Database, since cursor: Int64, limit: Int) throws -> ([GrantRecord], Int64) {
        let statement = try database.cachedStatement(
            sql: "SELECT \(columns), change FROM permission WHERE change > ? ORDER BY change LIMIT ?"
        )
        let rows = try Row.fetchAll(statement, arguments: [cursor, limit])
        return (try rows.map { try record($0) }, rows.last.map { $0[columnCount] } ?? cursor)
    }

    /// Counts on where the grants that had the last ones are forgotten: a cursor never meets the same number twice.
    private static func nextChange(_ database: Database) throws -> Int64 {
        try database.cachedStatement(sql: "UPDATE permission_change SET last = last + 1").execute()
        guard let last = try Int64.fetchOne(database.cachedStatement(sql: "SELECT last FROM permission_change")) else {
            throw StateError.corrupt("the count of changes is gone")
        }
        return last
    }

    static func forget(_ database: Database, expiredBefore instant: Instant, limit: Int) throws -> Int {
        try database.cachedStatement(
            sql: """
                DELETE FROM outstanding WHERE number IN (
                    SELECT number FROM outstanding WHERE expires < ? ORDER BY expires LIMIT ?
                )
                """
        ).execute(arguments: [instant.nanosecondsSince1970, limit])
        try database.cachedStatement(
            sql: """
                DELETE FROM permission WHERE number IN (
                    SELECT number FROM permission WHERE expires < ?1
                    UNION SELECT number FROM permission WHERE revoked < ?1
                    LIMIT ?2
                )
                """
        ).execute(arguments: [instant.nanosecondsSince1970, limit])
        return database.changesCount
    }

    // MARK: Rows

    private static let linkSubject = "link"
    private static let columns =
        "id, subject, link, bucket, reach, prefix, actions, grantor, note, issued, expires, max_uses, source, revoked, uses, "
        + "used, claims"
    private static let columnCount = 17

    private static func fetch(
        _ database: Database,
        _ condition: String,
        _ arguments: StatementArguments
    ) throws -> [GrantRecord] {
        let statement = try database.cachedStatement(sql: "SELECT \(columns) FROM permission WHERE " + condition)
        return try Row.fetchAll(statement, arguments: arguments).map { try record($0) }
    }

    private static func record(_ row: Row) throws -> GrantRecord {
        let bucket: String = row[3]
        let reach: Data = row[4]
        let actions: String = row[6]
        let source: String? = row[12]
        let range = source.flatMap { CIDR($0) }
        guard let bucket = BucketName(validating: bucket.utf8), range != nil || source == nil else {
            throw StateError.corrupt("a grant has a bucket or a source that can't be")
        }
        let link: Data? = row[2]
        let maxUses: Int? = row[11]
        let revoked: Int64? = row[13]
        let used: Int64? = row[15]
        let grant = Grant(
            id: row[0],
            subject: link.map { .link(hash: Array($0)) } ?? .principal(row[1]),
            bucket: bucket,
            reach: row[5] ? .prefix(Array(reach)) : .key(ObjectKey(reach)),
            // What this version does not know, it does not grant.
            actions: ActionSet(actions.split(separator: " ").compactMap { S3Action(rawValue: String($0)) }),
            grantor: row[7],
            claims: try claims(row[16]),
            note: row[8],
            issuedAt: Instant(nanosecondsSince1970: row[9]),
            expiresAt: Instant(nanosecondsSince1970: row[10]),
            maxUses: maxUses,
            source: range,
            revokedAt: revoked.map { Instant(nanosecondsSince1970: $0) }
        )
        return GrantRecord(
            grant: grant,
            uses: row[14],
            lastUsedAt: used.map { Instant(nanosecondsSince1970: $0) }
        )
    }

    /// Claims as a JSON object.
    private static func text(of claims: [String: String]) -> String {
        let members = claims.sorted { $0.key < $1.key }.map { (name: $0.key, value: StrictJSON.string($0.value)) }
        return String(decoding: StrictJSON.object(members).text, as: UTF8.self)
    }

    private static func claims(_ text: String) throws -> [String: String] {
        guard case .object(let members) = try? StrictJSON(parsing: text.utf8) else {
            throw StateError.corrupt("a grant's claims can't be read")
        }
        var claims: [String: String] = [:]
        for (name, value) in members {
            guard case .string(let value) = value else {
                throw StateError.corrupt("a grant has a claim that is no text")
            }
            claims[name] = value
        }
        return claims
    }
}
