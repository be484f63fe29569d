import GRDB
import S3API
import Testing

@testable import EmbeddedStore

@Suite("A store that was opened for nothing leaves nothing")
struct FoundingTests {
    private let parent = TemporaryDirectory()
    private var path: String { parent.path + "/store" }

    private func names(_ path: String) throws -> [String] { try SystemDirectory.names(in: path).sorted() }

    @Test("What was made for it goes with it, buckets too", arguments: [true, false])
    func new(hasBucket: Bool) async throws {
        let store = try StoreFixture.open(path)
        if hasBucket { try await store.createBucket(try bucketName("demo")) }
        try store.close(isKept: false)
        #expect(try names(parent.path) == [])
    }

    @Test("Where it is kept all stays")
    func kept() throws {
        try StoreFixture.open(path).close()
        #expect(try names(path) == ["data", "incoming", "index.sqlite", "lock"])
    }

    @Test("A folder that was there stays, with all that is somebody else's in it")
    func foreignFolder() throws {
        try SystemDirectory.make(path)
        try SystemDirectory.make(path + "/data")
        #expect(try SystemFile.ensure(path + "/notes.txt"))
        try StoreFixture.open(path).close(isKept: false)
        #expect(try names(path) == ["data", "notes.txt"])
        #expect(try names(path + "/data") == [])
    }

    @Test("A store that was there stays whole, though it is empty")
    func earlierStore() throws {
        try StoreFixture.open(path).close()
        try StoreFixture.open(path).close(isKept: false)
        #expect(try names(path) == ["data", "incoming", "index.sqlite", "lock"])
        #expect(try names(path + "/data").count == 256)
    }

    @Test("So does one into which something was put meanwhile")
    func used() async throws {
        let store = try StoreFixture.open(path)
        let bucket = try bucketName("demo")
        try await store.createBucket(bucket)
        let fixture = StoreFixture(directory: parent, store: store, bucket: bucket)
        try await fixture.put("a", "bytes")
        try store.close(isKept: false)
        #expect(try names(path) == ["data", "incoming", "index.sqlite", "lock"])
    }

    @Test("One that can't be opened leaves nothing either, and takes nothing from whom it is")
    func failing() throws {
        try SystemDirectory.make(path)
        try SystemDirectory.make(path + "/index.sqlite")
        let error = #expect(throws: DatabaseError.self) { try StoreFixture.open(path) }
        #expect(error?.resultCode == .SQLITE_CANTOPEN)
        #expect(try names(path) == ["index.sqlite"])
        let other = parent.path + "/other"
        let open = try StoreFixture.open(other)
        #expect(throws: FileFailure.self) { try StoreFixture.open(other) }
        #expect(try names(other).contains("lock"))
        try open.close()
    }
}
