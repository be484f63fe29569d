import GRDB
import S3API
import WireFormats

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// One page of the versions of a bucket's objects: keys in byte order, the versions of a key from the newest to the
/// oldest.
struct VersionPage: Sendable {
    struct Version: Sendable {
        let key: [UInt8]
        let name: VersionName
        let isMarker: Bool
        let isLatest: Bool
        let size: Int64
        /// Without quotation marks; empty for a marker.
        let etag: String
        let modified: Instant
        /// Nil: `STANDARD`.
        let storageClass: String?
    }

    enum Entry: Sendable {
        case version(Version)
        case commonPrefix([UInt8])
    }

    /// What a page is asked for; `after` of the listing is a key whose versions are all skipped.
    struct Question: Sendable {
        var listing: ListingQuestion
        /// Of the key `listing.after`: its versions go on after this one. Nil: the page begins with the next key.
        var afterVersion: VersionName?
    }

    var entries: [Entry] = []
    var isTruncated = false
    /// Rows of the index that were looked at: bounded by the page, whatever the bucket holds.
    var rowsRead = 0

    // MARK: Reading

    /// Reads a page as ``Listing`` does: by seeking, over both tables at once, each in the order of its own index.
    static func page(_ database: Database, bucket: Int64, _ question: Question) throws -> VersionPage {
        var page = VersionPage()
        let listing = question.listing
        guard listing.limit > 0 else { return page }
        let end = Listing.successor(of: listing.prefix)
        var from = listing.prefix
        if !listing.after.isEmpty {
            let common = Listing.commonPrefix(of: listing.after, listing)
            if common == nil, let version = question.afterVersion, listing.after.starts(with: listing.prefix),
                try !page.append(database, bucket: bucket, listing, after: version)
            {
                return page
            }
            let skipped = common.flatMap { Listing.successor(of: $0) }
            from = Listing.later(from, skipped ?? listing.after + [0])
        }
        while true {
            var key: [UInt8]?
            var jump: [UInt8]?
            var rows = try MergedRows(database, bucket: bucket, from: from, to: end)
            while jump == nil, let row = try rows.next() {
                page.rowsRead += 1
                guard page.entries.count < listing.limit else {
                    page.isTruncated = true
                    return page
                }
                if let common = Listing.commonPrefix(of: row.key, listing) {
                    page.entries.append(.commonPrefix(common))
                    guard let next = Listing.successor(of: common) else { return page }
                    jump = next
                } else {
                    page.entries.append(.version(row.version(isLatest: row.key != key)))
                    key = row.key
                }
            }
            guard let next = jump else { return page }
            from = next
        }
    }

    /// Adds what is left of the versions of the key a page before ended in. A version that has been deleted since is
    /// not there to go on after: the key begins anew, which shows some twice but loses none.
    /// - Returns: false where the page is full.
    private mutating func append(
        _ database: Database,
        bucket: Int64,
        _ listing: ListingQuestion,
        after version: VersionName
    ) throws -> Bool {
        let key = ObjectKey(listing.after)
        var before: Int64?
        if let object = try ObjectTable.find(database, bucket: bucket, key: key), object.version == version {
            before = object.sequence
        } else {
            before = try VersionTable.find(database, bucket: bucket, key: key, version)?.sequence
        }
        var isFirst = before == nil
        var rows = try MergedRows(database, bucket: bucket, of: key, before: before ?? Int64.max)
        while let row = try rows.next() {
            rowsRead += 1
            guard entries.count < listing.limit else {
                isTruncated = true
                return false
            }
            entries.append(.version(row.version(isLatest: isFirst)))
            isFirst = false
        }
        return true
    }
}

/// The rows of `object` and `version` in the order of keys, and of a key from the newest on. Each cursor walks its
/// table's own index and reads one row ahead.
private struct MergedRows {
    struct Row {
        let key: [UInt8]
        let content: ContentID
        let isNamed: Bool
        let isMarker: Bool
        let size: Int64
        let etag: String
        let modified: Instant
        let sequence: Int64
        let storageClass: String?

        init(_ row: GRDB.Row) throws {
            key = try row.withUnsafeData(atIndex: 0) { $0.map { Array($0) } ?? [] }
            content = try ObjectTable.content(row[1])
            isNamed = row[2]
            size = row[3]
            etag = row[4]
            modified = Instant(nanosecondsSince1970: row[5])
            sequence = row[6]
            storageClass = row[7]
            isMarker = row[8]
        }

        func version(isLatest: Bool) -> VersionPage.Version {
            VersionPage.Version(
                key: key,
                name: isNamed ? .named(content) : .null,
                isMarker: isMarker,
                isLatest: isLatest,
                size: size,
                etag: etag,
                modified: modified,
                storageClass: storageClass
            )
        }
    }

    private let objects: RowCursor
    private let versions: RowCursor
    private var object: Row?
    private var version: Row?

    /// - Parameters:
    ///   - from: the first key.
    ///   - end: the key before which the rows end; nil: the bucket's last.
    init(_ database: Database, bucket: Int64, from: [UInt8], to end: [UInt8]?) throws {
        try self.init(
            database,
            "bucket = ?1 AND key >= ?2" + (end == nil ? "" : " AND key < ?3"),
            end.map { [bucket, Data(from), Data($0)] } ?? [bucket, Data(from)]
        )
    }

    /// The versions of one key that are older than `sequence`.
    init(_ database: Database, bucket: Int64, of key: ObjectKey, before sequence: Int64) throws {
        try self.init(database, "bucket = ?1 AND key = ?2 AND sequence < ?3", [bucket, Data(key.bytes), sequence])
    }

    private init(_ database: Database, _ range: String, _ arguments: StatementArguments) throws {
        let shared = "SELECT key, content, named, size, etag, modified, sequence, class, "
        objects = try GRDB.Row.fetchCursor(
            database.makeStatement(sql: shared + "0 FROM object WHERE " + range + " ORDER BY key"),
            arguments: arguments
        )
        versions = try GRDB.Row.fetchCursor(
            database.makeStatement(
                sql: shared + "marker FROM version WHERE " + range + " ORDER BY key, sequence DESC"
            ),
            arguments: arguments
        )
        object = try objects.next().map { try Row($0) }
        version = try versions.next().map { try Row($0) }
    }

    mutating func next() throws -> Row? {
        // The object that a key shows is newer than its other versions.
        if let object, version.map({ !$0.key.lexicographicallyPrecedes(object.key) }) ?? true {
            self.object = try objects.next().map { try Row($0) }
            return object
        }
        guard let version else { return nil }
        self.version = try versions.next().map { try Row($0) }
        return version
    }
}
