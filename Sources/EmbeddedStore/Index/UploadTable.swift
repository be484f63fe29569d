import GRDB
import S3API
import WireFormats

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A multipart upload under way.
struct StoredUpload: Sendable {
    let id: String
    let key: ObjectKey
    let created: Instant
    let fields: StoredFields
    let algorithm: ChecksumAlgorithm?
    let composition: ChecksumComposition?
}

/// A part that was received.
struct StoredPart: Sendable {
    let number: Int
    let content: ContentID
    let size: Int64
    let md5: [UInt8]
    let modified: Instant
    let checksum: ObjectChecksum?

    /// Without quotation marks.
    var etag: String { Hex.encode(md5) }
}

/// One page of the uploads under way.
struct UploadPage: Sendable {
    enum Entry: Sendable {
        case upload(StoredUpload)
        case commonPrefix([UInt8])
    }

    var entries: [Entry] = []
    var isTruncated = false

    var uploads: [StoredUpload] {
        entries.compactMap { if case .upload(let upload) = $0 { upload } else { nil } }
    }
}

/// The tables `upload` and `part`.
enum UploadTable {
    static func insert(_ database: Database, bucket: Int64, _ upload: StoredUpload) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO upload (id, bucket, key, created, fields, algorithm, composition) VALUES (?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            upload.id, bucket, Data(upload.key.bytes), upload.created.nanosecondsSince1970,
            Data(upload.fields.encoded), upload.algorithm?.rawValue, upload.composition?.rawValue,
        ])
    }

    /// - Throws: `NoSuchUpload` also where the upload is for another key.
    static func find(_ database: Database, bucket: Int64, key: ObjectKey, id: String) throws -> StoredUpload {
        let statement = try database.cachedStatement(sql: columns + " WHERE id = ? AND bucket = ? AND key = ?")
        guard let row = try Row.fetchOne(statement, arguments: [id, bucket, Data(key.bytes)]) else {
            throw S3Error(.noSuchUpload)
        }
        return upload(row)
    }

    /// A page of uploads, by key and then by id. Reads as ``Listing`` does: what lies below a common prefix is jumped
    /// over.
    /// - Parameter id: of the key `question.after`: its uploads go on after this one. Nil: the page begins with the
    ///   next key.
    static func page(
        _ database: Database,
        bucket: Int64,
        _ question: ListingQuestion,
        afterID id: String?
    ) throws -> UploadPage {
        var page = UploadPage()
        guard question.limit > 0 else { return page }
        let end = Listing.successor(of: question.prefix)
        var from: (key: [UInt8], id: String) = (question.prefix, "")
        if !question.after.isEmpty {
            if let common = Listing.commonPrefix(of: question.after, question) {
                guard let next = Listing.successor(of: common) else { return page }
                from.key = Listing.later(from.key, next)
            } else if let id, question.after.starts(with: question.prefix) {
                from = (question.after, id)
            } else {
                from.key = Listing.later(from.key, question.after + [0])
            }
        }
        let statement = try database.makeStatement(
            sql: columns + " WHERE bucket = ?1 AND (key, id) > (?2, ?3)" + (end == nil ? "" : " AND key < ?4")
                + " ORDER BY key, id"
        )
        while true {
            var jump: [UInt8]?
            let start: StatementArguments = [bucket, Data(from.key), from.id]
            let rows = try Row.fetchCursor(statement, arguments: end.map { start + [Data($0)] } ?? start)
            while jump == nil, let row = try rows.next() {
                guard page.entries.count < question.limit else {
                    page.isTruncated = true
                    return page
                }
                let upload = upload(row)
                if let common = Listing.commonPrefix(of: upload.key.bytes, question) {
                    page.entries.append(.commonPrefix(common))
                    guard let next = Listing.successor(of: common) else { return page }
                    jump = next
                } else {
                    page.entries.append(.upload(upload))
                }
            }
            guard let next = jump else { return page }
            from = (next, "")
        }
    }

    /// Removes the upload. Its parts' rows go too; which of their files stay is the caller's to say.
    static func delete(_ database: Database, id: String) throws {
        try database.cachedStatement(sql: "DELETE FROM part WHERE upload = ?").execute(arguments: [id])
        try database.cachedStatement(sql: "DELETE FROM upload WHERE id = ?").execute(arguments: [id])
    }

    /// Puts a part in the place of an earlier one of that number. Returns the file of the earlier one.
    static func replacePart(_ database: Database, upload: String, with part: StoredPart) throws -> RetiredContent? {
        let found = try Data.fetchOne(
            database.cachedStatement(sql: "SELECT content FROM part WHERE upload = ? AND number = ?"),
            arguments: [upload, part.number]
        )
        let earlier = try found.map { try ObjectTable.content($0) }
        try database.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO part (upload, number, content, size, md5, modified, algorithm, checksum)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            upload, part.number, Data(part.content.bytes), part.size, Data(part.md5),
            part.modified.nanosecondsSince1970, part.checksum?.algorithm.rawValue,
            part.checksum.map { Data($0.digest) },
        ])
        guard let earlier else { return nil }
        try GarbageTable.insert(database, [earlier])
        return RetiredContent(content: earlier, files: [earlier])
    }

    /// The parts with numbers above `marker`, in order.
    static func parts(_ database: Database, upload: String, after marker: Int, limit: Int) throws -> [StoredPart] {
        let statement = try database.cachedStatement(
            sql: """
                SELECT number, content, size, md5, modified, algorithm, checksum FROM part
                WHERE upload = ? AND number > ? ORDER BY number LIMIT ?
                """
        )
        return try Row.fetchAll(statement, arguments: [upload, marker, limit]).map { row in
            let md5: Data = row[3]
            let algorithm: String? = row[5]
            let digest: Data? = row[6]
            var checksum: ObjectChecksum?
            if let algorithm = algorithm.flatMap({ ChecksumAlgorithm(rawValue: $0) }), let digest {
                checksum = ObjectChecksum(algorithm: algorithm, digest: Array(digest))
            }
            return StoredPart(
                number: row[0],
                content: try ObjectTable.content(row[1]),
                size: row[2],
                md5: Array(md5),
                modified: Instant(nanosecondsSince1970: row[4]),
                checksum: checksum
            )
        }
    }

    private static let columns = "SELECT id, key, created, fields, algorithm, composition FROM upload"

    private static func upload(_ row: Row) -> StoredUpload {
        let key: Data = row[1]
        let fields: Data = row[3]
        let algorithm: String? = row[4]
        let composition: String? = row[5]
        return StoredUpload(
            id: row[0],
            key: ObjectKey(key),
            created: Instant(nanosecondsSince1970: row[2]),
            fields: StoredFields(decoding: fields),
            algorithm: algorithm.flatMap { ChecksumAlgorithm(rawValue: $0) },
            composition: composition.flatMap { ChecksumComposition(rawValue: $0) }
        )
    }
}
