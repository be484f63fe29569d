import Crypto
import S3API
import Samples
import Testing
import WireFormats

@testable import EmbeddedStore

extension StoreFixture {
    /// Puts an object in parts.
    @discardableResult
    func upload(_ key: String, _ parts: [String], algorithm: ChecksumAlgorithm? = nil) async throws -> StoredObject {
        let upload = try await store.createUpload(
            bucket,
            ObjectKey(key),
            fields: StoredFields(),
            algorithm: algorithm,
            composition: nil
        )
        var named: [NamedPart] = []
        for (offset, text) in parts.enumerated() {
            named.append(try await part(upload, offset + 1, text))
        }
        return try await store.complete(
            bucket,
            ObjectKey(key),
            upload: upload.id,
            named,
            if: Conditions()
        )
    }

    func part(_ upload: StoredUpload, _ number: Int, _ text: String) async throws -> NamedPart {
        let part = try await store.putPart(
            bucket,
            upload.key,
            upload: upload.id,
            number: number,
            pieces(text),
            BodyClaims(length: Int64(text.utf8.count))
        )
        return NamedPart(number: number, etag: Array(part.etag.utf8), checksum: part.checksum)
    }

    func begin(_ key: String) async throws -> StoredUpload {
        try await store.createUpload(
            bucket,
            ObjectKey(key),
            fields: StoredFields(),
            algorithm: nil,
            composition: nil
        )
    }

    func complete(_ upload: StoredUpload, _ parts: [NamedPart]) async -> S3Error.Code? {
        await refusal {
            _ = try await store.complete(
                bucket,
                upload.key,
                upload: upload.id,
                parts,
                if: Conditions()
            )
        }
    }
}

@Suite struct UploadTests {
    @Test func theETagOfPartsIsTheMD5OfTheirMD5s() async throws {
        let fixture = try await StoreFixture(minimumPartSize: 1)
        let object = try await fixture.upload("k", ["abc", "def"])
        let digests =
            Array(Insecure.MD5.hash(data: Array("abc".utf8))) + Array(Insecure.MD5.hash(data: Array("def".utf8)))
        #expect(object.etag == Hex.encode(Array(Insecure.MD5.hash(data: digests))) + "-2")
        #expect(try await fixture.text("k") == "abcdef")
        #expect(try await fixture.text("k", .part(2)) == "def")
        #expect(await refusal { _ = try await fixture.text("k", .part(3)) } == .invalidPart)
    }

    @Test func partsAreCheckedAtCompletion() async throws {
        let fixture = try await StoreFixture(minimumPartSize: 5)
        let upload = try await fixture.begin("k")
        let one = try await fixture.part(upload, 1, "12345")
        let short = try await fixture.part(upload, 2, "12")
        let three = try await fixture.part(upload, 3, "1")
        #expect(await fixture.complete(upload, [short, one]) == .invalidPartOrder)
        #expect(await fixture.complete(upload, [one, one]) == .invalidPartOrder)
        #expect(await fixture.complete(upload, [one, NamedPart(number: 2, etag: one.etag)]) == .invalidPart)
        #expect(await fixture.complete(upload, [one, NamedPart(number: 9, etag: one.etag)]) == .invalidPart)
        #expect(await fixture.complete(upload, [one, short, three]) == .entityTooSmall)
        #expect(await fixture.complete(upload, []) == .malformedXML)
        #expect(await fixture.complete(upload, [one, three]) == nil)
        #expect(try await fixture.text("k") == "123451")
        #expect(await fixture.complete(upload, [one]) == .noSuchUpload)
    }

    @Test func aPartSentAgainReplacesTheEarlierOne() async throws {
        let fixture = try await StoreFixture(minimumPartSize: 1)
        let upload = try await fixture.begin("k")
        let old = try await fixture.part(upload, 1, "old")
        let new = try await fixture.part(upload, 1, "new")
        #expect(await fixture.complete(upload, [old]) == .invalidPart)
        #expect(await fixture.complete(upload, [new]) == nil)
        #expect(try await fixture.text("k") == "new")
    }

    @Test func anAbortedUploadIsGoneWithItsParts() async throws {
        let fixture = try await StoreFixture(minimumPartSize: 1)
        let upload = try await fixture.begin("k")
        let part = try await fixture.part(upload, 1, "abc")
        try await fixture.store.abort(fixture.bucket, upload.key, upload: upload.id)
        #expect(await fixture.complete(upload, [part]) == .noSuchUpload)
        #expect(await refusal { _ = try await fixture.part(upload, 1, "abc") } == .noSuchUpload)
        #expect(try await eventually { try fixture.files() == (0, 0) })
    }

    @Test func uploadsAndPartsAreListedPageByPage() async throws {
        let fixture = try await StoreFixture(minimumPartSize: 1)
        var ids: [String] = []
        for key in ["a", "b", "b", "c"] { ids.append(try await fixture.begin(key).id) }
        var seen: [String] = []
        var marker: (key: [UInt8], id: String?) = ([], nil)
        while true {
            let page = try await fixture.store.uploads(
                fixture.bucket,
                ListingQuestion(after: marker.key, limit: 1),
                afterID: marker.id
            )
            seen += page.uploads.map(\.id)
            guard page.isTruncated, let last = page.uploads.last else { break }
            marker = (last.key.bytes, last.id)
        }
        #expect(seen.count == 4 && Set(seen) == Set(ids))

        let upload = try await fixture.begin("d")
        for number in [1, 2, 5] { _ = try await fixture.part(upload, number, "x\(number)") }
        let first = try await fixture.store.parts(fixture.bucket, upload.key, upload: upload.id, after: 0, limit: 2)
        #expect(first.parts.map(\.number) == [1, 2] && first.isTruncated)
        let rest = try await fixture.store.parts(fixture.bucket, upload.key, upload: upload.id, after: 2, limit: 2)
        #expect(rest.parts.map(\.number) == [5] && !rest.isTruncated)
    }

    @Test func anUploadWithAChecksumKeepsTheCompositeOne() async throws {
        let fixture = try await StoreFixture(minimumPartSize: 1)
        let object = try await fixture.upload("k", ["abc", "def"], algorithm: .crc32)
        let value = String(decoding: try #require(object.fields.first("x-amz-checksum-crc32")), as: UTF8.self)
        #expect(value.hasSuffix("-2"))
    }

    @Test(arguments: 1...5)
    func uploadsBelowACommonPrefixAreOneEntry(_ limit: Int) async throws {
        let fixture = try await StoreFixture()
        for key in ["a", "dir/1", "dir/2", "dir/2", "dirx", "dirx", "z/1"] { _ = try await fixture.begin(key) }
        var seen: [String] = []
        var question = ListingQuestion(delimiter: Array("/".utf8), limit: limit)
        var id: String?
        while true {
            let page = try await fixture.store.uploads(fixture.bucket, question, afterID: id)
            for entry in page.entries {
                switch entry {
                case .upload(let upload):
                    seen.append(String(decoding: upload.key.bytes, as: UTF8.self))
                    (question.after, id) = (upload.key.bytes, upload.id)
                case .commonPrefix(let prefix):
                    seen.append(String(decoding: prefix, as: UTF8.self))
                    (question.after, id) = (prefix, nil)
                }
            }
            guard page.isTruncated else { break }
        }
        #expect(seen == ["a", "dir/", "dirx", "dirx", "z/"])
        question = ListingQuestion(prefix: Array("dir/".utf8), delimiter: Array("/".utf8))
        #expect(try await fixture.store.uploads(fixture.bucket, question, afterID: nil).uploads.count == 3)
    }

    @Test func partsWithoutADeclaredAlgorithmMakeAChecksumOfTheWhole() async throws {
        let fixture = try await StoreFixture(minimumPartSize: 1)
        let object = try await fixture.upload("k", ["12345", "6789"])
        #expect(object.checksum?.value == "rosUhgp5mIg=" && object.checksum?.type == "FULL_OBJECT")
    }

    @Test func aCompletionThatExpectsAnotherWholeIsRefused() async throws {
        let fixture = try await StoreFixture(minimumPartSize: 1)
        let upload = try await fixture.begin("k")
        let part = try await fixture.part(upload, 1, "123456789")
        let cases: [(ClaimedWhole, S3Error.Code?)] = [
            (ClaimedWhole(checksum: (.crc64nvme, "AAAAAAAAAAA=")), .badDigest),
            (ClaimedWhole(checksum: (.crc32, "y/Q5Jg==")), .invalidRequest),
            (ClaimedWhole(composition: .composite), .invalidRequest), (ClaimedWhole(size: 8), .invalidRequest),
            (ClaimedWhole(checksum: (.crc64nvme, "rosUhgp5mIg="), composition: .fullObject, size: 9), nil),
        ]
        for (claimed, code) in cases {
            let refused = await refusal {
                _ = try await fixture.store.complete(
                    fixture.bucket,
                    upload.key,
                    upload: upload.id,
                    [part],
                    claimed: claimed,
                    if: Conditions()
                )
            }
            #expect(refused == code)
        }
    }
}
