import GRDB
import S3API
import WireFormats

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A version of a key that is not what the key shows: an earlier object, or a delete marker.
enum ArchivedVersion: Sendable {
    case object(StoredObject)
    case marker(DeleteMarker)

    var sequence: Int64 {
        switch self {
        case .object(let object): object.sequence
        case .marker(let marker): marker.sequence
        }
    }
}

/// The table `version`: all versions but those in `object`. A key without a row there shows nothing, and its newest
/// version is a delete marker.
enum VersionTable {
    /// The newest of a key.
    static func newest(_ database: Database, bucket: Int64, key: ObjectKey) throws -> ArchivedVersion? {
        let statement = try database.cachedStatement(
            sql: columns + " WHERE bucket = ? AND key = ? ORDER BY sequence DESC LIMIT 1"
        )
        return try Row.fetchOne(statement, arguments: [bucket, Data(key.bytes)]).map { try version($0) }
    }

    static func find(_ database: Database, bucket: Int64, key: ObjectKey, _ name: VersionName) throws
        -> ArchivedVersion?
    {
        switch name {
        case .null:
            let statement = try database.cachedStatement(
                sql: columns + " WHERE bucket = ? AND key = ? AND named = 0"
            )
            return try Row.fetchOne(statement, arguments: [bucket, Data(key.bytes)]).map { try version($0) }
        case .named(let content):
            let statement = try database.cachedStatement(
                sql: columns + " WHERE content = ? AND named = 1 AND bucket = ? AND key = ?"
            )
            return try Row.fetchOne(statement, arguments: [Data(content.bytes), bucket, Data(key.bytes)])
                .map { try version($0) }
        }
    }

    static func insert(_ database: Database, bucket: Int64, key: ObjectKey, _ marker: DeleteMarker) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO version
                    (bucket, key, sequence, content, named, marker, segmented, size, etag, modified, fields)
                VALUES (?, ?, ?, ?, ?, 1, 0, 0, '', ?, x'')
                """
        ).execute(arguments: [
            bucket, Data(key.bytes), marker.sequence, Data(marker.content.bytes), marker.isNamed,
            marker.modified.nanosecondsSince1970,
        ])
    }

    /// Moves the object that the key shows among its earlier versions.
    static func archive(_ database: Database, bucket: Int64, key: ObjectKey) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO version
                    (bucket, key, sequence, content, named, marker, segmented, size, etag, modified, fields, class)
                SELECT bucket, key, sequence, content, named, 0, segmented, size, etag, modified, fields, class
                FROM object WHERE bucket = ? AND key = ?
                """
        ).execute(arguments: [bucket, Data(key.bytes)])
        try database.cachedStatement(sql: "DELETE FROM object WHERE bucket = ? AND key = ?")
            .execute(arguments: [bucket, Data(key.bytes)])
    }

    static func update(_ database: Database, bucket: Int64, key: ObjectKey, sequence: Int64, fields: StoredFields)
        throws
    {
        try database.cachedStatement(sql: "UPDATE version SET fields = ? WHERE bucket = ? AND key = ? AND sequence = ?")
            .execute(arguments: [Data(fields.encoded), bucket, Data(key.bytes), sequence])
    }

    /// Removes a row; what becomes of its files is the caller's to say.
    static func remove(_ database: Database, bucket: Int64, key: ObjectKey, sequence: Int64) throws {
        try database.cachedStatement(sql: "DELETE FROM version WHERE bucket = ? AND key = ? AND sequence = ?")
            .execute(arguments: [bucket, Data(key.bytes), sequence])
    }

    private static let columns = """
        SELECT content, segmented, size, etag, modified, fields, named, sequence, marker FROM version
        """

    private static func version(_ row: Row) throws -> ArchivedVersion {
        let object = try ObjectTable.object(row)
        let isMarker: Bool = row[8]
        guard isMarker else { return .object(object) }
        return .marker(
            DeleteMarker(
                content: object.content,
                modified: object.modified,
                isNamed: object.isNamed,
                sequence: object.sequence
            )
        )
    }
}
