import HTTP1
import S3API
import Testing
import WireFormats

@testable import Backends

@Suite struct ListingTests {
    private func listed(_ target: String, _ body: String, prefix: String = "v2") throws -> XMLNode {
        let incoming = try Incoming("GET", target)
        let answer = backend(prefix: prefix).answer(
            to: incoming.request,
            head: response(200),
            view: AnswerTests.view
        )
        guard case .collect(_, let reader) = answer,
            case .document(_, _, let bytes) = reader.answer(Array(body.utf8))
        else { throw S3Error(.backendBadAnswer) }
        return try XMLReader.parse(bytes)
    }

    @Test func theFirstVersionLosesThePrefixEverywhere() throws {
        let root = try listed(
            "/bkt?delimiter=/",
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>store-bucket</Name>
            <Prefix>v2/</Prefix><Marker>v2/a</Marker><NextMarker>v2/m</NextMarker><Delimiter>/</Delimiter>
            <MaxKeys>2</MaxKeys><IsTruncated>true</IsTruncated>
            <Contents><Key>v2/b</Key><Size>1</Size><Owner><ID>x</ID></Owner></Contents>
            <Contents><Key>elsewhere/b</Key></Contents><Contents><Key>v2/</Key></Contents><Contents><Size>1</Size></Contents>
            <CommonPrefixes><Prefix>v2/dir/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>v</Prefix></CommonPrefixes>
            <Unheard>kept</Unheard></ListBucketResult>
            """
        )
        #expect(root.value("Name") == "bkt")
        #expect(root.value("Prefix") == "" && root.value("Marker") == "a" && root.value("NextMarker") == "m")
        #expect(root.children(named: "Contents").map { $0.value("Key") } == ["b"])
        #expect(root.child("Contents")?.child("Owner")?.value("ID") == "x")
        #expect(root.children(named: "CommonPrefixes").map { $0.value("Prefix") } == ["dir/"])
        #expect(root.value("Unheard") == "kept")
    }

    @Test func theSecondVersionsTokensComeBack() throws {
        let body = """
            <ListBucketResult><Name>store-bucket</Name><Prefix>v2/p</Prefix><StartAfter>v2/s</StartAfter>
            <ContinuationToken>v2/now</ContinuationToken><NextContinuationToken>v2/p+next/=</NextContinuationToken>
            <KeyCount>0</KeyCount></ListBucketResult>
            """
        let root = try listed("/bkt?list-type=2&prefix=p", body)
        #expect(root.value("Prefix") == "p" && root.value("StartAfter") == "s")
        let token = try #require(root.value("NextContinuationToken"))
        #expect(!token.contains("v2/"))
        let next = try Incoming("GET", "/bkt?list-type=2&continuation-token=" + token).sent(to: backend(prefix: "v2"))
        #expect(next.queryText == "continuation-token=v2%2Fp%2Bnext%2F%3D&list-type=2&prefix=v2%2F")
        let plain = try listed("/bkt?list-type=2&prefix=p", body, prefix: "")
        #expect(plain.value("NextContinuationToken") == "v2/p+next/=")
    }

    @Test func versionsAndUploadsLoseThePrefix() throws {
        let versions = try listed(
            "/bkt?versions",
            """
            <ListVersionsResult><Name>store-bucket</Name><Prefix>v2/</Prefix><KeyMarker>v2/k</KeyMarker>
            <NextKeyMarker>v2/n</NextKeyMarker><NextVersionIdMarker>id</NextVersionIdMarker>
            <Version><Key>v2/a</Key><VersionId>1</VersionId></Version><DeleteMarker><Key>v2/b</Key></DeleteMarker>
            </ListVersionsResult>
            """
        )
        #expect(versions.value("KeyMarker") == "k" && versions.value("NextKeyMarker") == "n")
        #expect(versions.value("NextVersionIdMarker") == "id")
        #expect(versions.child("Version")?.value("Key") == "a")
        #expect(versions.child("DeleteMarker")?.value("Key") == "b")
        let uploads = try listed(
            "/bkt?uploads",
            """
            <ListMultipartUploadsResult><Bucket>store-bucket</Bucket><KeyMarker></KeyMarker>
            <NextKeyMarker>v2/n</NextKeyMarker><Upload><Key>v2/a</Key><UploadId>u</UploadId></Upload>
            </ListMultipartUploadsResult>
            """
        )
        #expect(uploads.value("Bucket") == "bkt" && uploads.value("NextKeyMarker") == "n")
        #expect(uploads.child("Upload")?.value("Key") == "a")
    }

    @Test func partsNameTheClientsObject() throws {
        let root = try listed(
            "/bkt/a?uploadId=u",
            """
            <ListPartsResult><Bucket>store-bucket</Bucket><Key>v2/a</Key><UploadId>u</UploadId>
            <Part><PartNumber>1</PartNumber></Part></ListPartsResult>
            """
        )
        #expect(root.value("Bucket") == "bkt" && root.value("Key") == "a" && root.value("UploadId") == "u")
        #expect(root.child("Part")?.value("PartNumber") == "1")
    }

    @Test func deletionResultsNameTheClientsKeys() throws {
        let incoming = try Incoming("POST", "/bkt?delete")
        let store = backend(prefix: "v2")
        let answer = store.answer(to: incoming.request, head: response(200), view: AnswerTests.view)
        guard case .collect(_, let reader) = answer,
            case .document(_, _, let bytes) = reader.answer(
                DeleteResult(
                    deleted: [.init(key: ObjectKey("v2/a"))],
                    failures: [.init(key: ObjectKey("v2/b"), S3Error(.accessDenied))]
                ).document()
            )
        else {
            Issue.record("no document")
            return
        }
        let result = try #require(DeleteResult(parsing: bytes))
        #expect(result.deleted.map(\.key) == [ObjectKey("a")])
        #expect(result.failures.map(\.key) == [ObjectKey("b")])
    }

    @Test(arguments: nastyKeys()) func everyKeyComesBackFromAListing(_ key: String) throws {
        let raw = Array(key.utf8)
        for encoding in [ListingEncoding.plain, .url] {
            let listing = ObjectListing(
                bucket: try #require(BucketName(validating: "store-bucket")),
                prefix: Array("v2/".utf8),
                delimiter: nil,
                maxKeys: 1,
                encoding: encoding,
                paging: .v1(marker: Array("v2/".utf8) + raw, next: Array("v2/".utf8) + raw),
                isTruncated: true,
                objects: [
                    .init(key: Array("v2/".utf8) + raw, size: 1, etag: "\"e\"", modified: noon)
                ],
                commonPrefixes: [Array("v2/".utf8) + raw]
            )
            let target = encoding == .url ? "/bkt?encoding-type=url" : "/bkt"
            let root = try listed(target, String(decoding: listing.document(), as: UTF8.self))
            #expect(root.child("Contents")?.child("Key").map { encoding.decode($0.text) } == raw)
            #expect(root.child("CommonPrefixes")?.child("Prefix").map { encoding.decode($0.text) } == raw)
            #expect(root.child("NextMarker").map { encoding.decode($0.text) } == raw)
            #expect(root.child("Marker").map { encoding.decode($0.text) } == raw)
        }
    }

    @Test func aSpaceWrittenAsPlusIsASpace() throws {
        let root = try listed(
            "/bkt?encoding-type=url",
            """
            <ListBucketResult><Name>n</Name><EncodingType>url</EncodingType>
            <Contents><Key>v2%2Fa+b%2Bc</Key></Contents></ListBucketResult>
            """
        )
        #expect(root.child("Contents")?.value("Key") == "a%20b%2Bc")
    }
}
