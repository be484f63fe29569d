import HTTP1
import S3API
import Signatures
import Testing
import WireFormats

@testable import Backends

/// Every number and date in every kind of document that stores answer with, replaced by what no store should say. Whatever
/// it says: nothing traps, and what comes of it is a document that clients can read, or a 502.
@Suite("A store may say any number and any date")
struct StoreExtremesTests {
    static let numbers = [
        "", "-1", "0", "+1", "-9223372036854775808", "9223372036854775807", "9223372036854775808",
        "-9223372036854775809", "18446744073709551616", "4294967296", String(repeating: "9", count: 400), "1.5", "1e9",
        "0x10", "NaN", "٣",
    ]

    static let dates = [
        "", "0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
        "1677-09-21T00:12:43.145Z", "2262-04-11T23:47:16.854775807Z", "0001-01-01T00:00:00+23:59", "yesterday",
        "Mon, 01 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "-9223372036854775808",
    ]

    /// The document once for each of its numbers and dates and each value in its place.
    private static func variants(of node: XMLNode) -> [XMLNode] {
        guard node.children.isEmpty else {
            return node.children.indices.flatMap { place in
                variants(of: node.children[place]).map { changed in
                    var children = node.children
                    children[place] = changed
                    return XMLNode(name: node.name, attributes: node.attributes, children: children)
                }
            }
        }
        if !node.text.isEmpty, node.text.utf8.allSatisfy({ $0 &- 0x30 < 10 }) { return numbers.map(node.withText) }
        let isDate = Timestamp.parseISO8601(node.text.utf8) != nil || Timestamp.parseHTTP(node.text.utf8) != nil
        return isDate ? dates.map(node.withText) : []
    }

    static func variants(of document: String) throws -> [[UInt8]] {
        let found = variants(of: try XMLReader.parse(Array(document.utf8))).map { $0.document() }
        #expect(found.count >= numbers.count)
        return found
    }

    /// What a client gets: a document, or nothing where it gets a 502.
    private func told(_ answer: S3CompleteAnswer) throws -> XMLNode? {
        switch answer {
        case .document(_, _, let bytes): return try XMLReader.parse(bytes)
        case .failure(let failure, _):
            #expect(failure.status == 502)
            return nil
        case .ask: return nil
        }
    }

    private func complete(_ answer: S3Answer, _ body: [UInt8]) throws -> S3CompleteAnswer {
        guard case .collect(_, let then) = answer else { throw S3Error(.internalError, "nothing is collected") }
        return then(body)
    }

    private func checkCount(_ root: XMLNode) {
        guard let count = root.value("KeyCount") else { return }
        #expect(count == String(root.children(named: "Contents").count + root.children(named: "CommonPrefixes").count))
    }

    // MARK: - S3 and what speaks like it

    private static func listing(_ place: String, _ root: String, _ entry: String, _ rest: String) -> String {
        let names = [".q/1/a", "b", "c/d"].map {
            "<\(entry)><Key>\(place)\($0)</Key><Size>3</Size><PartNumber>1</PartNumber>"
                + "<LastModified>2023-11-14T22:13:20.000Z</LastModified><Initiated>2023-11-14T22:13:20.000Z</Initiated>"
                + "</\(entry)>"
        }
        return "<\(root)><Name>store-bucket</Name><Prefix>\(place)</Prefix><MaxKeys>3</MaxKeys>"
            + "<IsTruncated>false</IsTruncated>\(rest)\(names.joined())"
            + "<CommonPrefixes><Prefix>\(place).q/2/</Prefix></CommonPrefixes></\(root)>"
    }

    static let listings: [(target: String, root: String, entry: String, rest: String)] = [
        ("/bkt", "ListBucketResult", "Contents", ""),
        ("/bkt?list-type=2", "ListBucketResult", "Contents", "<KeyCount>4</KeyCount>"),
        ("/bkt?versions", "ListVersionsResult", "Version", ""),
        ("/bkt?uploads", "ListMultipartUploadsResult", "Upload", "<MaxUploads>1000</MaxUploads>"),
        ("/bkt/k?uploadId=u", "ListPartsResult", "Part", "<PartNumberMarker>0</PartNumberMarker>"),
    ]

    @Test(arguments: ["", "v2"], listings)
    func listingsOfS3(_ prefix: String, _ kind: (target: String, root: String, entry: String, rest: String)) throws {
        let place = prefix.isEmpty ? "" : prefix + "/"
        let store = backend(prefix: prefix, hidden: ".q/")
        let incoming = try Incoming("GET", kind.target)
        for body in try Self.variants(of: Self.listing(place, kind.root, kind.entry, kind.rest)) {
            let answer = store.answer(to: incoming.request, head: response(200), view: AnswerTests.view)
            guard case .collect = answer else { continue }
            guard let root = try told(try complete(answer, body)) else { continue }
            if kind.root == "ListBucketResult" { checkCount(root) }
        }
    }

    @Test func aCountOfKeysThatNoStoreHasIsTheNumberOfThoseShown() throws {
        let body = Self.listing(
            "",
            "ListBucketResult",
            "Contents",
            "<KeyCount>-9223372036854775808</KeyCount>"
        )
        let incoming = try Incoming("GET", "/store-bucket?list-type=2")
        let answer = backend(hidden: ".q/").answer(
            to: incoming.request,
            head: response(200),
            view: AnswerTests.view
        )
        #expect(try told(try complete(answer, Array(body.utf8)))?.value("KeyCount") == "2")
    }

    @Test func listingsOfGoogle() throws {
        for (target, root, entry, rest) in Self.listings where entry != "Version" {
            let incoming = try Incoming("GET", target)
            for body in try Self.variants(of: Self.listing("", root, entry, rest)) {
                let exchange = try incoming.exchange(with: googleBackend(), body: .none)
                _ = try told(try complete(exchange.answer(response(200)), body))
            }
        }
    }

    @Test func listsOfBuckets() throws {
        let body = """
            <ListAllMyBucketsResult><Owner><ID>1</ID></Owner><Buckets><Bucket><Name>a</Name>
            <CreationDate>2023-11-14T22:13:20.000Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>
            """
        for variant in try Self.variants(of: body) {
            let shown = try XMLReader.parse(try #require(BucketList(parsing: variant)).document())
            let created = try #require(shown.child("Buckets")?.child("Bucket")?.value("CreationDate"))
            #expect(Timestamp.parseISO8601(created.utf8) != nil)
        }
    }

    // MARK: - Azure

    private let azure = AzureBackend(
        account: "acct",
        container: "pics",
        endpoint: Endpoint(address: .tcp(host: "blobs", port: 10000), transport: .plain, authority: "blobs:10000"),
        credential: .anonymous,
        hidden: Array(".q/".utf8)
    )

    private func exchange(_ target: String) throws -> Exchange {
        let incoming = try Incoming("GET", target)
        return try azure.exchange(
            for: incoming.request,
            head: incoming.head,
            body: .none,
            copyingFrom: nil,
            view: AnswerTests.view,
            at: noon
        )
    }

    private func page(_ name: String) -> String {
        """
        <EnumerationResults><Blobs><Blob><Name>\(name)</Name><Properties>
        <Last-Modified>Tue, 14 Nov 2023 22:13:20 GMT</Last-Modified><Etag>0x8D1</Etag>
        <Content-Length>3</Content-Length></Properties><Metadata><gatehouse_xparts>2</gatehouse_xparts>
        <gatehouse_xkey>aw</gatehouse_xkey></Metadata></Blob></Blobs><NextMarker/></EnumerationResults>
        """
    }

    @Test(arguments: ["/bkt", "/bkt?list-type=2", "/bkt?list-type=2&max-keys=0", "/bkt?uploads"])
    func listingsOfAzure(_ target: String) throws {
        let upload = AzureUpload(of: ObjectKey("k"), at: noon)
        let state = String(decoding: upload.state(of: ObjectKey("k")), as: UTF8.self)
        for body in try Self.variants(of: page(target.hasSuffix("uploads") ? state : "k")) {
            guard let root = try told(try complete(try exchange(target).answer(response(200)), body)) else { continue }
            checkCount(root)
            for entry in root.children(named: "Contents") {
                #expect(entry.value("Size").flatMap { Int64($0) }.map { $0 >= 0 } == true)
                #expect(Timestamp.parseISO8601((entry.value("LastModified") ?? "").utf8) != nil)
                #expect(entry.value("ETag")?.contains("--") == false)
            }
        }
    }

    private func blocks(_ list: String, _ upload: AzureUpload) -> String {
        let blocks = (1...4).map {
            "<Block><Name>\(AzureUpload.Part($0, of: upload, at: noon).block(of: upload))</Name><Size>3</Size></Block>"
        }
        return "<BlockList><\(list)>\(blocks.joined())</\(list)></BlockList>"
    }

    @Test func aPartWhoseBlocksHaveNoLengthThatCouldBeIsABadAnswer() throws {
        let upload = AzureUpload(of: ObjectKey("k"), at: noon)
        for body in try Self.variants(of: blocks("CommittedBlocks", upload)) {
            let answer = try complete(try exchange("/bkt/k?partNumber=3").answer(response(200)), body)
            guard case .ask(let next) = answer else {
                #expect(try told(answer) == nil)
                continue
            }
            let range = try #require(next.request.fields.string("x-ms-range"))
            let ends = range.dropFirst("bytes=".count).split(separator: "-").map { Int64($0) }
            #expect(ends.count == 2)
            let (first, last) = (try #require(ends[0]), try #require(ends[1]))
            #expect(0 <= first && first <= last)
        }
        let huge = Int64.max
        let sizes = [huge, huge, huge].map { "<Block><Name>YQ==</Name><Size>\($0)</Size></Block>" }
        let body = "<BlockList><CommittedBlocks>\(sizes.joined())</CommittedBlocks></BlockList>"
        let answer = try complete(try exchange("/bkt/k?partNumber=3").answer(response(200)), Array(body.utf8))
        guard case .failure(let failure, _) = answer else {
            Issue.record("no failure")
            return
        }
        #expect(failure.status == 502)
    }

    @Test func partsOfAzure() throws {
        let upload = AzureUpload(of: ObjectKey("k"), at: noon)
        let extremes = [Int64.min, .max].map {
            AzureUpload.Part(1, of: upload, at: Instant(nanosecondsSince1970: $0)).block(of: upload)
        }
        let early = extremes.map { "<Block><Name>\($0)</Name><Size>3</Size></Block>" }.joined()
        let list = blocks("UncommittedBlocks", upload)
        let both = list.replacing("<UncommittedBlocks>", with: "<UncommittedBlocks>" + early)
        for body in try Self.variants(of: both) + [Array(both.utf8)] {
            let asked = try complete(try exchange("/bkt/k?uploadId=\(upload.name)").answer(response(200)), [])
            guard case .ask(let next) = asked else { throw S3Error(.internalError) }
            guard let root = try told(try complete(next.answer(response(200)), body)) else { continue }
            for part in root.children(named: "Part") {
                #expect(Timestamp.parseISO8601((part.value("LastModified") ?? "").utf8) != nil)
                #expect(part.value("Size").flatMap { Int64($0) }.map { $0 >= 0 } == true)
            }
        }
    }

    @Test(arguments: numbers)
    func theEndOfABlobOfAnyLength(_ length: String) throws {
        let incoming = try Incoming("GET", "/bkt/k", [("range", "bytes=-5")])
        let exchange = try azure.exchange(
            for: incoming.request,
            head: incoming.head,
            body: .none,
            copyingFrom: nil,
            view: AnswerTests.view,
            at: noon
        )
        switch exchange.answer(response(200, [("content-length", length), ("etag", "\"0x1\"")])) {
        case .failure(let failure, _): #expect(failure.status == 502)
        case .collect(_, let then):
            switch then([]) {
            case .ask(let next):
                let range = try #require(next.request.fields.string("x-ms-range"))
                #expect(range.dropFirst("bytes=".count).dropLast().utf8.allSatisfy { $0 &- 0x30 < 10 })
            case .failure(let failure, _): #expect([416, 502].contains(failure.status))
            case .document: Issue.record("a document")
            }
        case .stream: Issue.record("a stream")
        }
    }
}
