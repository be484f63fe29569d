import GRDB
import S3API
import WireFormats

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What a listing asks for. All bytes are decoded.
struct ListingQuestion: Sendable {
    var prefix: [UInt8]
    /// Empty: none.
    var delimiter: [UInt8]
    /// Entries up to and including it are skipped; a key under a common prefix skips the whole prefix.
    var after: [UInt8]
    var limit: Int

    init(prefix: [UInt8] = [], delimiter: [UInt8] = [], after: [UInt8] = [], limit: Int = 1000) {
        self.prefix = prefix
        self.delimiter = delimiter
        self.after = after
        self.limit = limit
    }
}

/// One page of a listing.
struct ListingPage: Sendable {
    enum Entry: Sendable {
        case object(key: [UInt8], size: Int64, etag: String, modified: Instant, storageClass: String?)
        case commonPrefix([UInt8])

        var name: [UInt8] {
            switch self {
            case .object(let key, _, _, _, _): key
            case .commonPrefix(let prefix): prefix
            }
        }
    }

    /// In byte order, objects and common prefixes mixed.
    var entries: [Entry] = []
    var isTruncated = false
    /// Rows of the index that were looked at: bounded by the page, whatever the bucket holds.
    var rowsRead = 0
}

/// Pages over the table `object`, by seeking: a page costs its own entries and one seek per common prefix; the rows
/// below a prefix are jumped over, and the cursor reads no row ahead.
enum Listing {
    static func page(_ database: Database, bucket: Int64, _ question: ListingQuestion) throws -> ListingPage {
        var page = ListingPage()
        guard question.limit > 0 else { return page }
        let end = successor(of: question.prefix)
        var from = question.prefix
        if !question.after.isEmpty {
            let skipped = commonPrefix(of: question.after, question).flatMap { successor(of: $0) }
            from = later(from, skipped ?? question.after + [0])
        }
        let statement = try database.makeStatement(sql: sql(isBounded: end != nil))
        while true {
            var jump: [UInt8]?
            let arguments: StatementArguments =
                end.map { [bucket, Data(from), Data($0)] } ?? [bucket, Data(from)]
            let rows = try Row.fetchCursor(statement, arguments: arguments)
            while jump == nil, let row = try rows.next() {
                page.rowsRead += 1
                guard page.entries.count < question.limit else {
                    page.isTruncated = true
                    return page
                }
                let key: [UInt8] = try row.withUnsafeData(atIndex: 0) { $0.map { Array($0) } ?? [] }
                if let common = commonPrefix(of: key, question) {
                    page.entries.append(.commonPrefix(common))
                    guard let next = successor(of: common) else { return page }
                    jump = next
                } else {
                    let modified = Instant(nanosecondsSince1970: row[3])
                    page.entries.append(
                        .object(key: key, size: row[1], etag: row[2], modified: modified, storageClass: row[4])
                    )
                }
            }
            guard let next = jump else { return page }
            from = next
        }
    }

    /// The rows of a bucket (1) from a key (2) on, up to another (3) where there is one.
    static func sql(isBounded: Bool) -> String {
        "SELECT key, size, etag, modified, class FROM object WHERE bucket = ?1 AND key >= ?2"
            + (isBounded ? " AND key < ?3" : "") + " ORDER BY key"
    }

    /// The prefix that `key` is rolled up into: through the first delimiter after the asked prefix.
    static func commonPrefix(of key: [UInt8], _ question: ListingQuestion) -> [UInt8]? {
        let delimiter = question.delimiter
        guard let first = delimiter.first, key.starts(with: question.prefix) else { return nil }
        var start = question.prefix.count
        while start + delimiter.count <= key.count {
            guard let found = key[start...].firstIndex(of: first) else { return nil }
            if key[found...].starts(with: delimiter) { return Array(key[..<(found + delimiter.count)]) }
            start = found + 1
        }
        return nil
    }

    /// The least byte string above all those that begin with `prefix`; nil where there is none.
    static func successor(of prefix: [UInt8]) -> [UInt8]? {
        var bytes = prefix
        while let last = bytes.popLast() {
            if last < 0xFF {
                bytes.append(last + 1)
                return bytes
            }
        }
        return nil
    }

    static func later(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        left.lexicographicallyPrecedes(right) ? right : left
    }
}
