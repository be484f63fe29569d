import GRDB
import NIOCore
import S3API
import Samples
import Testing
import WireFormats

@testable import EmbeddedStore

@Suite struct ObjectStoreTests {
    @Test func commitsAreDurableByTheSettingsSQLiteReports() async throws {
        let fixture = try await StoreFixture()
        let settings = try await fixture.store.index.writeWithoutTransaction { database in
            (
                try String.fetchOne(database, sql: "PRAGMA journal_mode"),
                try Int.fetchOne(database, sql: "PRAGMA synchronous")
            )
        }
        #expect(settings.0 == "wal" && settings.1 == 2)
    }

    @Test func anObjectComesBackAsItWasPut() async throws {
        let fixture = try await StoreFixture()
        var fields = StoredFields()
        fields.append("content-type", "text/plain")
        fields.append("x-amz-meta-a", "b: c")
        let object = try await fixture.put("a/b", "hello world, in pieces", fields: fields)
        #expect(try await fixture.text("a/b") == "hello world, in pieces")
        guard case .found(let found) = try await fixture.store.find(fixture.bucket, ObjectKey("a/b")) else {
            Issue.record("not found")
            return
        }
        #expect(found.object.etag == object.etag)
        var kept = found.object.fields
        kept.removeAll { $0.name.starts(with: "x-amz-checksum-".utf8) }
        #expect(kept == fields)
        #expect(try fixture.files() == (0, 1))
    }

    @Test func theETagIsTheMD5() async throws {
        let fixture = try await StoreFixture()
        #expect(try await fixture.put("a", "").etag == "d41d8cd98f00b204e9800998ecf8427e")
        #expect(try await fixture.put("a", "abc").etag == "900150983cd24fb0d6963f7d28e17f72")
    }

    @Test func ofManyCreateOnlyWritesExactlyOneWins() async throws {
        let fixture = try await StoreFixture()
        let outcomes = await withTaskGroup(of: S3Error.Code?.self) { group in
            for number in 0..<20 {
                group.addTask {
                    await refusal { try await fixture.put("k", "v\(number)", if: Conditions(ifNoneMatch: .any)) }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter { $0 == nil }.count == 1)
        #expect(outcomes.filter { $0 == .preconditionFailed }.count == 19)
        #expect(try fixture.files() == (0, 1))
    }

    @Test func ofManyReplacementsOfOneETagExactlyOneWins() async throws {
        let fixture = try await StoreFixture()
        let first = try await fixture.put("k", "first")
        let condition = Conditions(ifMatch: .among([Array(first.etag.utf8)]))
        let outcomes = await withTaskGroup(of: S3Error.Code?.self) { group in
            for number in 0..<10 {
                group.addTask { await refusal { try await fixture.put("k", "v\(number)", if: condition) } }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter { $0 == nil }.count == 1)
        #expect(await refusal { try await fixture.put("absent", "x", if: condition) } == .noSuchKey)
    }

    @Test func manyWritesAtOnceAreAllThere() async throws {
        let fixture = try await StoreFixture()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 { group.addTask { try await fixture.put("k\(number)", "v\(number)") } }
            try await group.waitForAll()
        }
        for number in 0..<200 { #expect(try await fixture.text("k\(number)") == "v\(number)") }
    }

    @Test(arguments: [
        (BodyClaims(length: 3, sha256: [UInt8](repeating: 1, count: 32)), S3Error.Code.contentSHA256Mismatch),
        (BodyClaims(length: 3, md5: [UInt8](repeating: 1, count: 16)), .badDigest),
        (BodyClaims(length: 3, checksum: ObjectChecksum(algorithm: .crc32, digest: [1, 2, 3, 4])), .badDigest),
        (BodyClaims(length: 4), .incompleteBody),
        (BodyClaims(length: 2), .incompleteBody),
    ])
    func aBodyThatDiffersFromItsClaimsLeavesNothing(_ claims: BodyClaims, _ code: S3Error.Code) async throws {
        let fixture = try await StoreFixture()
        let found = await refusal {
            _ = try await fixture.store.put(
                fixture.bucket,
                ObjectKey("k"),
                pieces("abc"),
                claims,
                fields: StoredFields()
            )
        }
        #expect(found == code)
        #expect(await refusal { _ = try await fixture.text("k") } == .noSuchKey)
        #expect(try fixture.files() == (0, 0))
    }

    @Test func aSenderThatBreaksOffLeavesNothing() async throws {
        struct Gone: Error {}
        let fixture = try await StoreFixture()
        try await fixture.put("k", "before")
        let body = AsyncThrowingStream<ByteBuffer, any Error> { continuation in
            continuation.yield(ByteBuffer(repeating: 1, count: 300_000))
            continuation.finish(throwing: Gone())
        }
        await #expect(throws: Gone.self) {
            try await fixture.store.put(
                fixture.bucket,
                ObjectKey("k"),
                body,
                BodyClaims(length: 400_000),
                fields: StoredFields()
            )
        }
        #expect(try await fixture.text("k") == "before")
        #expect(try fixture.files() == (0, 1))
    }

    @Test(arguments: [
        "bytes=0-4", "bytes=5-", "bytes=-4", "bytes=0-999", "bytes=9-9", "bytes=-999", "bytes=3-3",
    ])
    func rangesOverOneFileAndOverSegmentsAreTheSame(_ text: String) async throws {
        let fixture = try await StoreFixture(minimumPartSize: 1)
        try await fixture.put("whole", "0123456789")
        try await fixture.upload("parts", ["012", "345", "6789"])
        let range = try #require(ByteRange(parsing: text.utf8))
        let whole = try await fixture.text("whole", .range(range))
        let parts = try await fixture.text("parts", .range(range))
        let expected = try #require(range.resolved(size: 10))
        let digits = Array("0123456789")
        #expect(whole == String(digits[Int(expected.lowerBound)..<Int(expected.upperBound)]))
        #expect(parts == whole)
    }

    @Test(arguments: ["bytes=10-", "bytes=10-12", "bytes=-0"])
    func aRangeOutsideTheObjectIsUnsatisfiable(_ text: String) async throws {
        let fixture = try await StoreFixture()
        try await fixture.put("k", "0123456789")
        let range = try #require(ByteRange(parsing: text.utf8))
        let lookup = try await fixture.store.find(fixture.bucket, ObjectKey("k"), .range(range))
        #expect(lookup.isUnsatisfiable)
    }

    @Test(arguments: ["bytes=4-3", "bytes=a-b", "items=0-1", "bytes=0-1,3-4", "bytes=", "bytes=-", "bytes 0-1"])
    func whatIsNoSingleRangeIsIgnored(_ text: String) {
        #expect(ByteRange(parsing: text.utf8) == nil)
    }

    @Test func aReaderSeesWhatItFoundAlthoughTheObjectIsReplacedAndDeleted() async throws {
        let fixture = try await StoreFixture(minimumPartSize: 1)
        try await fixture.upload("k", ["one", "two", "three"])
        guard case .found(let found) = try await fixture.store.find(fixture.bucket, ObjectKey("k")) else { return }
        try await fixture.put("k", "other")
        _ = try await fixture.store.delete(fixture.bucket, [Doomed(key: ObjectKey("k"))])
        var bytes: [UInt8] = []
        for try await chunk in found.reader.chunks() { bytes += chunk.readableBytesView }
        #expect(String(decoding: bytes, as: UTF8.self) == "onetwothree")
    }

    @Test func filesOfReplacedAndDeletedObjectsGo() async throws {
        let fixture = try await StoreFixture(minimumPartSize: 1)
        for _ in 0..<3 { try await fixture.upload("k", ["one", "two"]) }
        try await fixture.put("j", "x")
        _ = try await fixture.store.delete(
            fixture.bucket,
            [Doomed(key: ObjectKey("k")), Doomed(key: ObjectKey("j")), Doomed(key: ObjectKey("absent"))]
        )
        // Unlinking is in the background.
        #expect(try await eventually { try fixture.files() == (0, 0) })
    }

    @Test func bucketsAreMadeOnceAndGoEmptyOnly() async throws {
        let fixture = try await StoreFixture()
        #expect(await refusal { try await fixture.store.createBucket(fixture.bucket) } == .bucketAlreadyOwnedByYou)
        try await fixture.put("k", "v")
        #expect(await refusal { try await fixture.store.deleteBucket(fixture.bucket) } == .bucketNotEmpty)
        _ = try await fixture.store.delete(fixture.bucket, [Doomed(key: ObjectKey("k"))])
        try await fixture.store.deleteBucket(fixture.bucket)
        #expect(await refusal { try await fixture.put("k", "v") } == .noSuchBucket)
        #expect(try await fixture.store.buckets().isEmpty)
    }

    @Test func aCopyKeepsOrReplacesTheFields() async throws {
        let fixture = try await StoreFixture(minimumPartSize: 1)
        var fields = StoredFields()
        fields.append("x-amz-meta-a", "1")
        try await fixture.put("a", "text", fields: fields)
        let (copy, _) = try await fixture.store.copy(
            from: ObjectSource(bucket: fixture.bucket, key: ObjectKey("a")),
            to: (fixture.bucket, ObjectKey("b")),
            algorithm: .sha1,
            if: Conditions(),
            fields: { $0 }
        )
        #expect(copy.fields.first("x-amz-meta-a") == Array("1".utf8))
        #expect(copy.checksum?.algorithm == .sha1)
        #expect(copy.fields.items.count == 3)
        #expect(try await fixture.text("b") == "text")
        let failed = await refusal {
            _ = try await fixture.store.copy(
                from: ObjectSource(
                    bucket: fixture.bucket,
                    key: ObjectKey("a"),
                    conditions: Conditions(ifNoneMatch: .any)
                ),
                to: (fixture.bucket, ObjectKey("b")),
                algorithm: nil,
                if: Conditions(),
                fields: { $0 }
            )
        }
        #expect(failed == .preconditionFailed)
    }
}
