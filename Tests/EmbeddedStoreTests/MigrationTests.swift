import GRDB
import S3API
import Testing
import WireFormats

@testable import EmbeddedStore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

@Suite struct MigrationTests {
    /// What the first release wrote: never changed.
    private static let firstSchema = """
        CREATE TABLE bucket (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL);
        CREATE TABLE object (
            bucket INTEGER NOT NULL, key BLOB NOT NULL, content BLOB NOT NULL, segmented INTEGER NOT NULL,
            size INTEGER NOT NULL, etag TEXT NOT NULL, modified INTEGER NOT NULL, fields BLOB NOT NULL,
            PRIMARY KEY (bucket, key)
        ) WITHOUT ROWID;
        CREATE UNIQUE INDEX object_content ON object (content);
        CREATE TABLE segment (
            content BLOB NOT NULL, number INTEGER NOT NULL, start INTEGER NOT NULL, length INTEGER NOT NULL,
            file BLOB NOT NULL, PRIMARY KEY (content, number)
        ) WITHOUT ROWID;
        CREATE UNIQUE INDEX segment_file ON segment (file);
        CREATE TABLE upload (
            id TEXT PRIMARY KEY, bucket INTEGER NOT NULL, key BLOB NOT NULL, created INTEGER NOT NULL,
            fields BLOB NOT NULL, algorithm TEXT, composition TEXT
        ) WITHOUT ROWID;
        CREATE UNIQUE INDEX upload_key ON upload (bucket, key, id);
        CREATE TABLE part (
            upload TEXT NOT NULL, number INTEGER NOT NULL, content BLOB NOT NULL, size INTEGER NOT NULL,
            md5 BLOB NOT NULL, modified INTEGER NOT NULL, algorithm TEXT, checksum BLOB, PRIMARY KEY (upload, number)
        ) WITHOUT ROWID;
        CREATE UNIQUE INDEX part_content ON part (content);
        CREATE TABLE garbage (file BLOB PRIMARY KEY) WITHOUT ROWID;
        PRAGMA user_version = 1;
        """

    /// A directory as the first release left it: an object in one piece, one of two parts, and an upload under way.
    private func oldDirectory() throws -> (TemporaryDirectory, id: (Int) -> [UInt8]) {
        let directory = TemporaryDirectory()
        var founding = Founding()
        _ = try ContentFiles(directory: directory.path, &founding)
        let id = { (number: Int) in [UInt8](repeating: UInt8(number), count: 16) }
        let queue = try DatabaseQueue(path: directory.path + "/index.sqlite")
        try queue.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            try database.execute(sql: Self.firstSchema)
            try database.execute(sql: "INSERT INTO bucket (name, created) VALUES ('demo', 1000)")
            let insert = "INSERT INTO object VALUES (1, ?, ?, ?, ?, 'tag', 2000, ?)"
            let fields = Data("x-amz-meta-a:1\n".utf8)
            try database.execute(sql: insert, arguments: [Data("one".utf8), Data(id(1)), 0, 5, fields])
            try database.execute(sql: insert, arguments: [Data("two".utf8), Data(id(2)), 1, 6, fields])
            for (number, start) in [(1, 0), (2, 3)] {
                try database.execute(
                    sql: "INSERT INTO segment VALUES (?, ?, ?, 3, ?)",
                    arguments: [Data(id(2)), number, start, Data(id(2 + number))]
                )
            }
            try database.execute(sql: "INSERT INTO upload VALUES ('u', 1, x'6b', 3000, x'', NULL, NULL)")
            try database.execute(
                sql: "INSERT INTO part VALUES ('u', 1, ?, 4, ?, 4000, NULL, NULL)",
                arguments: [Data(id(5)), Data(id(9))]
            )
        }
        try queue.close()
        for (number, text) in [(1, "whole"), (3, "abc"), (4, "def"), (5, "part")] {
            let content = try #require(ContentID(id(number)))
            let file = try SystemFile.create(
                directory.path + "/data/\(content.folder)/\(content.fileName)"
            )
            try Array(text.utf8).withUnsafeBytes { try file.write($0) }
        }
        return (directory, id)
    }

    @Test func aDirectoryOfTheFirstReleaseOpens() async throws {
        let (directory, id) = try oldDirectory()
        for _ in 0..<2 {
            let store = try StoreFixture.open(directory.path, minimumPartSize: 1)
            let fixture = StoreFixture(directory: directory, store: store, bucket: try bucketName("demo"))
            #expect(try await fixture.text("one") == "whole")
            #expect(try await fixture.text("two") == "abcdef")
            #expect(try await fixture.text("two", .part(2)) == "def")
            #expect(try await store.versioning(of: fixture.bucket) == .never)
            try store.close()
        }
        let store = try StoreFixture.open(directory.path, minimumPartSize: 1)
        let fixture = StoreFixture(directory: directory, store: store, bucket: try bucketName("demo"))
        let object = try await store.complete(
            fixture.bucket,
            ObjectKey("k"),
            upload: "u",
            [NamedPart(number: 1, etag: Array(Hex.encode(id(9)).utf8))],
            if: Conditions()
        )
        #expect(object.size == 4 && object.checksum == nil)
        #expect(try await fixture.text("k") == "part")
        // What was there before versioning becomes the null version.
        try await store.set(.enabled, of: fixture.bucket)
        try await fixture.put("one", "new")
        #expect(try await fixture.history() == ["k:part(null)*", "one:new*", "one:whole(null)", "two:abcdef(null)*"])
    }

    @Test func anIndexOfALaterReleaseIsRefused() throws {
        let (directory, _) = try oldDirectory()
        let queue = try DatabaseQueue(path: directory.path + "/index.sqlite")
        try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 1000") }
        try queue.close()
        #expect(throws: IndexFailure.newerVersion(1000)) { try StoreFixture.open(directory.path) }
    }

    @Test func aNewIndexIsTheSameAsAMigratedOne() throws {
        let (directory, _) = try oldDirectory()
        let schema = { (path: String) in
            let store = try StoreFixture.open(path)
            defer { try? store.close() }
            return try store.index.read {
                try String.fetchAll($0, sql: "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
            }
        }
        let new = TemporaryDirectory()
        #expect(try schema(directory.path) == schema(new.path))
    }
}
