import GRDB
import S3API
import Valet
import WireFormats

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The tables `slot` and `funnel`.
enum SlotTable {
    /// How many open slots an issuer has, as far as that matters.
    static func countOpen(_ database: Database, of issuer: String, upTo limit: Int) throws -> Int {
        let statement = try database.cachedStatement(
            sql: "SELECT count(*) FROM (SELECT 1 FROM slot WHERE finished IS NULL AND issuer = ? LIMIT ?)"
        )
        return try Int.fetchOne(statement, arguments: [issuer, limit]) ?? 0
    }

    /// - Returns: its row; nil where there is one of that id.
    static func insert(_ database: Database, _ slot: UploadSlot) throws -> Int64? {
        try database.cachedStatement(sql: insertion)
            .execute(arguments: StatementArguments(SlotColumns.fixedValues(slot) + SlotColumns.progressValues(slot)))
        return database.changesCount == 1 ? database.lastInsertedRowID : nil
    }

    private static let insertion =
        "INSERT INTO slot (" + (SlotColumns.fixed + SlotColumns.progress).joined(separator: ", ") + ") VALUES ("
        + (SlotColumns.fixed + SlotColumns.progress).map { _ in "?" }.joined(separator: ", ")
        + ") ON CONFLICT (id) DO NOTHING"

    static func find(_ database: Database, _ id: String) throws -> UploadSlot? {
        let statement = try database.cachedStatement(sql: "SELECT \(SlotColumns.all) FROM slot WHERE id = ?")
        return try Row.fetchOne(statement, arguments: [id]).map { try SlotColumns.slot($0) }
    }

    static func fetch(_ database: Database, _ condition: String, _ arguments: StatementArguments) throws -> [UploadSlot]
    {
        let statement = try database.cachedStatement(sql: "SELECT \(SlotColumns.all) FROM slot WHERE " + condition)
        return try Row.fetchAll(statement, arguments: arguments).map { try SlotColumns.slot($0) }
    }

    /// ``UploadSlot/lastArrival`` of a row.
    static let lastArrival = """
        expires + 1000000000 * min(\(UploadSlot.arrivalSeconds.upperBound), \
        \(UploadSlot.arrivalSeconds.lowerBound) + size / \(UploadSlot.slowestRate))
        """
    /// Whether a row's bucket is none of a ``list(_:)``.
    static let isElsewhere = "bucket NOT IN (SELECT value FROM json_each(?))"

    static func list(_ buckets: Set<BucketName>) throws -> String {
        String(decoding: try JSONEncoder().encode(buckets.map(\.string)), as: UTF8.self)
    }

    /// The row of a slot that is at that revision, and the state it is in.
    static func place(_ database: Database, _ id: String, revision: Int) throws -> (Int64, UploadSlot.State)? {
        let statement = try database.cachedStatement(
            sql: "SELECT number, state FROM slot WHERE id = ? AND revision = ?"
        )
        guard let row = try Row.fetchOne(statement, arguments: [id, revision]) else { return nil }
        let state: String = row[1]
        guard let state = UploadSlot.State(rawValue: state) else {
            throw StateError.corrupt("a slot has a state that can't be")
        }
        return (row[0], state)
    }

    static func update(_ database: Database, _ number: Int64, _ slot: UploadSlot) throws {
        try database.cachedStatement(sql: updating)
            .execute(arguments: StatementArguments(SlotColumns.progressValues(slot) + [number]))
    }

    private static let updating =
        "UPDATE slot SET " + SlotColumns.progress.map { $0 + " = ?" }.joined(separator: ", ") + " WHERE number = ?"

    static func forget(_ database: Database, finishedBefore instant: Instant, limit: Int) throws -> Int {
        try database.cachedStatement(
            sql: """
                DELETE FROM slot WHERE number IN (
                    SELECT number FROM slot
                    WHERE finished IS NOT NULL AND finished < ? AND NOT leftovers AND NOT EXISTS (
                        SELECT 1 FROM event JOIN delivery ON delivery.event = event.number
                        WHERE event.slot = slot.number AND delivery.due IS NOT NULL
                    )
                    ORDER BY finished LIMIT ?
                )
                """
        ).execute(arguments: [instant.nanosecondsSince1970, limit])
        return database.changesCount
    }

    /// Counts that a slot has come to the state it is in.
    static func count(_ database: Database, _ slot: UploadSlot) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO funnel (state, cause, count) VALUES (?, ?, 1)
                ON CONFLICT (state, cause) DO UPDATE SET count = count + 1
                """
        ).execute(arguments: [slot.state.rawValue, slot.cause?.rawValue ?? ""])
    }

    static func funnel(_ database: Database) throws -> SlotFunnel {
        var reached: [SlotFunnel.Step: Int] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT state, cause, count FROM funnel") {
            let state: String = row[0]
            let cause: String = row[1]
            guard let state = UploadSlot.State(rawValue: state) else { continue }
            reached[SlotFunnel.Step(state, UploadSlot.Cause(rawValue: cause)), default: 0] += row[2]
        }
        return SlotFunnel(reached: reached)
    }
}
