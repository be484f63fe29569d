import GRDB
import S3API
import WireFormats

/// What a bucket is configured with, and what is kept beside an object's bytes.
extension ObjectStore {
    /// - Throws: `NoSuchBucket`.
    func versioning(of bucket: BucketName) async throws -> Versioning {
        try await read { try BucketTable.state($0, bucket).versioning }
    }

    /// - Throws: `NoSuchBucket`.
    func set(_ versioning: Versioning, of bucket: BucketName) async throws {
        try await write { try BucketTable.set($0, bucket, versioning) }
    }

    /// - Throws: `NoSuchBucket`.
    func document(_ kind: ConfigurationTable.Kind, of bucket: BucketName) async throws -> [UInt8]? {
        try await read { try ConfigurationTable.find($0, bucket: BucketTable.number($0, bucket), kind) }
    }

    /// - Throws: `NoSuchBucket`.
    func set(_ document: [UInt8]?, _ kind: ConfigurationTable.Kind, of bucket: BucketName) async throws {
        try await write { try ConfigurationTable.set($0, bucket: BucketTable.number($0, bucket), kind, document) }
    }

    /// - Throws: `NoSuchBucket`.
    func versions(_ bucket: BucketName, _ question: VersionPage.Question) async throws -> VersionPage {
        try await read { try VersionPage.page($0, bucket: BucketTable.number($0, bucket), question) }
    }

    /// An object without its bytes.
    /// - Throws: `NoSuchBucket`, `NoSuchKey`, `NoSuchVersion`, ``MarkerFound``.
    func object(_ bucket: BucketName, _ key: ObjectKey, _ version: VersionName?) async throws -> StoredObject {
        try await read { try Self.object($0, bucket, key, version).0 }
    }

    /// Changes the tags of an object, which is otherwise as it was.
    /// - Parameter tags: as kept; nil: none.
    /// - Throws: as ``object(_:_:_:)``.
    func setTags(_ tags: [UInt8]?, of bucket: BucketName, _ key: ObjectKey, _ version: VersionName?) async throws
        -> StoredObject
    {
        try await write { database in
            var (object, isCurrent) = try Self.object(database, bucket, key, version)
            object.fields.set("x-amz-tagging", tags)
            let history = History(database, try BucketTable.state(database, bucket), key)
            try history.update(object, isCurrent: isCurrent)
            return object
        }
    }

    /// An object, and a page of the parts that it was uploaded in: `total` is 0 for one put in one piece.
    /// - Throws: as ``object(_:_:_:)``.
    func parts(
        of bucket: BucketName,
        _ key: ObjectKey,
        _ version: VersionName?,
        after marker: Int,
        limit: Int
    ) async throws -> (object: StoredObject, parts: [Segment], total: Int) {
        try await read { database in
            let (object, _) = try Self.object(database, bucket, key, version)
            guard object.isSegmented else { return (object, [], 0) }
            let total = try ObjectTable.segment(database, of: object.content, number: 1).count
            let parts = try ObjectTable.segments(database, of: object.content, after: marker, limit: limit)
            return (object, parts, total)
        }
    }
}
