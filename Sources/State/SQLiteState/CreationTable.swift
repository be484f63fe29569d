import GRDB
import Valet
import WireFormats

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The table `creation`: what was asked for under an idempotency key, and what was answered.
enum CreationTable {
    static func begin(
        _ database: Database,
        _ key: IdempotencyKey,
        request digest: [UInt8],
        at now: Instant,
        until lease: Instant
    ) throws -> IdempotencyOutcome {
        if let kept = try find(database, key), kept.begun + IdempotencyKey.lifetime > now {
            guard kept.digest == digest else { return .conflict }
            if let answer = kept.answer { return .answered(answer) }
            guard kept.leased <= now else { return .underWay }
        }
        try database.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO creation (principal, operation, key, digest, begun, leased)
                VALUES (?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            key.principal, key.operation, key.key, Data(digest), now.nanosecondsSince1970, lease.nanosecondsSince1970,
        ])
        return .begun
    }

    /// The id that a creation was answered with; nil where it was not, or with something else.
    static func created(_ database: Database, _ key: IdempotencyKey) throws -> String? {
        guard case .created(let id) = try find(database, key)?.answer else { return nil }
        return id
    }

    static func finish(_ database: Database, _ key: IdempotencyKey, _ answer: IdempotentAnswer) throws {
        let values: (created: String?, status: Int?, body: Data?) =
            switch answer {
            case .created(let id): (id, nil, nil)
            case .reply(let status, let body): (nil, status, Data(body))
            }
        try database.cachedStatement(
            sql: "UPDATE creation SET created = ?, status = ?, body = ? WHERE " + unanswered
        ).execute(arguments: [
            values.created, values.status, values.body, key.principal, key.operation, key.key,
        ])
    }

    static func cancel(_ database: Database, _ key: IdempotencyKey) throws {
        try database.cachedStatement(sql: "DELETE FROM creation WHERE " + unanswered)
            .execute(arguments: [key.principal, key.operation, key.key])
    }

    private static let unanswered =
        "principal = ? AND operation = ? AND key = ? AND created IS NULL AND status IS NULL"

    static func forget(_ database: Database, begunBefore instant: Instant, limit: Int) throws -> Int {
        try database.cachedStatement(
            sql: """
                DELETE FROM creation WHERE (principal, operation, key) IN (
                    SELECT principal, operation, key FROM creation WHERE begun < ? ORDER BY begun LIMIT ?
                )
                """
        ).execute(arguments: [instant.nanosecondsSince1970, limit])
        return database.changesCount
    }

    private struct Kept {
        let digest: [UInt8]
        let begun: Instant
        let leased: Instant
        let answer: IdempotentAnswer?
    }

    private static func find(_ database: Database, _ key: IdempotencyKey) throws -> Kept? {
        let statement = try database.cachedStatement(
            sql: """
                SELECT digest, begun, leased, created, status, body FROM creation
                WHERE principal = ? AND operation = ? AND key = ?
                """
        )
        guard let row = try Row.fetchOne(statement, arguments: [key.principal, key.operation, key.key]) else {
            return nil
        }
        let digest: Data = row[0]
        let created: String? = row[3]
        let status: Int? = row[4]
        let body: Data? = row[5]
        return Kept(
            digest: Array(digest),
            begun: Instant(nanosecondsSince1970: row[1]),
            leased: Instant(nanosecondsSince1970: row[2]),
            answer: created.map { .created($0) }
                ?? status.map { .reply(status: $0, body: body.map { Array($0) } ?? []) }
        )
    }
}
