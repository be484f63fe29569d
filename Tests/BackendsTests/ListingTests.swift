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
        guard case .collect(_, let then) = answer,
            case .document(_, _, let bytes) = then(Array(body.utf8))
        else { throw S3Error(.backendBadAnswer) }
        return try XMLReader.parse(bytes)
    }

    @Test func theFirstVersionLosesThePrefixEverywhere() throws {
        let root = try listed(
            "/bkt?delimiter=/&marker=a",
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>store-bucket</Name>
            <Prefix>v2/</Prefix><Marker>v2/a</Marker><NextMarker>v2/m</NextMarker><Delimiter>/</Delimiter>
            <MaxKeys>2</MaxKeys><IsTruncated>true</IsTruncated>
            <Contents><Key>v2/b</Key><Size>1</Size><Owner><ID>x</ID></Owner></Contents>
            <Contents><Key>elsewhere/b</Key></Contents><Contents><Key>v2/</Key></Contents><Contents><Size>1</Size></Contents>
            <Contents><Key>v2/c</Key><Key>v2/d</Key></Contents>
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

    @Test(arguments: ["", "v2"])
    func whatIsHiddenIsLeftOut(prefix: String) throws {
        let place = prefix.isEmpty ? "" : prefix + "/"
        let body = """
            <ListBucketResult><Name>store-bucket</Name><Prefix>\(place)</Prefix><KeyCount>3</KeyCount>
            <Contents><Key>\(place).q/1/a</Key></Contents><Contents><Key>\(place).qa</Key></Contents>
            <CommonPrefixes><Prefix>\(place).q/2/</Prefix></CommonPrefixes></ListBucketResult>
            """
        for (target, isCollected) in [
            ("/store-bucket?list-type=2", true), ("/store-bucket?list-type=2&prefix=x", false),
        ] {
            let incoming = try Incoming("GET", target)
            let answer = backend(prefix: prefix, hidden: ".q/").answer(
                to: incoming.request,
                head: response(200),
                view: AnswerTests.view
            )
            guard case .collect(_, let then) = answer,
                case .document(_, _, let bytes) = then(Array(body.utf8))
            else {
                #expect(!isCollected && prefix.isEmpty)
                continue
            }
            guard isCollected else { continue }
            let root = try XMLReader.parse(bytes)
            #expect(root.children(named: "Contents").map { $0.value("Key") } == [".qa"])
            #expect(root.children(named: "CommonPrefixes").isEmpty)
            #expect(root.value("KeyCount") == "1")
        }
    }

    // MARK: - What is hidden leaks nowhere

    private func shown(_ target: String, _ body: String, prefix: String) throws -> (root: XMLNode, text: String) {
        let incoming = try Incoming("GET", target)
        let answer = backend(prefix: prefix, hidden: ".q/").answer(
            to: incoming.request,
            head: response(200),
            view: AnswerTests.view
        )
        guard case .collect(_, let then) = answer, case .document(_, _, let bytes) = then(Array(body.utf8)) else {
            throw S3Error(.backendBadAnswer)
        }
        return (try XMLReader.parse(bytes), text(bytes))
    }

    @Test(arguments: ["", "v2"])
    func aMarkerThatIsHiddenMovesBehindWhatIsHidden(prefix: String) throws {
        let place = prefix.isEmpty ? "" : prefix + "/"
        let end = ".q/\u{10FFFD}"
        let first = try shown(
            "/store-bucket?max-keys=1&delimiter=zz",
            page(
                "<NextMarker>\(place).q/slot-id/a</NextMarker>",
                "<Contents><Key>\(place).q/slot-id/a</Key></Contents>"
            ),
            prefix: prefix
        )
        #expect(first.root.children(named: "NextMarker").map(\.text) == [end] && !first.text.contains("slot-id"))
        #expect(first.root.value("IsTruncated") == "true" && first.root.child("Contents") == nil)
        // A store that says no marker, as without a delimiter none is due.
        let silent = try shown(
            "/store-bucket?max-keys=1",
            page("", "<Contents><Key>\(place).q/slot-id/a</Key></Contents>"),
            prefix: prefix
        )
        #expect(silent.root.children(named: "NextMarker").map(\.text) == [end] && !silent.text.contains("slot-id"))
        let next = try Incoming("GET", "/store-bucket?max-keys=1&marker=.q/%F4%8F%BF%BD").sent(
            to: backend(prefix: prefix, hidden: ".q/")
        )
        #expect(next.queryText.contains("marker=" + (prefix.isEmpty ? "" : "v2%2F") + ".q%2F%F4%8F%BF%BD"))
        for (target, root, entry, id) in [
            ("/store-bucket?versions&max-keys=1", "ListVersionsResult", "Version", "NextVersionIdMarker"),
            ("/store-bucket?uploads&max-uploads=1", "ListMultipartUploadsResult", "Upload", "NextUploadIdMarker"),
        ] {
            let paged = try shown(
                target,
                "<\(root)><IsTruncated>true</IsTruncated><NextKeyMarker>\(place).q/slot-id/a</NextKeyMarker>"
                    + "<\(id)>version-id</\(id)><\(entry)><Key>\(place).q/slot-id/a</Key></\(entry)></\(root)>",
                prefix: prefix
            )
            #expect(paged.root.children(named: "NextKeyMarker").map(\.text) == [end])
            #expect(!paged.text.contains("slot-id") && !paged.text.contains("version-id"))
        }
    }

    @Test(arguments: [
        (".q/s/x", ".q/"), (".q\\s/x", ".q\\"), ("/.q/s/x", "/.q/"), (".q//s/x", ".q/"), ("\\.q/s", "\\.q/"),
        ("//.q\\\\s", "//.q\\"),
    ])
    func aMarkerMovesBehindTheSpellingThatWasFound(_ stored: String, _ beginning: String) throws {
        for (target, root, element, entry) in [
            ("/store-bucket?delimiter=zz", "ListBucketResult", "NextMarker", "Contents"),
            ("/store-bucket?versions", "ListVersionsResult", "NextKeyMarker", "Version"),
        ] {
            let body =
                "<\(root)><IsTruncated>true</IsTruncated><\(element)>\(stored)</\(element)>"
                + "<\(entry)><Key>\(stored)</Key></\(entry)></\(root)>"
            let marker = try #require(try shown(target, body, prefix: "").root.value(element))
            #expect(marker == beginning + "\u{10FFFD}")
            #expect(stored.utf8.lexicographicallyPrecedes(marker.utf8))
        }
    }

    @Test func aTokenThatMayBeAHiddenKeyIsSealed() throws {
        let body = """
            <ListBucketResult><Name>store-bucket</Name><IsTruncated>true</IsTruncated><KeyCount>0</KeyCount>
            <NextContinuationToken>.q/slot-id/a</NextContinuationToken></ListBucketResult>
            """
        let store = backend(hidden: ".q/")
        for query in ["", "&prefix=", "&prefix=.q/", "&prefix=.", "&prefix=.q//x", "&prefix=.q%5Cx"] {
            let (root, text) = try shown("/store-bucket?list-type=2\(query)", body, prefix: "")
            let token = try #require(root.value("NextContinuationToken"))
            #expect(!text.contains("slot-id") && !token.contains("slot-id"))
            #expect(!self.text(Base64URL.decode(token.dropFirst().utf8) ?? []).contains("slot-id"))
            let next = try Incoming("GET", "/store-bucket?list-type=2\(query)&continuation-token=\(token)")
            #expect(try next.sent(to: store).queryText.contains("continuation-token=.q%2Fslot-id%2Fa"))
            let raw = try Incoming("GET", "/store-bucket?list-type=2\(query)&continuation-token=.q/slot-id/a")
            #expect { try raw.sent(to: store) } throws: { ($0 as? S3Error)?.code == .invalidArgument }
        }
        // Elsewhere tokens are the store's.
        let plain = try Incoming("GET", "/store-bucket?list-type=2&prefix=x&continuation-token=t")
        #expect(try plain.sent(to: store).queryText.contains("continuation-token=t"))
    }

    @Test(arguments: [".q\\1\\a", ".q//1/a", "/.q/1/a"])
    func whatIsHiddenIsLeftOutHoweverItsSlashesAreWritten(_ key: String) throws {
        let body =
            "<ListBucketResult><KeyCount>2</KeyCount><Contents><Key>\(key)</Key></Contents><Contents><Key>b</Key></Contents></ListBucketResult>"
        let root = try shown("/store-bucket?list-type=2", body, prefix: "").root
        #expect(root.children(named: "Contents").map { $0.value("Key") } == ["b"] && root.value("KeyCount") == "1")
    }

    @Test func theSecondVersionsTokensComeBack() throws {
        let body = """
            <ListBucketResult><Name>store-bucket</Name><Prefix>v2/p</Prefix><StartAfter>v2/s</StartAfter>
            <ContinuationToken>v2/now</ContinuationToken><NextContinuationToken>v2/p+next/=</NextContinuationToken>
            <KeyCount>0</KeyCount></ListBucketResult>
            """
        let root = try listed("/bkt?list-type=2&prefix=p&start-after=s", body)
        #expect(root.value("Prefix") == "p" && root.value("StartAfter") == "s")
        let token = try #require(root.value("NextContinuationToken"))
        #expect(!token.contains("v2/"))
        let next = try Incoming("GET", "/bkt?list-type=2&prefix=p&continuation-token=" + token).sent(
            to: backend(prefix: "v2")
        )
        #expect(next.queryText == "continuation-token=v2%2Fp%2Bnext%2F%3D&list-type=2&prefix=v2%2Fp")
        let plain = try listed("/bkt?list-type=2&prefix=p", body, prefix: "")
        #expect(plain.value("NextContinuationToken") == "v2/p+next/=")
    }

    // MARK: - Tokens

    private func token(
        from query: String = "prefix=p&delimiter=/",
        bucket: String = "bkt",
        at store: S3Backend = backend(prefix: "v2")
    ) throws -> String {
        let incoming = try Incoming("GET", "/\(bucket)?list-type=2&" + query)
        return try #require(ContinuationToken(for: incoming.request, at: store).sealed("v2/p/next"))
    }

    @Test(arguments: [
        "prefix=p&delimiter=/", "delimiter=%2F&prefix=p&max-keys=7", "prefix=p&delimiter=/&start-after=pq",
    ])
    func aTokenIsGoodForItsListing(_ query: String) throws {
        let next = try Incoming("GET", "/bkt?list-type=2&\(query)&continuation-token=" + token())
        // Another backend object with the same place: another instance, or the same one after a restart.
        #expect(try next.sent(to: backend(prefix: "v2")).queryText.contains("continuation-token=v2%2Fp%2Fnext&"))
    }

    @Test(arguments: [
        ("bkt", "prefix=q&delimiter=/"), ("bkt", "prefix=p"), ("bkt", "delimiter=/"), ("bkt", "prefix=p/&delimiter="),
        ("bkt", "prefix=&delimiter=p/"), ("bkt", "prefix=p&delimiter=//"), ("bkt2", "prefix=p&delimiter=/"),
    ])
    func aTokenIsGoodForNoOtherListing(_ bucket: String, _ query: String) throws {
        let next = try Incoming("GET", "/\(bucket)?list-type=2&\(query)&continuation-token=" + token())
        #expect { try next.sent(to: backend(prefix: "v2")) } throws: { ($0 as? S3Error)?.code == .invalidArgument }
    }

    @Test(arguments: [backend(prefix: "v3"), backend(prefix: "v2", bucket: "other")])
    func aTokenIsGoodForNoOtherPlace(_ store: S3Backend) throws {
        let next = try Incoming("GET", "/bkt?list-type=2&prefix=p&delimiter=/&continuation-token=" + token())
        #expect { try next.sent(to: store) } throws: { ($0 as? S3Error)?.code == .invalidArgument }
    }

    @Test func aTokenThatWasChangedIsRefused() throws {
        let token = try token()
        for place in token.indices {
            var changed = token
            changed.replaceSubrange(place...place, with: token[place] == "A" ? "B" : "A")
            let next = try Incoming("GET", "/bkt?list-type=2&prefix=p&delimiter=/&continuation-token=" + changed)
            #expect(throws: S3Error.self) { try next.sent(to: backend(prefix: "v2")) }
        }
    }

    @Test func aTokenShowsNothingOfThePrefix() throws {
        let token = try token()
        #expect(
            Base64URL.decode(token.dropFirst().utf8).map { $0.contains(UInt8(ascii: "/")) && text($0).contains("v2") }
                == false
        )
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    // MARK: - Where the next page begins

    private func page(_ markers: String, _ entries: String) -> String {
        "<ListBucketResult><IsTruncated>true</IsTruncated>\(markers)\(entries)</ListBucketResult>"
    }

    @Test(arguments: [
        // A page of which nothing is shown still leads on.
        ("", "<NextMarker>v2/m</NextMarker>", "<Contents><Key>v2/</Key></Contents>", "m"),
        // With a delimiter the marker is the last of keys and folders.
        (
            "?delimiter=/", "",
            "<Contents><Key>v2/a</Key></Contents><CommonPrefixes><Prefix>v2/b/</Prefix></CommonPrefixes>", "b/"
        ),
        (
            "?delimiter=/", "",
            "<Contents><Key>v2/c</Key></Contents><CommonPrefixes><Prefix>v2/b/</Prefix></CommonPrefixes>", "c"
        ),
    ])
    func theFirstVersionLeadsOn(_ query: String, _ markers: String, _ entries: String, _ wanted: String) throws {
        let root = try listed("/bkt" + query, page(markers, entries))
        #expect(root.value("IsTruncated") == "true" && root.children(named: "NextMarker").map(\.text) == [wanted])
    }

    @Test func withoutADelimiterTheLastKeyIsTheMarker() throws {
        let root = try listed("/bkt", page("", "<Contents><Key>v2/a</Key></Contents>"))
        #expect(root.child("NextMarker") == nil && root.value("IsTruncated") == "true")
    }

    @Test func aStoreThatGoesOnBehindThePrefixHasNothingMore() throws {
        let root = try listed(
            "/bkt",
            page(
                "<NextMarker>v3/x</NextMarker>",
                "<Contents><Key>v2/a</Key></Contents><Contents><Key>v3/x</Key></Contents>"
            )
        )
        #expect(root.value("IsTruncated") == "false" && root.child("NextMarker") == nil)
        #expect(root.children(named: "Contents").map { $0.value("Key") } == ["a"])
    }

    @Test(arguments: [
        // Back to the beginning, for ever.
        "<IsTruncated>true</IsTruncated><NextMarker>v2/</NextMarker>",
        "<IsTruncated>true</IsTruncated><NextMarker>a</NextMarker>",
        "<IsTruncated>true</IsTruncated><Contents><Key>v2/</Key></Contents>",
        "<IsTruncated>true</IsTruncated><IsTruncated>false</IsTruncated>",
        "<IsTruncated>true</IsTruncated><NextMarker>v2/a</NextMarker><NextMarker>v2/b</NextMarker>",
        "<EncodingType>url</EncodingType><EncodingType>plain</EncodingType>",
    ])
    func whatNoClientCouldGoOnFromIsTheStoresFault(_ elements: String) throws {
        #expect(throws: S3Error.self) { try listed("/bkt", "<ListBucketResult>\(elements)</ListBucketResult>") }
    }

    @Test func whatIsLeftOutIsNotCounted() throws {
        let root = try listed(
            "/bkt?list-type=2",
            """
            <ListBucketResult><KeyCount>3</KeyCount><StartAfter>v2/</StartAfter><IsTruncated>false</IsTruncated>
            <Contents><Key>v2/</Key></Contents><Contents><Key>v2/a</Key></Contents>
            <CommonPrefixes><Prefix>v2/d/</Prefix></CommonPrefixes></ListBucketResult>
            """
        )
        #expect(root.value("KeyCount") == "2" && root.child("StartAfter") == nil)
    }

    @Test func theLargestPageIsRewritten() throws {
        let keys = (0..<1000).map { n in
            Array("v2/".utf8) + Array(String(repeating: "é", count: 508).utf8) + Array(String(10_000 + n).utf8)
        }
        let listing = ObjectListing(
            bucket: try #require(BucketName(validating: "store-bucket")),
            prefix: Array("v2/".utf8),
            delimiter: nil,
            maxKeys: 1000,
            encoding: .url,
            paging: .v2(continuationToken: nil, startAfter: nil, next: "v2/token"),
            isTruncated: true,
            objects: keys.map { .init(key: $0, size: 1, etag: "\"e\"", modified: noon) },
            commonPrefixes: []
        )
        let root = try listed("/bkt?list-type=2&encoding-type=url", text(listing.document()))
        #expect(
            root.children(named: "Contents").compactMap { $0.child("Key") }.map { ListingEncoding.url.decode($0.text) }
                == keys.map { Array($0.dropFirst(3)) }
        )
    }

    @Test func versionsAndUploadsLoseThePrefix() throws {
        let versions = try listed(
            "/bkt?versions&key-marker=k",
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
        guard case .collect(_, let then) = answer,
            case .document(_, _, let bytes) = then(
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
        // What XML can't hold is a replacement character in a plain listing, at the store too.
        let isPlain = raw.allSatisfy { $0 >= 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
        for encoding in isPlain ? [ListingEncoding.plain, .url] : [.url] {
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
            let marker = String(decoding: PercentEncoding.encode(raw, keepSlash: .encode), as: UTF8.self)
            let target = "/bkt?marker=\(marker)" + (encoding == .url ? "&encoding-type=url" : "")
            let root = try listed(target, String(decoding: listing.document(), as: UTF8.self))
            #expect(root.child("Contents")?.child("Key").map { encoding.decode($0.text) } == raw)
            #expect(root.child("CommonPrefixes")?.child("Prefix").map { encoding.decode($0.text) } == raw)
            #expect(root.child("NextMarker").map { encoding.decode($0.text) } == raw)
            #expect(root.child("Marker").map { encoding.decode($0.text) } == raw)
        }
    }

    @Test(arguments: ["&#x1;", "&#27;[31m", "\u{01}", "\u{FFFD}"])
    func aListingWithAKeyThatXMLCannotHoldIsNo502(_ text: String) throws {
        let page = """
            <ListBucketResult><Name>store-bucket</Name><IsTruncated>false</IsTruncated>\
            <Contents><Key>v2/a\(text)b</Key></Contents><Contents><Key>v2/c</Key></Contents></ListBucketResult>
            """
        let root = try listed("/bkt", page)
        let keys = root.children(named: "Contents").compactMap { $0.child("Key")?.text }
        #expect(keys.count == 2 && keys.last == "c" && keys.first?.hasPrefix("a\u{FFFD}") == true)
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
