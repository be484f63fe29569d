import NIOCore
import S3API
import Testing
import WireFormats

@testable import EmbeddedStore

extension StoreFixture {
    /// The versions of the bucket as `key:text` or `key:marker`, with `*` where they are the latest.
    func history(limit: Int = 1000, from: (key: String, version: VersionName?)? = nil) async throws -> [String] {
        var question = ListingQuestion(limit: limit)
        question.after = Array((from?.key ?? "").utf8)
        let page = try await store.versions(
            bucket,
            VersionPage.Question(listing: question, afterVersion: from?.version)
        )
        var lines: [String] = []
        for entry in page.entries {
            guard case .version(let version) = entry else { continue }
            let key = ObjectKey(version.key)
            var line = String(decoding: version.key, as: UTF8.self) + ":"
            line += version.isMarker ? "marker" : try await text(of: key, version.name)
            if version.name == .null { line += "(null)" }
            lines.append(line + (version.isLatest ? "*" : ""))
        }
        return lines
    }

    func text(of key: ObjectKey, _ version: VersionName) async throws -> String {
        guard case .found(let found) = try await store.find(bucket, key, version: version) else {
            throw S3Error(.preconditionFailed)
        }
        var bytes: [UInt8] = []
        for try await chunk in found.reader.chunks() { bytes += chunk.readableBytesView }
        return String(decoding: bytes, as: UTF8.self)
    }

    @discardableResult
    func delete(_ key: String, _ version: VersionName? = nil) async throws -> DeletedVersion? {
        try await store.delete(bucket, [Doomed(key: ObjectKey(key), version: version)]).first
    }
}

@Suite struct HistoryTests {
    @Test func aVersionedBucketKeepsWhatWasReplacedAndDeleted() async throws {
        let fixture = try await StoreFixture()
        try await fixture.put("k", "zero")
        try await fixture.store.set(.enabled, of: fixture.bucket)
        let one = try await fixture.put("k", "one")
        let two = try await fixture.put("k", "two")
        #expect(one.versionID != two.versionID)
        #expect(try await fixture.history() == ["k:two*", "k:one", "k:zero(null)"])
        let marker = try await fixture.delete("k")?.marker
        #expect(try await fixture.history() == ["k:marker*", "k:two", "k:one", "k:zero(null)"])
        await #expect(throws: MarkerFound.self) { try await fixture.text("k") }
        #expect(try await fixture.text(of: ObjectKey("k"), one.version) == "one")
        #expect(try fixture.files().data == 3)
        // What was hidden shows again without the marker.
        try await fixture.delete("k", marker)
        #expect(try await fixture.text("k") == "two")
        try await fixture.delete("k", two.version)
        #expect(try await fixture.text("k") == "one")
        try await fixture.delete("k", .null)
        #expect(try await fixture.history() == ["k:one*"])
    }

    @Test func aSuspendedBucketHasOneNullVersionOfAKey() async throws {
        let fixture = try await StoreFixture()
        try await fixture.store.set(.enabled, of: fixture.bucket)
        try await fixture.put("k", "named")
        try await fixture.store.set(.suspended, of: fixture.bucket)
        try await fixture.put("k", "a")
        try await fixture.put("k", "b")
        #expect(try await fixture.history() == ["k:b(null)*", "k:named"])
        try await fixture.delete("k")
        #expect(try await fixture.history() == ["k:marker(null)*", "k:named"])
        try await fixture.delete("k")
        #expect(try await fixture.history() == ["k:marker(null)*", "k:named"])
        try await fixture.put("k", "c")
        #expect(try await fixture.history() == ["k:c(null)*", "k:named"])
        // The null version stays one also where a named one lies above it.
        try await fixture.store.set(.enabled, of: fixture.bucket)
        try await fixture.put("k", "d")
        try await fixture.store.set(.suspended, of: fixture.bucket)
        try await fixture.put("k", "e")
        #expect(try await fixture.history() == ["k:e(null)*", "k:d", "k:named"])
    }

    @Test func aBucketWithVersionsIsNotEmpty() async throws {
        let fixture = try await StoreFixture()
        try await fixture.store.set(.enabled, of: fixture.bucket)
        let object = try await fixture.put("k", "x")
        let marker = try await fixture.delete("k")?.marker
        try await fixture.delete("k", object.version)
        let refused = await refusal { try await fixture.store.deleteBucket(fixture.bucket) }
        #expect(refused == .bucketNotEmpty)
        try await fixture.delete("k", marker)
        try await fixture.store.deleteBucket(fixture.bucket)
    }

    @Test func conditionsAreAboutWhatTheKeyShows() async throws {
        let fixture = try await StoreFixture()
        try await fixture.store.set(.enabled, of: fixture.bucket)
        try await fixture.put("k", "x")
        let taken = await refusal { try await fixture.put("k", "y", if: Conditions(ifNoneMatch: .any)) }
        #expect(taken == .preconditionFailed)
        try await fixture.delete("k")
        try await fixture.put("k", "y", if: Conditions(ifNoneMatch: .any))
        #expect(try await fixture.history() == ["k:y*", "k:marker", "k:x"])
    }

    @Test(arguments: 1...7)
    func pagesOfVersionsCutAnywhereAndLoseNothing(_ limit: Int) async throws {
        let fixture = try await StoreFixture()
        try await fixture.put("a", "0")
        try await fixture.store.set(.enabled, of: fixture.bucket)
        for text in ["1", "2"] { for key in ["a", "b", "d"] { try await fixture.put(key, key + text) } }
        for key in ["b", "c"] { try await fixture.delete(key) }
        let all = try await fixture.history()
        #expect(all == ["a:a2*", "a:a1", "a:0(null)", "b:marker*", "b:b2", "b:b1", "c:marker*", "d:d2*", "d:d1"])
        var lines: [String] = []
        var place: (key: String, version: VersionName?)?
        while true {
            var question = ListingQuestion(limit: limit)
            question.after = Array((place?.key ?? "").utf8)
            let page = try await fixture.store.versions(
                fixture.bucket,
                VersionPage.Question(listing: question, afterVersion: place?.version)
            )
            lines += try await fixture.history(limit: limit, from: place)
            #expect(page.rowsRead <= limit + 1)
            guard page.isTruncated, case .version(let last) = page.entries.last else { break }
            place = (String(decoding: last.key, as: UTF8.self), last.name)
        }
        #expect(lines == all)
    }

    @Test func theVersionsBelowACommonPrefixAreJumpedOver() async throws {
        let fixture = try await StoreFixture()
        try await fixture.store.set(.enabled, of: fixture.bucket)
        for number in 0..<50 { try await fixture.put("dir/\(number % 10)", "x") }
        try await fixture.put("file", "x")
        try await fixture.delete("dirx/gone")
        let question = ListingQuestion(delimiter: Array("/".utf8))
        let page = try await fixture.store.versions(fixture.bucket, VersionPage.Question(listing: question))
        #expect(page.entries.count == 3)
        #expect(page.rowsRead == 3)
    }

    @Test func aPageGoesOnWhereItsMarkerHasBeenDeleted() async throws {
        let fixture = try await StoreFixture()
        try await fixture.store.set(.enabled, of: fixture.bucket)
        let versions = [try await fixture.put("k", "1"), try await fixture.put("k", "2")]
        try await fixture.delete("k", versions[1].version)
        #expect(try await fixture.history(from: ("k", versions[1].version)) == ["k:1*"])
    }

    @Test func tagsOfAnEarlierVersionChangeAlone() async throws {
        let fixture = try await StoreFixture()
        try await fixture.store.set(.enabled, of: fixture.bucket)
        let old = try await fixture.put("k", "1")
        try await fixture.put("k", "2")
        _ = try await fixture.store.setTags(Array("a=b".utf8), of: fixture.bucket, ObjectKey("k"), old.version)
        let kept = try await fixture.store.object(fixture.bucket, ObjectKey("k"), old.version)
        #expect(kept.fields.first("x-amz-tagging") == Array("a=b".utf8))
        let current = try await fixture.store.object(fixture.bucket, ObjectKey("k"), nil)
        #expect(current.fields.first("x-amz-tagging") == nil)
    }
}
