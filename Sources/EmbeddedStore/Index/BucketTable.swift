import GRDB
import S3API
import WireFormats

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A bucket and when it was made.
struct StoredBucket: Sendable {
    let name: String
    let created: Instant
}

/// What a bucket does with the earlier versions of its objects (S3 API reference, PutBucketVersioning). A bucket that
/// has been versioned once never goes back to ``never``.
enum Versioning: Int64, Sendable {
    case never = 0
    case enabled = 1
    case suspended = 2
}

/// A bucket as operations on its objects need it.
struct BucketState: Sendable {
    let number: Int64
    let versioning: Versioning

    /// What clients call a version; nil where the bucket has never been versioned.
    func versionID(_ version: VersionName) -> String? { versioning == .never ? nil : version.text }
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

    /// - Throws: `NoSuchBucket`.
    static func state(_ database: Database, _ name: BucketName) throws -> BucketState {
        let statement = try database.cachedStatement(sql: "SELECT id, versioning FROM bucket WHERE name = ?")
        guard let row = try Row.fetchOne(statement, arguments: [name.string]) else { throw S3Error(.noSuchBucket) }
        guard let versioning = Versioning(rawValue: row[1]) else { throw IndexFailure.damaged }
        return BucketState(number: row[0], versioning: versioning)
    }

    /// - Throws: `NoSuchBucket`.
    static func set(_ database: Database, _ name: BucketName, _ versioning: Versioning) throws {
        try database.cachedStatement(sql: "UPDATE bucket SET versioning = ? WHERE name = ?")
            .execute(arguments: [versioning.rawValue, name.string])
        guard database.changesCount == 1 else { throw S3Error(.noSuchBucket) }
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
                        OR EXISTS (SELECT 1 FROM version WHERE bucket = ?1)
                    """
            ),
            arguments: [number]
        )
        guard isUsed == false else { throw S3Error(.bucketNotEmpty) }
        try database.cachedStatement(sql: "DELETE FROM configuration WHERE bucket = ?").execute(arguments: [number])
        try database.cachedStatement(sql: "DELETE FROM bucket WHERE id = ?").execute(arguments: [number])
    }

    static func all(_ database: Database) throws -> [StoredBucket] {
        try Row.fetchAll(database, sql: "SELECT name, created FROM bucket ORDER BY name").map { row in
            StoredBucket(name: row[0], created: Instant(nanosecondsSince1970: row[1]))
        }
    }
}

/// The table `configuration`: a bucket's documents, as they were checked and sent.
enum ConfigurationTable {
    enum Kind: String, Sendable {
        case cors, tagging
    }

    static func find(_ database: Database, bucket: Int64, _ kind: Kind) throws -> [UInt8]? {
        let statement = try database.cachedStatement(
            sql: "SELECT document FROM configuration WHERE bucket = ? AND kind = ?"
        )
        return try Data.fetchOne(statement, arguments: [bucket, kind.rawValue]).map { Array($0) }
    }

    /// Keeps a document in the place of the one before; nil: none.
    static func set(_ database: Database, bucket: Int64, _ kind: Kind, _ document: [UInt8]?) throws {
        guard let document else {
            try database.cachedStatement(sql: "DELETE FROM configuration WHERE bucket = ? AND kind = ?")
                .execute(arguments: [bucket, kind.rawValue])
            return
        }
        try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO configuration (bucket, kind, document) VALUES (?, ?, ?)"
        ).execute(arguments: [bucket, kind.rawValue, Data(document)])
    }
}
