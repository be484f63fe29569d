import HTTP1
import S3API
import Testing
import WireFormats

@testable import EmbeddedStore

@Suite struct ServedPropertiesTests {
    // MARK: Tags

    @Test func tagsComeWithTheObjectAndChangeWithoutIt() async throws {
        try await ServedStore.serving { store in
            _ = try await store.send(.put, "/demo/k", "x", fields: [("x-amz-tagging", "a=1&b=%2B%20")])
            #expect(try await store.send(.head, "/demo/k").fields.string("x-amz-tagging-count") == "2")
            #expect(try await store.send(.get, "/demo/k").fields.string("x-amz-tagging") == nil)
            let got = try await store.send(.get, "/demo/k", query: "tagging=")
            #expect(
                got.text.contains("<Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value>+ </Value></Tag>")
            )
            for (directive, count) in [("COPY", "2"), ("REPLACE", "1")] {
                _ = try await store.send(
                    .put,
                    "/demo/copy",
                    fields: [
                        ("x-amz-copy-source", "/demo/k"), ("x-amz-tagging-directive", directive),
                        ("x-amz-tagging", "c=d"),
                    ]
                )
                #expect(try await store.send(.head, "/demo/copy").fields.string("x-amz-tagging-count") == count)
            }
            let document = "<Tagging><TagSet><Tag><Key>é</Key><Value></Value></Tag></TagSet></Tagging>"
            #expect(try await store.send(.put, "/demo/k", query: "tagging=", document).status == 200)
            #expect(try await store.send(.head, "/demo/k").fields.string("x-amz-tagging-count") == "1")
            #expect(try await store.send(.delete, "/demo/k", query: "tagging=").status == 204)
            #expect(try await store.send(.head, "/demo/k").fields.string("x-amz-tagging-count") == nil)
            #expect(try await store.send(.get, "/demo/absent", query: "tagging=").status == 404)
        }
    }

    @Test(
        arguments: [
            ([("a", "1"), ("a", "2")], "InvalidTag"), ([("", "1")], "InvalidTag"), ([("aws:x", "1")], "InvalidTag"),
            ([(String(repeating: "k", count: 129), "1")], "InvalidTag"), ([("k", "<")], "InvalidTag"),
            ([("k", String(repeating: "v", count: 257))], "InvalidTag"),
            ((0..<11).map { ("\($0)", "x") }, "InvalidTag"), ((0..<10).map { ("\($0)", "x") }, nil),
            ([(String(repeating: "k", count: 128), String(repeating: "v", count: 256))], nil),
        ] as [([(String, String)], String?)]
    )
    func tagsThatAreNoneAreRefused(_ tags: [(String, String)], _ code: String?) async throws {
        try await ServedStore.serving { store in
            _ = try await store.send(.put, "/demo/k", "x")
            let elements = tags.map { "<Tag><Key>\($0)</Key><Value>\($1 == "<" ? "&lt;" : $1)</Value></Tag>" }
            let document = "<Tagging><TagSet>\(elements.joined())</TagSet></Tagging>"
            let put = try await store.send(.put, "/demo/k", query: "tagging=", document)
            #expect(put.status == (code == nil ? 200 : 400))
            if let code { #expect(put.text.contains("<Code>\(code)</Code>")) }
        }
    }

    @Test func aBucketHasTagsOfItsOwn() async throws {
        try await ServedStore.serving { store in
            let absent = try await store.send(.get, "/demo", query: "tagging=")
            #expect(absent.text.contains("NoSuchTagSet"))
            let document = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
            #expect(try await store.send(.put, "/demo", query: "tagging=", document).status == 204)
            #expect(try await store.send(.get, "/demo", query: "tagging=").text.contains("<Key>a</Key>"))
            #expect(try await store.send(.delete, "/demo", query: "tagging=").status == 204)
            #expect(try await store.send(.get, "/demo", query: "tagging=").status == 404)
        }
    }

    // MARK: Other origins

    private static let rules = """
        <CORSConfiguration><CORSRule><AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>\
        <AllowedMethod>GET</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>\
        <MaxAgeSeconds>60</MaxAgeSeconds></CORSRule></CORSConfiguration>
        """

    private func preflight(_ store: ServedStore, _ fields: [(String, String)]) async throws -> ServedStore.Answer {
        var text = "OPTIONS /demo/k HTTP/1.1\r\nhost: store\r\nconnection: close\r\n"
        for (name, value) in fields { text += "\(name): \(value)\r\n" }
        return try await store.send(Array((text + "\r\n").utf8), method: .options)
    }

    @Test func aBucketsRulesAnswerBrowsers() async throws {
        try await ServedStore.serving { store in
            let asking = [
                ("origin", "https://a.example.com"), ("access-control-request-method", "PUT"),
                ("access-control-request-headers", "X-Amz-Date, x-amz-meta-a"),
            ]
            #expect(try await preflight(store, asking).status == 403)
            #expect(try await store.send(.get, "/demo", query: "cors=").text.contains("NoSuchCORSConfiguration"))
            #expect(try await store.send(.put, "/demo", query: "cors=", Self.rules).status == 200)
            #expect(
                try await store.send(.get, "/demo", query: "cors=").text.contains("<MaxAgeSeconds>60</MaxAgeSeconds>")
            )
            let answer = try await preflight(store, asking)
            #expect(answer.status == 200)
            #expect(answer.fields.string("access-control-allow-origin") == "https://a.example.com")
            #expect(answer.fields.string("access-control-allow-methods") == "PUT, GET")
            #expect(answer.fields.string("access-control-allow-headers") == "X-Amz-Date, x-amz-meta-a")
            #expect(answer.fields.string("access-control-max-age") == "60")
            for (place, value) in [(0, "https://example.com"), (1, "DELETE"), (2, "content-type")] {
                var other = asking
                other[place].1 = value
                #expect(try await preflight(store, other).status == 403, "\(value)")
            }
            #expect(try await preflight(store, [asking[1]]).status == 400)
            _ = try await store.send(.put, "/demo/k", "x")
            let got = try await store.send(.get, "/demo/k", fields: [("origin", "https://b.example.com")])
            #expect(got.fields.string("access-control-allow-origin") == "https://b.example.com")
            #expect(got.fields.string("access-control-expose-headers") == "ETag")
            let foreign = try await store.send(.get, "/demo/k", fields: [("origin", "https://b.example.org")])
            #expect(foreign.status == 200 && foreign.fields.string("access-control-allow-origin") == nil)
            #expect(try await store.send(.delete, "/demo", query: "cors=").status == 204)
            #expect(try await preflight(store, asking).status == 403)
        }
    }

    @Test(arguments: [
        ("<CORSConfiguration/>", "MalformedXML"),
        ("<CORSConfiguration><CORSRule/></CORSConfiguration>", "MalformedXML"),
        (rule("<AllowedOrigin>*</AllowedOrigin><AllowedMethod>PATCH</AllowedMethod>"), "InvalidRequest"),
        (rule("<AllowedOrigin>*.*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"), "InvalidRequest"),
        (
            rule("<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><ExposeHeader>*</ExposeHeader>"),
            "InvalidRequest"
        ),
        (
            rule("<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><ExposeHeader>a b</ExposeHeader>"),
            "MalformedXML"
        ),
        (rule("<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><Other/>"), "MalformedXML"),
    ])
    func rulesThatSayNothingAreRefused(_ document: String, _ code: String) async throws {
        try await ServedStore.serving { store in
            let put = try await store.send(.put, "/demo", query: "cors=", document)
            #expect(put.status == 400 && put.text.contains("<Code>\(code)</Code>"))
            #expect(try await store.send(.get, "/demo", query: "cors=").status == 404)
        }
    }

    private static func rule(_ text: String) -> String {
        "<CORSConfiguration><CORSRule>\(text)</CORSRule></CORSConfiguration>"
    }

    // MARK: Checksums and attributes

    @Test func everyObjectHasAChecksum() async throws {
        try await ServedStore.serving { store in
            let named = [
                ([], "x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
                ([("x-amz-sdk-checksum-algorithm", "CRC32C")], "x-amz-checksum-crc32c", "4waSgw=="),
                ([("x-amz-checksum-crc32", "y/Q5Jg==")], "x-amz-checksum-crc32", "y/Q5Jg=="),
            ]
            for (fields, header, value) in named {
                let put = try await store.send(.put, "/demo/k", "123456789", fields: fields)
                let find = { (answer: ServedStore.Answer) in
                    answer.fields.entries.first { answer.fields.name($0).elementsEqual(header.utf8) }
                        .map { String(decoding: answer.fields.value($0), as: UTF8.self) }
                }
                #expect(find(put) == value)
                #expect(put.fields.string("x-amz-checksum-type") == "FULL_OBJECT")
                let mode = ("x-amz-checksum-mode", "ENABLED")
                #expect(find(try await store.send(.get, "/demo/k", fields: [mode])) == value)
                #expect(find(try await store.send(.get, "/demo/k", fields: [mode, ("range", "bytes=0-1")])) == nil)
                #expect(find(try await store.send(.get, "/demo/k")) == nil)
            }
            let unknown = try await store.send(.put, "/demo/k", "x", fields: [("x-amz-sdk-checksum-algorithm", "MD4")])
            #expect(unknown.status == 400)
        }
    }

    @Test func theAttributesOfAnObjectOfParts() async throws {
        try await ServedStore.serving { store in
            let begun = try await store.send(
                .post,
                "/demo/k",
                query: "uploads=",
                fields: [("x-amz-checksum-algorithm", "SHA256"), ("x-amz-storage-class", "STANDARD_IA")]
            )
            let id = try #require(try XMLReader.parse(begun.body).value("UploadId"))
            var parts = ""
            for (number, text) in [(1, "first"), (2, "second")] {
                let part = try await store.send(.put, "/demo/k", query: "partNumber=\(number)&uploadId=\(id)", text)
                #expect(part.fields.string("x-amz-checksum-sha256") != nil)
                parts +=
                    "<Part><PartNumber>\(number)</PartNumber><ETag>\(part.fields.string("etag") ?? "")</ETag></Part>"
            }
            let document = "<CompleteMultipartUpload>\(parts)</CompleteMultipartUpload>"
            let mismatch = try await store.send(
                .post,
                "/demo/k",
                query: "uploadId=\(id)",
                document,
                fields: [("x-amz-mp-object-size", "12")]
            )
            #expect(mismatch.status == 400)
            let done = try await store.send(.post, "/demo/k", query: "uploadId=\(id)", document)
            #expect(done.status == 200, "\(done.text)")
            let asked = ("x-amz-object-attributes", "ETag,Checksum,ObjectParts, StorageClass,ObjectSize")
            let answer = try await store.send(
                .get,
                "/demo/k",
                query: "attributes=",
                fields: [asked, ("x-amz-max-parts", "1")]
            )
            let root = try XMLReader.parse(answer.body)
            #expect(root.value("ObjectSize") == "11" && root.value("StorageClass") == "STANDARD_IA")
            #expect(root.child("Checksum")?.value("ChecksumType") == "COMPOSITE")
            #expect(root.child("Checksum")?.value("ChecksumSHA256")?.hasSuffix("-2") == true)
            let page = try #require(root.child("ObjectParts"))
            #expect(page.value("PartsCount") == "2" && page.value("IsTruncated") == "true")
            #expect(page.child("Part")?.value("Size") == "5")
            #expect(page.child("Part")?.value("ChecksumSHA256") != nil)
            #expect(try await store.send(.head, "/demo/k").fields.string("x-amz-storage-class") == "STANDARD_IA")
            #expect(try await store.send(.get, "/demo").text.contains("<StorageClass>STANDARD_IA</StorageClass>"))
            for names in ["", "ETag,Nothing"] {
                let fields = names.isEmpty ? [] : [("x-amz-object-attributes", names)]
                #expect(try await store.send(.get, "/demo/k", query: "attributes=", fields: fields).status == 400)
            }
        }
    }

    // MARK: Access control

    @Test func accessControlIsTheOwnersAlone() async throws {
        try await ServedStore.serving { store in
            _ = try await store.send(.put, "/demo/k", "x")
            for path in ["/demo", "/demo/k"] {
                let own = try await store.send(.get, path, query: "acl=")
                #expect(own.text.contains("<Permission>FULL_CONTROL</Permission>"))
                #expect(try await store.send(.put, path, query: "acl=", own.text).status == 200)
                let canned = [("private", 200), ("public-read", 400)]
                for (name, status) in canned {
                    let put = try await store.send(.put, path, query: "acl=", fields: [("x-amz-acl", name)])
                    #expect(put.status == status)
                }
                let others = own.text.replacing("FULL_CONTROL", with: "READ")
                let refused = try await store.send(.put, path, query: "acl=", others)
                #expect(refused.text.contains("AccessControlListNotSupported"))
            }
        }
    }
}
