import GRDB
import NIOCore
import S3API
import Testing
import WireFormats

@testable import EmbeddedStore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Copies of a store's directory made while it is open stand for what a killed process leaves.
@Suite struct RecoveryTests {
    private func copy(_ source: String, to destination: String) throws {
        for name in try SystemDirectory.names(in: source) {
            let (from, to) = (source + "/" + name, destination + "/" + name)
            if (try? SystemDirectory.names(in: from)) != nil {
                try SystemDirectory.make(to)
                try copy(from, to: to)
            } else if let file = try SystemFile.openExisting(from) {
                let bytes = try file.read(at: 0, upTo: 64 << 20)
                let target = try SystemFile.create(to)
                try bytes.withUnsafeReadableBytes { try target.write($0) }
            }
        }
    }

    private func reopened(_ fixture: StoreFixture, _ change: (String) throws -> Void) throws -> (
        StoreFixture, ObjectStore
    ) {
        let directory = TemporaryDirectory()
        try copy(fixture.directory.path, to: directory.path)
        try change(directory.path)
        let store = try StoreFixture.open(directory.path)
        return (StoreFixture(directory: directory, store: store, bucket: fixture.bucket), store)
    }

    @Test func whatWasAcknowledgedIsThereAndWhatWasUnderWayIsNot() async throws {
        let fixture = try await StoreFixture(minimumPartSize: 1)
        try await fixture.put("whole", "text")
        try await fixture.upload("parts", ["one", "two"])
        let open = try await fixture.begin("open")
        let part = try await fixture.part(open, 1, "part")
        let (after, _) = try reopened(fixture) { path in
            let id = fixture.store.newContentID().fileName
            let partial = try SystemFile.create(path + "/incoming/" + id)
            try Array("half of".utf8).withUnsafeBytes { try partial.write($0) }
        }
        #expect(try await after.text("whole") == "text")
        #expect(try await after.text("parts") == "onetwo")
        #expect(try after.files().incoming == 0)
        #expect(try await after.list(ListingQuestion()).count == 2)
        #expect(await after.complete(open, [part]) == nil)
        #expect(try await after.text("open") == "part")
    }

    @Test func aFileCommittedButNotYetMovedIsFoundAndMoved() async throws {
        let fixture = try await StoreFixture()
        try await fixture.put("k", "text")
        let (after, _) = try reopened(fixture) { path in
            for folder in try SystemDirectory.names(in: path + "/data") {
                for name in try SystemDirectory.names(in: path + "/data/" + folder) {
                    try SystemDirectory.move(path + "/data/\(folder)/\(name)", to: path + "/incoming/" + name)
                }
            }
        }
        #expect(try await after.text("k") == "text")
        #expect(try after.files() == (0, 1))
    }

    @Test func aFileIsReadBeforeItIsMoved() async throws {
        let fixture = try await StoreFixture()
        let object = try await fixture.put("k", "text")
        let path = fixture.directory.path
        let (folder, name) = (object.content.folder, object.content.fileName)
        try SystemDirectory.move(path + "/data/\(folder)/\(name)", to: path + "/incoming/" + name)
        #expect(try await fixture.text("k") == "text")
    }

    @Test func filesOfDeletedObjectsAreUnlinkedAtTheNextStart() async throws {
        let fixture = try await StoreFixture()
        let object = try await fixture.put("k", "text")
        try await fixture.store.index.write { database in
            let state = try BucketTable.state(database, fixture.bucket)
            let marker = fixture.store.newContentID()
            _ = try History(database, state, ObjectKey("k")).delete(marking: marker, at: StoreFixture.start)
        }
        #expect(try fixture.files() == (0, 1))
        let (after, store) = try reopened(fixture) { _ in }
        #expect(try after.files() == (0, 0))
        #expect(try await store.index.read { try GarbageTable.all($0) }.isEmpty)
        #expect(object.size == 4)
    }

    @Test func theFilesOfAVersionGoWithItAndNotBefore() async throws {
        let fixture = try await StoreFixture(minimumPartSize: 1)
        try await fixture.store.set(.enabled, of: fixture.bucket)
        let parts = try await fixture.upload("k", ["abc", "def"])
        try await fixture.put("k", "x")
        try await fixture.delete("k")
        let (after, _) = try reopened(fixture) { _ in }
        #expect(try await after.text(of: ObjectKey("k"), parts.version) == "abcdef")
        #expect(try after.files() == (0, 3))
        try await after.delete("k", parts.version)
        let (last, _) = try reopened(after) { _ in }
        #expect(try last.files() == (0, 1))
        #expect(try await last.history() == ["k:marker*", "k:x"])
    }

    @Test func filesThatAreNotTheStoresAreLeftAlone() async throws {
        let fixture = try await StoreFixture()
        let (after, _) = try reopened(fixture) { path in
            _ = try SystemFile.create(path + "/incoming/notes.txt")
        }
        #expect(try after.files().incoming == 1)
    }

    @Test func aDirectoryIsOpenOnceOnly() async throws {
        let fixture = try await StoreFixture()
        #expect(throws: FileFailure.self) { try StoreFixture.open(fixture.directory.path) }
    }

    @Test func anIndexOfALaterReleaseIsRefused() async throws {
        let fixture = try await StoreFixture()
        try await fixture.store.index.write { try $0.execute(sql: "PRAGMA user_version = 99") }
        #expect(throws: IndexFailure.newerVersion(99)) { _ = try reopened(fixture) { _ in } }
    }

    @Test func reclaimingWaitsForLookupsAndLeases() {
        let (old, new) = (content(1), content(2))
        var reclamation = Reclamation()
        let reader = reclamation.beginLookup()
        #expect(reclamation.retire(old, files: [old]) == [])
        let later = reclamation.beginLookup()
        #expect(reclamation.endLookup(reader, lease: old) == [])
        #expect(reclamation.endLookup(later, lease: new) == [])
        #expect(reclamation.endLease(new) == [])
        #expect(reclamation.endLease(old) == [old])
        #expect(reclamation.retire(new, files: [new]) == [new])
    }

    private func content(_ byte: UInt8) -> ContentID {
        var random = SystemRandomNumberGenerator()
        return ContentID(at: Instant(secondsSince1970: Int64(byte)), using: &random)
    }
}
