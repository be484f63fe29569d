import Crypto
import HTTP1
import S3API
import Signatures
import Testing
import WireFormats

@testable import EmbeddedStore

private func digest(_ text: String) -> PayloadHash { .sha256(Array(SHA256.hash(data: Array(text.utf8)))) }

@Suite struct EmbeddedStoreTests {
    @Test func anObjectGoesThereAndBack() async throws {
        try await ServedStore.serving { store in
            let put = try await store.send(
                .put,
                "/demo/dir/a%20b%2Bc",
                "hello",
                fields: [("content-type", "text/plain"), ("x-amz-meta-who", "me"), ("cache-control", "no-store")],
                payload: digest("hello")
            )
            #expect(put.status == 200)
            #expect(put.fields.string("etag") == "\"5d41402abc4b2a76b9719d911017c592\"")
            let got = try await store.send(.get, "/demo/dir/a%20b%2Bc")
            #expect(got.status == 200)
            #expect(got.text == "hello")
            #expect(got.fields.string("content-type") == "text/plain")
            #expect(got.fields.string("x-amz-meta-who") == "me")
            #expect(got.fields.string("cache-control") == "no-store")
            #expect(got.fields.string("last-modified") == "Fri, 15 Jan 2027 08:00:00 GMT")
            let head = try await store.send(.head, "/demo/dir/a%20b%2Bc")
            #expect(head.status == 200 && head.body.isEmpty)
            #expect(head.fields.string("content-length") == "5")
            #expect(try await store.send(.delete, "/demo/dir/a%20b%2Bc").status == 204)
            let gone = try await store.send(.get, "/demo/dir/a%20b%2Bc")
            #expect(gone.status == 404)
            #expect(gone.text.contains("<Code>NoSuchKey</Code>"))
        }
    }

    @Test func onlyItsOwnSignatureOpensTheStore() async throws {
        try await ServedStore.serving { store in
            let forged = try await store.send(.get, "/demo/a", secret: "other")
            #expect(forged.status == 403 && forged.text.contains("SignatureDoesNotMatch"))
            let unsigned = try await store.send(
                Array("GET /demo/a HTTP/1.1\r\nhost: store\r\nconnection: close\r\n\r\n".utf8),
                method: .get
            )
            #expect(unsigned.status == 403 && unsigned.text.contains("AccessDenied"))
        }
    }

    @Test func aBodyThatDiffersFromItsSignedHashIsNotKept() async throws {
        try await ServedStore.serving { store in
            let put = try await store.send(.put, "/demo/k", "other", payload: digest("hello"))
            #expect(put.status == 400 && put.text.contains("XAmzContentSHA256Mismatch"))
            let wrongMD5 = try await store.send(
                .put,
                "/demo/k",
                "hello",
                fields: [("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")]
            )
            #expect(wrongMD5.status == 400 && wrongMD5.text.contains("BadDigest"))
            #expect(try await store.send(.head, "/demo/k").status == 404)
        }
    }

    @Test func aBodyThatBreaksOffIsNotKept() async throws {
        try await ServedStore.serving { store in
            _ = try? await store.send(store.raw(.put, "/demo/k", "half", announcing: 1000), method: .put)
            let head = try await store.send(.head, "/demo/k")
            #expect(head.status == 404)
        }
    }

    @Test(
        arguments: [
            ("bytes=0-4", 206, "01234", "bytes 0-4/10"), ("bytes=7-", 206, "789", "bytes 7-9/10"),
            ("bytes=-2", 206, "89", "bytes 8-9/10"), ("bytes=0-0,2-3", 200, "0123456789", nil),
            ("bytes=10-", 416, nil, "bytes */10"),
        ] as [(String, Int, String?, String?)]
    )
    func rangesAreAnsweredAsAskedFor(_ range: String, _ status: Int, _ text: String?, _ contentRange: String?)
        async throws
    {
        try await ServedStore.serving { store in
            _ = try await store.send(.put, "/demo/k", "0123456789")
            let got = try await store.send(.get, "/demo/k", fields: [("range", range)])
            #expect(got.status == status)
            if let text { #expect(got.text == text) }
            #expect(got.fields.string("content-range") == contentRange)
            let head = try await store.send(.head, "/demo/k", fields: [("range", range)])
            #expect(head.status == status && head.body.isEmpty)
        }
    }

    @Test func conditionsDecideWhatIsRead() async throws {
        try await ServedStore.serving { store in
            let etag = try #require(try await store.send(.put, "/demo/k", "text").fields.string("etag"))
            let cases: [(String, String, Int)] = [
                ("if-match", etag, 200), ("if-match", "\"x\"", 412), ("if-match", "*", 200),
                ("if-none-match", etag, 304), ("if-none-match", "\"x\"", 200), ("if-none-match", "*", 304),
                ("if-modified-since", "Fri, 15 Jan 2027 08:00:00 GMT", 304),
                ("if-modified-since", "Fri, 15 Jan 2027 07:59:59 GMT", 200),
                ("if-unmodified-since", "Fri, 15 Jan 2027 07:59:59 GMT", 412),
                ("if-unmodified-since", "Fri, 15 Jan 2027 08:00:00 GMT", 200),
            ]
            for (name, value, status) in cases {
                let got = try await store.send(.get, "/demo/k", fields: [(name, value)])
                #expect(got.status == status, "\(name): \(value)")
            }
            for (value, status) in [(etag, 206), ("\"x\"", 200), ("Fri, 15 Jan 2027 08:00:00 GMT", 206)] {
                let got = try await store.send(
                    .get,
                    "/demo/k",
                    fields: [("range", "bytes=0-0"), ("if-range", value)]
                )
                #expect(got.status == status, "if-range: \(value)")
            }
            let again = try await store.send(.put, "/demo/k", "text", fields: [("if-none-match", "*")])
            #expect(again.status == 412)
        }
    }

    @Test func answersCanBeOverriddenButNotSplit() async throws {
        try await ServedStore.serving { store in
            _ = try await store.send(.put, "/demo/k", "text", fields: [("content-type", "text/html")])
            let got = try await store.send(.get, "/demo/k", query: "response-content-type=text%2Fplain")
            #expect(got.fields.string("content-type") == "text/plain")
            #expect(got.fields.count(of: "content-type") == 1)
            let split = try await store.send(.get, "/demo/k", query: "response-expires=a%0D%0Ax%3A%20y")
            #expect(split.status == 400)
        }
    }

    @Test func listingsAreDocumentsWithWorkingTokens() async throws {
        try await ServedStore.serving { store in
            for key in ["a", "b/1", "b/2", "c%26%3C", "%C3%A9"] { _ = try await store.send(.put, "/demo/" + key, "x") }
            var seen: [String] = []
            var token: String?
            for _ in 0..<10 {
                var query = "continuation-token=\(token ?? "")&delimiter=%2F&encoding-type=url&list-type=2&max-keys=1"
                if token == nil { query = String(query.drop { $0 != "&" }.dropFirst()) }
                let answer = try await store.send(.get, "/demo", query: query)
                #expect(answer.status == 200, "\(answer.text)")
                let root = try XMLReader.parse(answer.body)
                seen += root.children(named: "Contents").compactMap { $0.value("Key") }
                seen += root.children(named: "CommonPrefixes").compactMap { $0.value("Prefix") }
                token = root.value("NextContinuationToken")
                if token == nil { break }
            }
            #expect(seen == ["a", "b/", "c%26%3C", "%C3%A9"])
            let v1 = try XMLReader.parse(try await store.send(.get, "/demo", query: "marker=a&max-keys=2").body)
            #expect(v1.children(named: "Contents").compactMap { $0.value("Key") } == ["b/1", "b/2"])
            #expect(v1.value("NextMarker") == "b/2")
            let forged = try await store.send(.get, "/demo", query: "continuation-token=zzz&list-type=2")
            #expect(forged.status == 400)
        }
    }

    @Test func anUploadInPartsOverHTTP() async throws {
        try await ServedStore.serving { store in
            let created = try await store.send(
                .post,
                "/demo/big",
                query: "uploads=",
                fields: [("x-amz-checksum-algorithm", "CRC32")]
            )
            #expect(created.status == 200, "\(created.text)")
            let id = try #require(try XMLReader.parse(created.body).value("UploadId"))
            var parts = ""
            for (number, text) in [(1, "part-1"), (2, "2")] {
                let part = try await store.send(.put, "/demo/big", query: "partNumber=\(number)&uploadId=\(id)", text)
                #expect(part.status == 200)
                let etag = part.fields.string("etag") ?? ""
                let checksum = part.fields.string("x-amz-checksum-crc32") ?? ""
                parts +=
                    "<Part><PartNumber>\(number)</PartNumber><ETag>\(etag)</ETag>"
                    + "<ChecksumCRC32>\(checksum)</ChecksumCRC32></Part>"
            }
            let listed = try await store.send(.get, "/demo/big", query: "uploadId=\(id)")
            #expect(try XMLReader.parse(listed.body).children(named: "Part").count == 2)
            let document = "<CompleteMultipartUpload>\(parts)</CompleteMultipartUpload>"
            let done = try await store.send(
                .post,
                "/demo/big",
                query: "uploadId=\(id)",
                document,
                payload: digest(document)
            )
            #expect(done.status == 200, "\(done.text)")
            let got = try await store.send(.get, "/demo/big", fields: [("x-amz-checksum-mode", "ENABLED")])
            #expect(got.text == "part-12")
            #expect(got.fields.string("x-amz-checksum-crc32")?.hasSuffix("-2") == true)
            let second = try await store.send(.get, "/demo/big", query: "partNumber=2")
            #expect(second.status == 206 && second.text == "2")
            #expect(second.fields.string("x-amz-mp-parts-count") == "2")
        }
    }

    @Test func copiesAndDeletionsOfMany() async throws {
        try await ServedStore.serving { store in
            _ = try await store.send(.put, "/demo/a", "text", fields: [("x-amz-meta-a", "1")])
            let copy = try await store.send(.put, "/demo/b", fields: [("x-amz-copy-source", "/demo/a")])
            #expect(copy.status == 200 && copy.text.contains("CopyObjectResult"))
            #expect(try await store.send(.get, "/demo/b").fields.string("x-amz-meta-a") == "1")
            let same = try await store.send(.put, "/demo/a", fields: [("x-amz-copy-source", "/demo/a")])
            #expect(same.status == 400)
            let document = "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>"
            let deleted = try await store.send(.post, "/demo", query: "delete=", document, payload: digest(document))
            #expect(deleted.status == 200, "\(deleted.text)")
            #expect(try XMLReader.parse(deleted.body).children(named: "Deleted").count == 2)
            #expect(try await store.send(.head, "/demo/a").status == 404)
        }
    }

    @Test(arguments: [
        ("x-amz-tagging", "a=b&a=c", 400), ("x-amz-acl", "public-read", 400), ("x-amz-acl", "private", 200),
        ("x-amz-storage-class", "GLACIER", 400), ("x-amz-server-side-encryption", "AES256", 501),
        ("x-amz-checksum-crc32", "y/Q5Jg==", 200), ("x-amz-checksum-crc32", "AAAAAA==", 400),
        ("x-amz-checksum-sha256", "short", 400), ("x-amz-nobody-knows", "1", 501),
    ])
    func whatWouldBeLostIsRefused(_ name: String, _ value: String, _ status: Int) async throws {
        try await ServedStore.serving { store in
            let put = try await store.send(.put, "/demo/k", "123456789", fields: [(name, value)])
            #expect(put.status == status, "\(put.text)")
            #expect(try await store.send(.head, "/demo/k").status == (status == 200 ? 200 : 404))
        }
    }

    @Test(arguments: ["/demo/../etc/passwd", "/demo/%2e%2e/x", "/demo/a/./b", "/demo/a%00b", "/demo/%ff"])
    func keysThatAreNoneAreRefused(_ path: String) async throws {
        try await ServedStore.serving { store in
            let status = try await store.send(.put, path, "x").status
            #expect((400...403).contains(status))
        }
    }

    @Test func subresourcesThatAreNotImplementedSaySo() async throws {
        try await ServedStore.serving { store in
            for query in ["policy=", "lifecycle=", "encryption=", "website=", "object-lock="] {
                let answer = try await store.send(.get, "/demo", query: query)
                #expect(answer.status == 501, "\(query)")
            }
            #expect(try await store.send(.get, "/").text.contains("<Name>demo</Name>"))
            #expect(try await store.send(.head, "/demo").status == 200)
            #expect(try await store.send(.head, "/absent").status == 404)
            #expect(try await store.send(.put, "/second").status == 200)
            #expect(try await store.send(.delete, "/second").status == 204)
        }
    }
}
