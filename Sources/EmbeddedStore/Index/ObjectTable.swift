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
    /// The checksum of the part, where the upload had an algorithm.
    var digest: [UInt8]?
}

/// The tables `object` and `segment`.
enum ObjectTable {
    static func find(_ database: Database, bucket: Int64, key: ObjectKey) throws -> StoredObject? {
        let statement = try database.cachedStatement(
            sql: """
                SELECT content, segmented, size, etag, modified, fields, named, sequence FROM object
                WHERE bucket = ? AND key = ?
                """
        )
        return try Row.fetchOne(statement, arguments: [bucket, Data(key.bytes)]).map { try object($0) }
    }

    /// An object from the eight columns that `object` and `version` share, in the order of ``find(_:bucket:key:)``.
    static func object(_ row: Row) throws -> StoredObject {
        let fields: Data = row[5]
        return StoredObject(
            content: try content(row[0]),
            isSegmented: row[1],
            size: row[2],
            etag: row[3],
            modified: Instant(nanosecondsSince1970: row[4]),
            fields: StoredFields(decoding: fields),
            isNamed: row[6],
            sequence: row[7]
        )
    }

    /// Adds an object where there is none.
    static func insert(
        _ database: Database,
        bucket: Int64,
        key: ObjectKey,
        _ object: StoredObject,
        segments: [Segment]
    ) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO object
                    (bucket, key, content, segmented, size, etag, modified, fields, named, sequence, class)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            bucket, Data(key.bytes), Data(object.content.bytes), object.isSegmented, object.size, object.etag,
            object.modified.nanosecondsSince1970, Data(object.fields.encoded), object.isNamed, object.sequence,
            object.storageClass,
        ])
        guard object.isSegmented else { return }
        let insert = try database.cachedStatement(
            sql: "INSERT INTO segment (content, number, start, length, file, digest) VALUES (?, ?, ?, ?, ?, ?)"
        )
        for (offset, segment) in segments.enumerated() {
            try insert.execute(arguments: [
                Data(object.content.bytes), offset + 1, segment.start, segment.length, Data(segment.file.bytes),
                segment.digest.map { Data($0) },
            ])
        }
    }

    /// Changes what is kept with an object beside its bytes.
    static func update(_ database: Database, bucket: Int64, key: ObjectKey, fields: StoredFields) throws {
        try database.cachedStatement(sql: "UPDATE object SET fields = ? WHERE bucket = ? AND key = ?")
            .execute(arguments: [Data(fields.encoded), bucket, Data(key.bytes)])
    }

    /// Removes an object that was found; its files become garbage.
    static func delete(_ database: Database, bucket: Int64, key: ObjectKey, _ object: StoredObject) throws
        -> RetiredContent
    {
        try database.cachedStatement(sql: "DELETE FROM object WHERE bucket = ? AND key = ?")
            .execute(arguments: [bucket, Data(key.bytes)])
        return try retire(database, object)
    }

    /// Makes the files of an object without a row garbage.
    static func retire(_ database: Database, _ object: StoredObject) throws -> RetiredContent {
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
                SELECT file, start, length, digest FROM segment
                WHERE content = ? AND start < ? AND start + length > ? ORDER BY number
                """
        )
        return try segments(statement, [Data(content.bytes), to, from])
    }

    /// The parts of an object's upload with numbers above `marker`, in order.
    static func segments(_ database: Database, of content: ContentID, after marker: Int, limit: Int) throws
        -> [Segment]
    {
        let statement = try database.cachedStatement(
            sql: """
                SELECT file, start, length, digest FROM segment WHERE content = ? AND number > ? ORDER BY number LIMIT ?
                """
        )
        return try segments(statement, [Data(content.bytes), marker, limit])
    }

    /// The segment that was part `number` of the object's upload, and how many there are.
    static func segment(_ database: Database, of content: ContentID, number: Int) throws -> (Segment?, count: Int) {
        let count = try Int.fetchOne(
            database.cachedStatement(sql: "SELECT COUNT(*) FROM segment WHERE content = ?"),
            arguments: [Data(content.bytes)]
        )
        let statement = try database.cachedStatement(
            sql: "SELECT file, start, length, digest FROM segment WHERE content = ? AND number = ?"
        )
        return (try segments(statement, [Data(content.bytes), number]).first, count ?? 0)
    }

    private static func segments(_ statement: Statement, _ arguments: StatementArguments) throws -> [Segment] {
        try Row.fetchAll(statement, arguments: arguments).map { row in
            let digest: Data? = row[3]
            return Segment(file: try content(row[0]), start: row[1], length: row[2], digest: digest.map { Array($0) })
        }
    }

    static func content(_ data: Data) throws -> ContentID {
        guard let content = ContentID(Array(data)) else { throw IndexFailure.damaged }
        return content
    }
}
