import GRDB
import S3API
import WireFormats

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A content that lost its row: its files may go once nobody reads them.
struct RetiredContent: Sendable {
    let content: ContentID
    let files: [ContentID]
}

/// A run of an object's bytes: a file, or a part of it.
struct Segment: Sendable {
    let file: ContentID
    /// Offset of its first byte in the object.
    let start: Int64
    let length: Int64
}

/// The tables `object` and `segment`.
enum ObjectTable {
    static func find(_ database: Database, bucket: Int64, key: ObjectKey) throws -> StoredObject? {
        let statement = try database.cachedStatement(
            sql: """
                SELECT content, segmented, size, etag, modified, fields FROM object WHERE bucket = ? AND key = ?
                """
        )
        guard let row = try Row.fetchOne(statement, arguments: [bucket, Data(key.bytes)]) else { return nil }
        let fields: Data = row[5]
        return StoredObject(
            content: try content(row[0]),
            isSegmented: row[1],
            size: row[2],
            etag: row[3],
            modified: Instant(nanosecondsSince1970: row[4]),
            fields: StoredFields(decoding: fields)
        )
    }

    /// Puts an object in the place of whatever is there. Returns what it replaced.
    static func replace(
        _ database: Database,
        bucket: Int64,
        key: ObjectKey,
        with object: StoredObject,
        segments: [Segment]
    ) throws -> RetiredContent? {
        let retired = try delete(database, bucket: bucket, key: key)
        try database.cachedStatement(
            sql: """
                INSERT INTO object (bucket, key, content, segmented, size, etag, modified, fields)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            bucket, Data(key.bytes), Data(object.content.bytes), object.isSegmented, object.size, object.etag,
            object.modified.nanosecondsSince1970, Data(object.fields.encoded),
        ])
        guard object.isSegmented else { return retired }
        let insert = try database.cachedStatement(
            sql: "INSERT INTO segment (content, number, start, length, file) VALUES (?, ?, ?, ?, ?)"
        )
        for (offset, segment) in segments.enumerated() {
            try insert.execute(arguments: [
                Data(object.content.bytes), offset + 1, segment.start, segment.length, Data(segment.file.bytes),
            ])
        }
        return retired
    }

    /// Removes an object; its files become garbage. Returns what was there.
    static func delete(_ database: Database, bucket: Int64, key: ObjectKey) throws -> RetiredContent? {
        guard let object = try find(database, bucket: bucket, key: key) else { return nil }
        try database.cachedStatement(sql: "DELETE FROM object WHERE bucket = ? AND key = ?")
            .execute(arguments: [bucket, Data(key.bytes)])
        var files = [object.content]
        if object.isSegmented {
            files = try segments(database, of: object.content, from: 0, to: Int64.max).map(\.file)
            try database.cachedStatement(sql: "DELETE FROM segment WHERE content = ?")
                .execute(arguments: [Data(object.content.bytes)])
        }
        try GarbageTable.insert(database, files)
        return RetiredContent(content: object.content, files: files)
    }

    /// The segments of a content that hold any of the bytes `from` ..< `to`, in order.
    static func segments(_ database: Database, of content: ContentID, from: Int64, to: Int64) throws -> [Segment] {
        let statement = try database.cachedStatement(
            sql: """
                SELECT file, start, length FROM segment
                WHERE content = ? AND start < ? AND start + length > ? ORDER BY number
                """
        )
        return try segments(statement, [Data(content.bytes), to, from])
    }

    /// The segment that was part `number` of the object's upload, and how many there are.
    static func segment(_ database: Database, of content: ContentID, number: Int) throws -> (Segment?, count: Int) {
        let count = try Int.fetchOne(
            database.cachedStatement(sql: "SELECT COUNT(*) FROM segment WHERE content = ?"),
            arguments: [Data(content.bytes)]
        )
        let statement = try database.cachedStatement(
            sql: "SELECT file, start, length FROM segment WHERE content = ? AND number = ?"
        )
        return (try segments(statement, [Data(content.bytes), number]).first, count ?? 0)
    }

    private static func segments(_ statement: Statement, _ arguments: StatementArguments) throws -> [Segment] {
        try Row.fetchAll(statement, arguments: arguments).map { row in
            Segment(file: try content(row[0]), start: row[1], length: row[2])
        }
    }

    static func content(_ data: Data) throws -> ContentID {
        guard let content = ContentID(Array(data)) else { throw IndexFailure.damaged }
        return content
    }
}

/// The table `garbage`: files that no row refers to any more and that have not been unlinked yet.
enum GarbageTable {
    static func insert(_ database: Database, _ files: [ContentID]) throws {
        let statement = try database.cachedStatement(sql: "INSERT OR IGNORE INTO garbage (file) VALUES (?)")
        for file in files { try statement.execute(arguments: [Data(file.bytes)]) }
    }

    static func remove(_ database: Database, _ files: [ContentID]) throws {
        let statement = try database.cachedStatement(sql: "DELETE FROM garbage WHERE file = ?")
        for file in files { try statement.execute(arguments: [Data(file.bytes)]) }
    }

    static func all(_ database: Database) throws -> [ContentID] {
        try Data.fetchAll(database, sql: "SELECT file FROM garbage").map { try ObjectTable.content($0) }
    }

    /// Whether an object, a segment or a part is held in the file.
    static func isReferred(_ database: Database, _ file: ContentID) throws -> Bool {
        let statement = try database.cachedStatement(
            sql: """
                SELECT EXISTS (SELECT 1 FROM object WHERE content = ?1 AND segmented = 0)
                    OR EXISTS (SELECT 1 FROM segment WHERE file = ?1) OR EXISTS (SELECT 1 FROM part WHERE content = ?1)
                """
        )
        return try Bool.fetchOne(statement, arguments: [Data(file.bytes)]) ?? false
    }
}
