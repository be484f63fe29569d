import GRDB
import Valet
import WireFormats

/// The tables `event` and `delivery`: what happened to a slot, and who is still to be told. An event keeps the slot's
/// progress as it was then; the rest of the slot never changes and is read from the slot itself.
enum EventTable {
    static func insert(_ database: Database, _ announcement: Announcement, of slot: Int64) throws {
        guard !announcement.targets.isEmpty else { return }
        let event = announcement.event
        let values: [(any DatabaseValueConvertible)?] = [event.id, slot, event.at.nanosecondsSince1970]
        try database.cachedStatement(sql: insertion)
            .execute(arguments: StatementArguments(values + SlotColumns.progressValues(event.slot)))
        let number = database.lastInsertedRowID
        let delivery = try database.cachedStatement(sql: "INSERT INTO delivery (event, target, due) VALUES (?, ?, ?)")
        for target in announcement.targets {
            try delivery.execute(arguments: [number, target, event.at.nanosecondsSince1970])
        }
    }

    private static let insertion =
        "INSERT INTO event (id, slot, happened, " + SlotColumns.progress.joined(separator: ", ") + ") VALUES (?, ?, ?, "
        + SlotColumns.progress.map { _ in "?" }.joined(separator: ", ") + ")"

    static func isAnythingDue(_ database: Database, at now: Instant) throws -> Bool {
        let statement = try database.cachedStatement(
            sql: "SELECT EXISTS (SELECT 1 FROM delivery WHERE due IS NOT NULL AND due <= ?)"
        )
        return try Bool.fetchOne(statement, arguments: [now.nanosecondsSince1970]) ?? false
    }

    /// Those that are due, each put off until its lease ends.
    static func claim(_ database: Database, at now: Instant, until lease: Instant, limit: Int) throws -> [OutboxEntry] {
        let statement = try database.cachedStatement(
            sql: "SELECT number FROM delivery WHERE due IS NOT NULL AND due <= ? ORDER BY due, number LIMIT ?"
        )
        let due = try Int64.fetchAll(statement, arguments: [now.nanosecondsSince1970, limit])
        let leasing = try database.cachedStatement(
            sql: "UPDATE delivery SET due = ?, attempts = attempts + 1 WHERE number = ?"
        )
        let reading = try database.cachedStatement(sql: selection + " WHERE delivery.number = ?")
        return try due.compactMap { number in
            try leasing.execute(arguments: [lease.nanosecondsSince1970, number])
            return try Row.fetchOne(reading, arguments: [number]).map { try entry($0) }
        }
    }

    static func delivered(_ database: Database, _ number: Int64) throws {
        let found = try database.cachedStatement(sql: "SELECT event FROM delivery WHERE number = ?")
        guard let event = try Int64.fetchOne(found, arguments: [number]) else { return }
        try database.cachedStatement(sql: "DELETE FROM delivery WHERE number = ?").execute(arguments: [number])
        try database.cachedStatement(
            sql: "DELETE FROM event WHERE number = ?1 AND NOT EXISTS (SELECT 1 FROM delivery WHERE event = ?1)"
        ).execute(arguments: [event])
    }

    static func failed(_ database: Database, _ number: Int64, reason: String, next: Instant?) throws {
        try database.cachedStatement(sql: "UPDATE delivery SET failure = ?, due = ? WHERE number = ?")
            .execute(arguments: [reason, next?.nanosecondsSince1970, number])
    }

    static func deadLetters(_ database: Database, limit: Int) throws -> [OutboxEntry] {
        let statement = try database.cachedStatement(
            sql: selection + " WHERE delivery.due IS NULL ORDER BY delivery.number DESC LIMIT ?"
        )
        return try Row.fetchAll(statement, arguments: [limit]).map { try entry($0) }
    }

    static func backlog(_ database: Database) throws -> OutboxBacklog {
        OutboxBacklog(
            waiting: try Int.fetchOne(database, sql: "SELECT count(*) FROM delivery WHERE due IS NOT NULL") ?? 0,
            dead: try Int.fetchOne(database, sql: "SELECT count(*) FROM delivery WHERE due IS NULL") ?? 0
        )
    }

    private static let selection =
        "SELECT " + SlotColumns.list(SlotColumns.fixed, of: "slot") + ", "
        + SlotColumns.list(SlotColumns.progress, of: "event")
            + """
            , delivery.number, delivery.target, delivery.attempts, delivery.failure, event.id, event.happened
            FROM delivery JOIN event ON event.number = delivery.event JOIN slot ON slot.number = event.slot
            """

    private static func entry(_ row: Row) throws -> OutboxEntry {
        let start = SlotColumns.fixed.count + SlotColumns.progress.count
        let happened: Int64 = row[start + 5]
        return OutboxEntry(
            id: row[start],
            target: row[start + 1],
            event: SlotEvent(
                id: row[start + 4],
                try SlotColumns.slot(row),
                at: Instant(nanosecondsSince1970: happened)
            ),
            attempts: row[start + 2],
            lastFailure: row[start + 3]
        )
    }
}
