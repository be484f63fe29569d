import Foundation
import GRDB
import S3API
import Testing
import WireFormats

@testable import EmbeddedStore

/// What a listing has to say, computed the slow way.
private func model(_ keys: [[UInt8]], _ question: ListingQuestion) -> [[UInt8]] {
    var names: [[UInt8]] = []
    for key in keys where key.starts(with: question.prefix) {
        let name = Listing.commonPrefix(of: key, question) ?? key
        if names.last != name { names.append(name) }
    }
    // A place inside a common prefix has that prefix behind it.
    guard !question.after.isEmpty else { return names }
    let skipped = Listing.commonPrefix(of: question.after, question)
    return names.filter { question.after.lexicographicallyPrecedes($0) && $0 != skipped }
}

extension StoreFixture {
    /// Rows without files, for listings only.
    func insert(_ keys: [[UInt8]]) throws {
        try store.index.write { database in
            let number = try BucketTable.number(database, bucket)
            for key in keys {
                let object = StoredObject(
                    content: store.newContentID(),
                    isSegmented: false,
                    size: 1,
                    etag: "e",
                    modified: Self.start,
                    fields: StoredFields()
                )
                try ObjectTable.insert(
                    database,
                    bucket: number,
                    key: ObjectKey(key),
                    object,
                    segments: []
                )
            }
        }
    }

    /// All pages of a listing.
    func list(_ question: ListingQuestion) async throws -> [[UInt8]] {
        var question = question
        var names: [[UInt8]] = []
        while true {
            let page = try await store.list(bucket, question)
            names += page.entries.map(\.name)
            #expect(page.entries.count <= question.limit)
            #expect(page.rowsRead <= question.limit + 1)
            guard page.isTruncated, let last = page.entries.last else { return names }
            question.after = last.name
        }
    }
}

@Suite struct ListingTests {
    @Test func pagesOverRandomKeysAgreeWithTheModel() async throws {
        let fixture = try await StoreFixture()
        let pieces = ["a", "b", "/", "/", "ab", "é", "z", "\u{FFFD}", "😀", "-", "0", " ", "+", "%2F", "e\u{301}"]
        var random = SystemRandomNumberGenerator()
        var keys: Set<[UInt8]> = []
        while keys.count < 5000 {
            let length = Int.random(in: 1...9, using: &random)
            let key = (0..<length).map { _ in pieces.randomElement(using: &random) ?? "a" }.joined()
            keys.insert(Array(key.utf8))
        }
        let sorted = keys.sorted { $0.lexicographicallyPrecedes($1) }
        try fixture.insert(Array(keys))
        let prefixes = ["", "a", "a/", "/", "é", "ab/a", "nothing", "😀", "b/é"]
        for prefix in prefixes {
            for delimiter in ["", "/", "ab", "é", "//"] {
                for limit in [1000, 97, 7] where limit > 7 || prefix != "" {
                    let question = ListingQuestion(
                        prefix: Array(prefix.utf8),
                        delimiter: Array(delimiter.utf8),
                        limit: limit
                    )
                    let listed = try await fixture.list(question)
                    #expect(listed == model(sorted, question), "prefix \(prefix), delimiter \(delimiter), \(limit)")
                }
            }
        }
        for after in ["a", "a/b", "b/", "zz", "😀", "a/😀/"] {
            for delimiter in ["", "/"] {
                let question = ListingQuestion(
                    delimiter: Array(delimiter.utf8),
                    after: Array(after.utf8),
                    limit: 500
                )
                #expect(try await fixture.list(question) == model(sorted, question), "after \(after), \(delimiter)")
            }
        }
    }

    @Test func keysComeInTheOrderOfTheirBytes() async throws {
        let fixture = try await StoreFixture()
        // UTF-16 would put the emoji before U+FFFD; canonical equality would merge the last two.
        let keys = ["A", "a", "a b", "a!", "a/", "a//", "\u{FFFD}", "😀", "\u{E9}", "e\u{301}"]
        for key in keys { try await fixture.put(key, key) }
        let names = try await fixture.list(ListingQuestion()).map { String(decoding: $0, as: UTF8.self) }
        #expect(names.map { Array($0.utf8) } == keys.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) })
        for key in keys { #expect(try await fixture.text(key) == key) }
    }

    @Test func anEmptyPageIsNotTruncated() async throws {
        let fixture = try await StoreFixture()
        try await fixture.put("a", "x")
        let page = try await fixture.store.list(fixture.bucket, ListingQuestion(limit: 0))
        #expect(page.entries.isEmpty && !page.isTruncated)
    }

    @Test func aPageOfAHundredThousandObjectsReadsOnlyItsOwnRows() async throws {
        let fixture = try await StoreFixture()
        for block in 0..<10 {
            try fixture.insert(
                (0..<10_000).map { Array("dir\(block)/sub\($0 % 100)/object-\($0)".utf8) }
            )
        }
        let folders = try await fixture.store.list(
            fixture.bucket,
            ListingQuestion(delimiter: Array("/".utf8), limit: 1000)
        )
        #expect(folders.entries.count == 10)
        #expect(folders.rowsRead == 10)
        let inside = try await fixture.store.list(
            fixture.bucket,
            ListingQuestion(prefix: Array("dir5/".utf8), delimiter: Array("/".utf8), limit: 1000)
        )
        #expect(inside.entries.count == 100)
        #expect(inside.rowsRead == 100)
        #expect(try await fixture.list(ListingQuestion(limit: 1000)).count == 100_000)

    }

    @Test(
        "The statement of a page seeks by the primary key and sorts nothing",
        arguments: [(false, "bucket=? AND key>?"), (true, "bucket=? AND key>? AND key<?")]
    )
    func planOfThePage(isBounded: Bool, condition: String) async throws {
        let fixture = try await StoreFixture()
        let plan = try await fixture.store.index.read { database in
            try Row.fetchAll(
                database,
                sql: "EXPLAIN QUERY PLAN " + Listing.sql(isBounded: isBounded),
                arguments: isBounded ? [1, Data(), Data()] : [1, Data()]
            ).map { $0["detail"] as String }.joined()
        }
        #expect(plan.contains("SEARCH object USING PRIMARY KEY (\(condition))"), "\(plan)")
        #expect(!plan.contains("TEMP B-TREE"), "\(plan)")
    }
}
