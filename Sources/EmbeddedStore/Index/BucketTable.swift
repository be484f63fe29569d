import GRDB
import S3API
import WireFormats

/// A bucket and when it was made.
struct StoredBucket: Sendable {
    let name: String
    let created: Instant
}

/// The table `bucket`.
enum BucketTable {
    /// The bucket's number.
    /// - Throws: `NoSuchBucket`.
    static func number(_ database: Database, _ name: BucketName) throws -> Int64 {
        let statement = try database.cachedStatement(sql: "SELECT id FROM bucket WHERE name = ?")
        guard let number = try Int64.fetchOne(statement, arguments: [name.string]) else {
            throw S3Error(.noSuchBucket)
        }
        return number
    }

    /// - Throws: `BucketAlreadyOwnedByYou`.
    static func insert(_ database: Database, _ name: BucketName, at instant: Instant) throws {
        let statement = try database.cachedStatement(
            sql: "INSERT INTO bucket (name, created) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"
        )
        try statement.execute(arguments: [name.string, instant.nanosecondsSince1970])
        guard database.changesCount == 1 else { throw S3Error(.bucketAlreadyOwnedByYou) }
    }

    /// Removes an empty bucket; uploads still open in it count as content, as they hold bytes.
    /// - Throws: `NoSuchBucket`, `BucketNotEmpty`.
    static func delete(_ database: Database, _ name: BucketName) throws {
        let number = try number(database, name)
        let isUsed = try Bool.fetchOne(
            database.cachedStatement(
                sql: """
                    SELECT EXISTS (SELECT 1 FROM object WHERE bucket = ?1) OR EXISTS (SELECT 1 FROM upload WHERE bucket = ?1)
                    """
            ),
            arguments: [number]
        )
        guard isUsed == false else { throw S3Error(.bucketNotEmpty) }
        try database.cachedStatement(sql: "DELETE FROM bucket WHERE id = ?").execute(arguments: [number])
    }

    static func all(_ database: Database) throws -> [StoredBucket] {
        try Row.fetchAll(database, sql: "SELECT name, created FROM bucket ORDER BY name").map { row in
            StoredBucket(name: row[0], created: Instant(nanosecondsSince1970: row[1]))
        }
    }
}
