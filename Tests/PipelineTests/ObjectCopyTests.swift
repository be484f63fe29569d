import HTTP1
import Pipeline
import S3API
import Testing
import WireFormats

@Suite("CopyObject between stores")
struct ObjectCopyTests {
    @Test("The source is described, read as described, and written")
    func steps() throws {
        let look = try farCopy().transfer().question()
        #expect(look.request.summary == "HEAD south/far/dir/a%20b")
        #expect(look.request.fields.string("x-amz-checksum-mode") == "ENABLED")
        #expect(look.request.fields.string("x-amz-copy-source") == nil)
        #expect(look.request.fields.string("authorization")?.hasPrefix("AWS4-HMAC-SHA256") == true)

        let carriage = try look.next(described(7)).carriage()
        #expect(carriage.request.summary == "GET south/far/dir/a%20b")
        #expect(carriage.request.fields.string("if-match") == "\"e\"")

        let delivery = try carriage.delivery(length: 7)
        #expect(delivery.request.summary == "PUT north/photos/b.txt")
        #expect(delivery.request.fields.string("content-length") == "7")
        #expect(delivery.request.fields.string("x-amz-copy-source") == nil)
        #expect(delivery.length == 7)

        let reply = try delivery.next(StoreReply(200, [("etag", "\"new\""), ("x-amz-version-id", "v9")]), []).reply()
        #expect(reply.status == 200)
        #expect(reply.text.contains("<ETag>&quot;new&quot;</ETag>"))
        #expect(reply.text.contains("<LastModified>2025-06-15T15:06:40.000Z</LastModified>"))
        #expect(reply.fields.string("x-amz-version-id") == "v9")
    }

    @Test("A version of the source is read, and named in the answer")
    func version() throws {
        let call = Call("PUT", "/photos/b", [("x-amz-copy-source", "far/a?versionId=v1")], length: 0)
        let look = try call.transfer().question()
        #expect(look.request.summary == "HEAD south/far/a?versionId=v1")
        let carriage = try look.next(described(1, [("x-amz-version-id", "v1")])).carriage()
        #expect(carriage.request.summary == "GET south/far/a?versionId=v1")
        let reply = try carriage.delivery(length: 1).next(StoreReply(200, [("etag", "\"n\"")]), []).reply()
        #expect(reply.fields.string("x-amz-copy-source-version-id") == "v1")
    }

    @Test("Each key is put behind the prefix of its own bucket")
    func prefixes() throws {
        let out = Call("PUT", "/far/x", [("x-amz-copy-source", "/prefixed/y")], length: 0)
        #expect(try out.transfer().question().request.summary == "HEAD north/shared/v2/y")
        let back = Call("PUT", "/prefixed/x", [("x-amz-copy-source", "/far/y")], length: 0)
        let delivery = try back.transfer().question().next(described(1)).carriage().delivery(length: 1)
        #expect(delivery.request.summary == "PUT north/shared/v2/x")
    }

    @Test(
        "The copy's conditions on its source are that store's own",
        arguments: [
            ("x-amz-copy-source-if-match", "if-match", "\"a\""),
            ("x-amz-copy-source-if-none-match", "if-none-match", "\"b\""),
            ("x-amz-copy-source-if-modified-since", "if-modified-since", "Sun, 15 Jun 2025 15:06:40 GMT"),
            ("x-amz-copy-source-if-unmodified-since", "if-unmodified-since", "Sun, 15 Jun 2025 15:06:40 GMT"),
        ]
    )
    func conditions(field: String, theirs: String, value: String) throws {
        let look = try farCopy([(field, value)]).transfer().question()
        let sent = look.request.fields
        #expect(sent.entries.filter { text(sent.name($0)) == theirs }.map { text(sent.value($0)) } == [value])
        #expect(sent.entries.allSatisfy { !text(sent.name($0)).hasPrefix("x-amz-copy-source") })
    }

    @Test("Customer keys of the source open the source, those of the copy close it")
    func customerKeys() throws {
        let look = try farCopy([
            ("x-amz-copy-source-server-side-encryption-customer-key", "source-key"),
            ("x-amz-server-side-encryption-customer-key", "copy-key"),
        ]).transfer().question()
        #expect(look.request.fields.string("x-amz-server-side-encryption-customer-key") == "source-key")
        let carriage = try look.next(described(1)).carriage()
        #expect(carriage.request.fields.string("x-amz-server-side-encryption-customer-key") == "source-key")
        let delivery = try carriage.delivery(length: 1)
        #expect(delivery.request.fields.string("x-amz-server-side-encryption-customer-key") == "copy-key")
    }

    private static let description = [
        ("content-type", "text/a"), ("cache-control", "max-age=1"), ("content-disposition", "inline"),
        ("content-encoding", "gzip"), ("content-language", "de"), ("expires", "Sun, 15 Jun 2025 15:06:40 GMT"),
        ("x-amz-meta-who", "me"), ("x-amz-website-redirect-location", "/elsewhere"), ("x-amz-storage-class", "COLD"),
        ("server", "store"), ("set-cookie", "a=b"),
    ]

    @Test("The source's description goes along, how it is kept does not")
    func metadataIsCopied() throws {
        let call = farCopy([
            ("x-amz-meta-ignored", "1"), ("content-type", "text/ignored"), ("x-amz-storage-class", "STANDARD_IA"),
            ("x-amz-server-side-encryption", "AES256"), ("if-none-match", "*"),
        ])
        let sent = try call.transfer().question().next(described(1, Self.description)).carriage().delivery(length: 1)
            .request.fields
        for (name, value) in Self.description.prefix(7) {
            #expect(sent.entries.filter { text(sent.name($0)) == name }.map { text(sent.value($0)) } == [value])
        }
        for (name, value) in [
            ("x-amz-storage-class", "STANDARD_IA"), ("x-amz-server-side-encryption", "AES256"), ("if-none-match", "*"),
        ] {
            #expect(sent.entries.filter { text(sent.name($0)) == name }.map { text(sent.value($0)) } == [value])
        }
        for name in ["x-amz-meta-ignored", "x-amz-website-redirect-location", "server", "set-cookie"] {
            #expect(sent.entries.allSatisfy { text(sent.name($0)) != name }, "\(name)")
        }
    }

    @Test("Replaced, it is the request's alone")
    func metadataIsReplaced() throws {
        let call = farCopy([
            ("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-new", "1"), ("content-type", "text/new"),
        ])
        let sent = try call.transfer().question().next(described(1, Self.description)).carriage().delivery(length: 1)
            .request.fields
        #expect(sent.string("content-type") == "text/new")
        #expect(sent.string("x-amz-meta-new") == "1")
        #expect(sent.string("x-amz-meta-who") == nil)
        #expect(sent.string("cache-control") == nil)
        #expect(sent.string("x-amz-metadata-directive") == nil)
    }

    @Test("Directives are one of two words", arguments: ["x-amz-metadata-directive", "x-amz-tagging-directive"])
    func directives(field: String) throws {
        var gate = Gate()
        try expect(400, .invalidArgument, gate.decide(farCopy([(field, "copy")]).by(.root)))
    }

    @Test("Tags are asked for only where there are any, and go along")
    func tagsAreCopied() throws {
        let question = try farCopy().transfer().question().next(described(1, [("x-amz-tagging-count", "2")])).question()
        #expect(question.request.summary == "GET south/far/dir/a%20b?tagging=")
        let tags = """
            <Tagging><TagSet><Tag><Key>team</Key><Value>a&amp;b</Value></Tag>
            <Tag><Key>x y</Key><Value></Value></Tag></TagSet></Tagging>
            """
        let delivery = try question.next(StoreReply(200, [], tags)).carriage().delivery(length: 1)
        #expect(delivery.request.fields.string("x-amz-tagging") == "team=a%26b&x%20y=")
    }

    @Test("Tags that are replaced are not asked for")
    func tagsAreReplaced() throws {
        let call = farCopy([("x-amz-tagging-directive", "REPLACE"), ("x-amz-tagging", "a=1")])
        let delivery = try call.transfer().question().next(described(1, [("x-amz-tagging-count", "2")])).carriage()
            .delivery(length: 1)
        #expect(delivery.request.fields.string("x-amz-tagging") == "a=1")
    }

    @Test("A store without tags is neither asked for them nor sent any")
    func storesWithoutTags() throws {
        let call = Call("PUT", "/local/x", [("x-amz-copy-source", "/far/y")], length: 0)
        var gate = Gate()
        // The embedded store of these tests shares the north's endpoint; what counts is its kind.
        let step = try gate.decide(call.by(.root)).transfer().question().next(
            described(1, [("x-amz-tagging-count", "1")])
        )
        if BackendKind.file.carries(.putObjectTagging) {
            _ = try step.question()
        } else {
            #expect(try step.carriage().delivery(length: 1).request.fields.string("x-amz-tagging") == nil)
        }
    }

    @Test(
        "What the source refuses is refused in a copy's words",
        arguments: [
            (304, 412, S3Error.Code.preconditionFailed), (412, 412, .preconditionFailed), (404, 404, .noSuchKey),
            (403, 403, .accessDenied), (405, 400, .invalidRequest), (500, 500, .internalError),
            (503, 503, .slowDown), (301, 502, .backendRedirected),
        ]
    )
    func sourceRefuses(status: Int, answered: Int, code: S3Error.Code) throws {
        let reply = try farCopy().transfer().question().next(StoreReply(status)).reply()
        #expect(reply.status == answered)
        #expect(reply.code == code.name)
    }

    @Test("A version that is not there is no such version")
    func noSuchVersion() throws {
        let call = Call("PUT", "/photos/b", [("x-amz-copy-source", "far/a?versionId=v1")], length: 0)
        #expect(try call.transfer().question().next(StoreReply(404)).reply().code == "NoSuchVersion")
    }

    @Test("A source that changes between two looks is not mixed", arguments: [412, 200])
    func sourceChanges(status: Int) throws {
        let carriage = try farCopy().transfer().question().next(described(7)).carriage()
        let reply = try carriage.left(status, length: 8).reply()
        #expect(reply.status == 409)
        #expect(reply.code == "OperationAborted")
    }

    @Test("More than S3 copies in one go, or than an object may be, is refused before it is read")
    func tooLarge() throws {
        let look = try farCopy().transfer().question()
        #expect(try look.next(described((5 << 30) + 1)).reply().code == "InvalidRequest")
        var gate = Gate()
        gate.server = Gate.settings(maxObjectSize: 100)
        let bounded = try gate.decide(farCopy().by(.root)).transfer().question()
        #expect(try bounded.next(described(101)).reply().code == "EntityTooLarge")
        _ = try bounded.next(described(100)).carriage()
    }

    @Test("The destination's refusal is the copy's")
    func destinationRefuses() throws {
        let delivery = try farCopy([("if-none-match", "*")]).transfer().question().next(described(1)).carriage()
            .delivery(length: 1)
        #expect(delivery.replay == .never)
        let document = "<Error><Code>PreconditionFailed</Code><Message>no</Message></Error>"
        let reply = try delivery.next(StoreReply(412, [("etag", "\"old\"")], document), []).reply()
        #expect(reply.status == 412)
        #expect(reply.code == "PreconditionFailed")
        #expect(reply.fields.string("etag") == nil)
    }

    @Test("A success without an ETag is none")
    func noETag() throws {
        let delivery = try farCopy().transfer().question().next(described(1)).carriage().delivery(length: 1)
        #expect(try delivery.next(StoreReply(200), []).reply().status == 502)
    }

    @Test("A failure on the way becomes the copy's error")
    func failure() throws {
        let look = try farCopy().transfer().question()
        let failure = TransferFailure(S3Error(.backendTimeout), now: noon)
        #expect(try look.failed(failure).reply().status == 504)
        #expect(try look.next(described(1)).carriage().failed(failure).reply().status == 504)
    }
}

@Suite("Checksums of copies between stores")
struct CopyChecksumTests {
    private static func delivery(_ fields: [(String, String)], asking: [(String, String)] = []) throws -> Delivery {
        try farCopy(asking).transfer().question().next(described(5, fields)).carriage().delivery(length: 5)
    }

    private static let crc = Base64.encode(Checksum.of(Array("hello".utf8), .crc32))

    private static func summed(_ delivery: Delivery, _ content: String) -> [Checksum] {
        delivery.checksums.map { checksum in
            var checksum = checksum
            checksum.update(Array(content.utf8))
            return checksum
        }
    }

    @Test("The one that the source names is held against the bytes, told to the store and answered")
    func known() throws {
        let delivery = try Self.delivery([
            ("x-amz-checksum-crc32", Self.crc), ("x-amz-checksum-type", "FULL_OBJECT"),
        ])
        #expect(delivery.request.fields.string("x-amz-checksum-crc32") == Self.crc)
        let agrees = try #require(delivery.agrees)
        #expect(agrees(Self.summed(delivery, "hello")))
        #expect(!agrees(Self.summed(delivery, "hellO")))
        let reply = try delivery.next(StoreReply(200, [("etag", "\"n\"")]), Self.summed(delivery, "hello")).reply()
        #expect(reply.text.contains("<ChecksumCRC32>\(Self.crc)</ChecksumCRC32>"))
    }

    @Test(
        "One that is of parts, or of something else, is not",
        arguments: [
            [("x-amz-checksum-crc32", crc), ("x-amz-checksum-type", "COMPOSITE")],
            [("x-amz-checksum-crc32", crc + "-2")], [("x-amz-checksum-crc32", "????")],
            [("x-amz-checksum-sha256", crc)], [],
        ]
    )
    func unusable(fields: [(String, String)]) throws {
        let delivery = try Self.delivery(fields)
        #expect(delivery.agrees == nil)
        #expect(delivery.checksums.isEmpty)
    }

    @Test("The one that is asked for is computed and answered, beside the source's")
    func wanted() throws {
        let delivery = try Self.delivery(
            [("x-amz-checksum-crc32", Self.crc)],
            asking: [("x-amz-checksum-algorithm", "SHA256")]
        )
        #expect(delivery.checksums.map(\.algorithm) == [.crc32, .sha256])
        #expect(delivery.request.fields.string("x-amz-checksum-crc32") == nil)
        // Whatever the store keeps of its own accord.
        let told = StoreReply(200, [("etag", "\"n\""), ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=")])
        let reply = try delivery.next(told, Self.summed(delivery, "hello")).reply()
        let digest = Base64.encode(Checksum.of(Array("hello".utf8), .sha256))
        #expect(reply.text.contains("<ChecksumSHA256>\(digest)</ChecksumSHA256>"))
    }

    @Test("An algorithm that nobody knows is refused")
    func unknown() throws {
        var gate = Gate()
        try expect(400, .invalidRequest, gate.decide(farCopy([("x-amz-checksum-algorithm", "MD4")]).by(.root)))
    }
}
