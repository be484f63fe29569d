import HTTP1
import S3API
import Signatures
import Testing
import WireFormats

@testable import Backends

@Suite struct RequestTests {
    @Test(arguments: nastyKeys()) func aKeyReachesTheStoreEncodedOnce(_ key: String) throws {
        let raw = Array(key.utf8)
        var path = Array("/bkt/".utf8)
        PercentEncoding.append(raw, to: &path, keepSlash: .keep)
        let incoming = try Incoming("GET", path: path)
        for prefix in ["", "v2", "v 2/+"] {
            let store = backend(prefix: prefix)
            guard store.prefix.count + raw.count <= 1024 else {
                #expect(throws: S3Error(.keyTooLong)) { try incoming.sent(to: store) }
                continue
            }
            let sent = try incoming.sent(to: store)
            #expect(sent.path.starts(with: "/store-bucket/".utf8))
            let stored = try PercentEncoding.decode(sent.path.dropFirst("/store-bucket/".utf8.count))
            #expect(stored == store.prefix + raw)
            #expect(store.shown(stored) == raw)
            #expect(sent.path.allSatisfy { PercentEncoding.isUnreserved($0) || $0 == 0x2F || $0 == 0x25 })
        }
    }

    @Test func theCorpusIsThere() {
        #expect(nastyKeys().count >= 60)
    }

    @Test func virtualHostsNameTheBucketInTheHost() throws {
        let store = backend(prefix: "v2", addressing: .virtualHost)
        let object = try Incoming("GET", "/bkt/a%20b").sent(to: store)
        #expect(object.fields.string("host") == "store-bucket.store:8333")
        #expect(object.pathText == "/v2/a%20b")
        #expect(try Incoming("GET", "/bkt").sent(to: store).pathText == "/")
        #expect(try Incoming("GET", "/bkt").sent(to: backend()).pathText == "/store-bucket")
    }

    @Test(arguments: [
        ("range", "bytes=0-1", "GET"), ("if-match", "\"e\"", "GET"), ("if-none-match", "*", "PUT"),
        ("if-range", "\"e\"", "GET"), ("if-modified-since", "x", "HEAD"), ("content-type", "text/plain", "PUT"),
        ("content-md5", "abc", "PUT"), ("content-language", "en", "PUT"), ("content-disposition", "inline", "PUT"),
        ("content-encoding", "gzip", "PUT"), ("cache-control", "no-cache", "PUT"), ("expires", "x", "PUT"),
        ("x-amz-meta-colour", "blue", "PUT"), ("x-amz-storage-class", "STANDARD_IA", "PUT"),
        ("x-amz-acl", "private", "PUT"), ("x-amz-tagging", "a=b", "PUT"), ("x-amz-checksum-crc32", "AAAAAA==", "PUT"),
        ("x-amz-server-side-encryption", "AES256", "PUT"), ("x-amz-checksum-mode", "ENABLED", "GET"),
        ("x-amz-server-side-encryption-customer-key", "k", "GET"), ("X-Amz-Meta-UPPER", "1", "PUT"),
        ("x-amz-object-lock-mode", "GOVERNANCE", "PUT"), ("x-amz-website-redirect-location", "/x", "PUT"),
        ("x-amz-expected-bucket-owner", "1", "GET"), ("x-amz-request-payer", "requester", "GET"),
    ])
    func fieldsThatAreCarried(_ name: String, _ value: String, _ method: String) throws {
        let incoming = try Incoming(method, "/bkt/k", [(name, value)])
        let body = method == "PUT" ? OutgoingBody.stream(length: 5, hash: .unsigned) : .none
        let sent = try incoming.sent(to: backend(), body: body)
        let place = try #require(sent.names.firstIndex(of: name.lowercased()))
        #expect(String(decoding: sent.fields.value(sent.fields.entries[place]), as: UTF8.self) == value)
        if name.lowercased().hasPrefix("x-amz-") {
            let signed = try #require(sent.fields.string("authorization"))
            #expect(signed.contains(name.lowercased()), "every x-amz- field is signed")
        }
    }

    @Test(arguments: [
        "authorization", "cookie", "x-api-key", "x-forwarded-for", "x-forwarded-host", "forwarded", "x-real-ip",
        "x-amz-security-token", "x-amz-date", "x-amz-content-sha256", "expect", "te", "upgrade", "proxy-authorization",
        "connection", "keep-alive", "accept-encoding", "user-agent", "referer", "x-gatehouse-gateway", "via",
        "x-amz-user-agent", "amz-sdk-request", "x-http-method-override", "date", "accept", "x-original-uri", "trailer",
        "x-goog-copy-source", "x-ms-copy-source",
    ])
    func fieldsThatStayBehind(_ name: String) throws {
        for method in ["GET", "PUT"] {
            let incoming = try Incoming(method, "/bkt/k", [(name, "client-value")])
            let body = method == "PUT" ? OutgoingBody.stream(length: 5, hash: .unsigned) : .none
            let sent = try incoming.sent(to: backend(), body: body)
            #expect(!String(decoding: sent.fields.bytes, as: UTF8.self).contains("client-value"))
            let unsigned = try incoming.sent(to: backend(signed: .no), body: body)
            #expect(!unsigned.names.contains(name))
        }
    }

    @Test func readsCarryNoFieldsOfABody() throws {
        let fields = [("content-type", "a"), ("cache-control", "no-cache"), ("content-encoding", "b")]
        let sent = try Incoming("GET", "/bkt/k", fields).sent(to: backend(signed: .no))
        #expect(sent.names == ["host"])
    }

    @Test(
        arguments: [
            ("aws-chunked", nil), ("aws-chunked,gzip", "gzip"), ("gzip, AWS-Chunked ", "gzip"), ("gzip", "gzip"),
        ] as [(String, String?)]
    )
    func awsChunkedIsNeverStored(_ value: String, _ wanted: String?) throws {
        let incoming = try Incoming("PUT", "/bkt/k", [("content-encoding", value)])
        let sent = try incoming.sent(to: backend(), body: .stream(length: 5, hash: .unsigned))
        #expect(sent.fields.string("content-encoding") == wanted)
    }

    @Test func framingFollowsTheBody() throws {
        let put = try Incoming("PUT", "/bkt/k")
        let sent = try put.sent(to: backend(), body: .stream(length: 5, hash: .sha256(Array(repeating: 1, count: 32))))
        #expect(sent.fields.string("content-length") == "5")
        #expect(sent.fields.string("x-amz-content-sha256") == String(repeating: "01", count: 32))
        let create = try Incoming("POST", "/bkt/k?uploads").sent(to: backend())
        #expect(create.fields.string("content-length") == "0")
        #expect(try Incoming("GET", "/bkt/k").sent(to: backend()).fields.string("content-length") == nil)
        #expect(create.fields.string("x-amz-security-token") == "store-session")
    }

    @Test func aRewrittenDocumentLeavesTheClientsDigestsBehind() throws {
        let fields = [
            ("content-md5", "old"), ("x-amz-checksum-crc32", "old"), ("x-amz-sdk-checksum-algorithm", "CRC32"),
        ]
        let incoming = try Incoming("POST", "/bkt?delete", fields)
        let sent = try incoming.sent(to: backend(), body: .rewritten(Array("hello".utf8)))
        #expect(sent.fields.string("content-md5") == "XUFAKrxLKna5cZ2REBfFkg==")
        #expect(!sent.names.contains { $0.contains("checksum") })
        let passed = try incoming.sent(to: backend(), body: .document(Array("hello".utf8)))
        #expect(passed.fields.string("content-md5") == "old")
        #expect(passed.fields.string("x-amz-checksum-crc32") == "old")
    }

    @Test(arguments: [
        ("GET /bkt/k?versionId=v&x-id=GetObject&gh-link=t", "versionId=v"),
        (
            "GET /bkt/k?X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Signature=c&response-expires=x%20y",
            "response-expires=x%20y"
        ),
        ("GET /bkt/k?AWSAccessKeyId=a&Signature=b&Expires=1", ""),
        ("GET /bkt/k?x-amz-checksum-mode=ENABLED", ""),
        ("GET /bkt/k?acl", "acl="), ("GET /bkt?prefix=a+b&delimiter=%2F", "delimiter=%2F&prefix=a%20b"),
        ("GET /bkt?list-type=2&continuation-token=t%2Bx", "continuation-token=t%2Bx&list-type=2"),
    ])
    func theQueryIsRebuilt(_ line: String, _ wanted: String) throws {
        let parts = line.split(separator: " ").map(String.init)
        #expect(try Incoming(parts[0], parts[1]).sent(to: backend()).queryText == wanted)
    }

    @Test func fieldsInTheQueryBecomeFields() throws {
        let sent = try Incoming("PUT", "/bkt/k?X-Amz-Acl=private&X-Amz-Meta-A=1&X-Amz-Signature=s").sent(
            to: backend(),
            body: .stream(length: 5, hash: .unsigned)
        )
        #expect(sent.queryText == "")
        #expect(sent.fields.string("x-amz-acl") == "private")
        #expect(sent.fields.string("x-amz-meta-a") == "1")
    }

    @Test(arguments: [
        ("?prefix=a", "prefix=v2%2Fa"), ("", "marker=v2%2F&prefix=v2%2F"),
        ("?prefix=", "marker=v2%2F&prefix=v2%2F"),
        ("?marker=m", "marker=v2%2Fm&prefix=v2%2F"), ("?marker=", "marker=v2%2F&prefix=v2%2F"),
        ("?list-type=2", "list-type=2&prefix=v2%2F&start-after=v2%2F"),
        ("?versions", "key-marker=v2%2F&prefix=v2%2F&versions="),
        ("?uploads&max-uploads=5", "max-uploads=5&prefix=v2%2F&uploads="),
        ("?prefix=a&max-keys=1001", "max-keys=1000&prefix=v2%2Fa"),
        ("?prefix=a&max-keys=0", "max-keys=0&prefix=v2%2Fa"),
        ("?list-type=2&start-after=s", "list-type=2&prefix=v2%2F&start-after=v2%2Fs"),
        (
            "?versions&key-marker=k&version-id-marker=v",
            "key-marker=v2%2Fk&prefix=v2%2F&version-id-marker=v&versions="
        ),
        ("?uploads&key-marker=k&upload-id-marker=u", "key-marker=v2%2Fk&prefix=v2%2F&upload-id-marker=u&uploads="),
    ])
    func listingsStayUnderThePrefix(_ query: String, _ wanted: String) throws {
        #expect(try Incoming("GET", "/bkt" + query).sent(to: backend(prefix: "v2")).queryText == wanted)
    }

    @Test(arguments: ["token", "1***", "", "0dG9rZW4"]) func foreignTokensAreRefused(_ token: String) throws {
        let incoming = try Incoming("GET", "/bkt?list-type=2&continuation-token=" + token)
        #expect(throws: S3Error.self) { try incoming.sent(to: backend(prefix: "v2")) }
    }

    @Test func copiesNameTheSourceAtTheStore() throws {
        let fields = [
            ("x-amz-copy-source", "/other/a%20b%2Bc?versionId=v1"), ("x-amz-metadata-directive", "REPLACE"),
            ("x-amz-copy-source-if-match", "\"e\""),
        ]
        let source = backend(prefix: "old", bucket: "second")
        let sent = try Incoming("PUT", "/bkt/k", fields).sent(to: backend(), copyingFrom: source)
        #expect(sent.fields.count(of: "x-amz-copy-source") == 1)
        #expect(sent.fields.string("x-amz-copy-source") == "/second/old/a%20b%2Bc?versionId=v1")
        #expect(sent.fields.string("x-amz-metadata-directive") == "REPLACE")
        #expect(sent.fields.string("x-amz-copy-source-if-match") == "\"e\"")
        #expect(sent.fields.string("content-length") == "0")
        #expect(backend().canCopy(from: source))
        #expect(!backend().canCopy(from: backend(signed: .no)))
    }

    @Test(arguments: [
        (#"{"Resource":"arn:aws:s3:::bkt/*"}"#, #"{"Resource":"arn:aws:s3:::store-bucket/*"}"#),
        (#"{ "resource" : [ "*" , "arn:aws-cn:s3:::bkt" ] }"#, #"{"resource":["*","arn:aws-cn:s3:::store-bucket"]}"#),
        (#"{"NotResource":"arn:aws:s3:::bkt\u002fa/bkt"}"#, #"{"NotResource":"arn:aws:s3:::store-bucket/a/bkt"}"#),
        (
            #"{"Principal":{"AWS":"arn:aws:iam::1:root"},"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}"#,
            #"{"Principal":{"AWS":"arn:aws:iam::1:root"},"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}"#
        ),
    ])
    func policiesNameTheStoresBucket(_ document: String, _ wanted: String) throws {
        let name = try #require(BucketName(validating: "bkt"))
        let renamed = try #require(try backend().policyDocument(Array(document.utf8), of: name))
        #expect(String(decoding: renamed, as: UTF8.self) == wanted)
        #expect(try backend(bucket: "bkt").policyDocument(Array(document.utf8), of: name) == nil)
    }

    /// Renamed, these would be about something else.
    @Test(arguments: [
        #"{"Resource":"arn:aws:s3:::bk*"}"#, #"{"Resource":"arn:aws:s3:::*"}"#, #"{"Resource":"arn:aws:s3:::bkt2/*"}"#,
        #"{"Resource":"arn:aws:s3:::store-bucket/*"}"#, #"{"Resource":"arn:aws:s3:::${aws:username}/*"}"#,
        #"{"Resource":"bkt/*"}"#, #"{"Resource":"**"}"#, #"{"Resource":{"a":"*"}}"#, #"{"Resource":[["*"]]}"#,
        #"{"Resource":"arn:aws:s3:us-east-1::bkt"}"#, #"{"Resource":"arn:*:*:::bkt"}"#, #"{"Resource":7}"#,
        #"{"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::bkt"}}}"#,
        #"{"Condition":{"StringEquals":{"s3:x-amz-copy-source":"bkt/a"}}}"#, #"{"re\u017fource":"arn:aws:s3:::bkt"}"#,
        #"{"Resource":"*","Resource":"arn:aws:s3:::bkt"}"#, "", "not json", "<Policy/>", #"{"arn:aws:s3:::bkt":1}"#,
    ])
    func policiesThatCannotBeRenamedAreRefused(_ document: String) throws {
        let name = try #require(BucketName(validating: "bkt"))
        do {
            _ = try backend().policyDocument(Array(document.utf8), of: name)
            Issue.record("accepted")
        } catch {
            #expect(error.code == .malformedPolicy && !error.message.contains("store-bucket"))
        }
    }

    @Test func anEmptyRewrittenDocumentHasNoDigests() throws {
        let incoming = try Incoming("PUT", "/bkt", [("content-md5", "old"), ("x-amz-checksum-crc32", "old")])
        let sent = try incoming.sent(to: backend(), body: .rewritten([]))
        #expect(sent.fields.string("content-length") == "0")
        #expect(sent.fields.string("content-md5") == nil && sent.fields.string("x-amz-checksum-crc32") == nil)
    }

    @Test func unsignedStoresGetNoSignature() throws {
        let sent = try Incoming("GET", "/bkt/k").sent(to: backend(signed: .no))
        #expect(!sent.names.contains("authorization") && !sent.names.contains("x-amz-date"))
    }

    @Test func deletionsAndCreationsAreInTheStoresTerms() throws {
        let document = try backend(prefix: "v2").deleteDocument([.init(key: ObjectKey("a"), versionID: "1")])
        let again = try DeleteRequest(parsing: document)
        #expect(again.entries == [.init(key: ObjectKey("v2/a"), versionID: "1")])
        #expect(String(decoding: backend().createBucketDocument(), as: UTF8.self).contains(">eu-west-1<"))
        let list = backend().listBucketsRequest(continuationToken: "a+b", at: noon)
        #expect(list.pathText == "/" && list.queryText == "continuation-token=a%2Bb")
    }

    @Test(arguments: [
        ("http://minio:9000", "http://MINIO:9000/"), ("http://minio", "http://minio:80/"),
        ("http://minio", "https://minio"),
        ("https://minio.", "https://minio:443"),
        ("http://localhost:9000", "http://127.0.0.1:9000"), ("http://[fd00::1]", "http://[fd00:0::1]:80"),
        ("https://s3.amazonaws.com.", "https://s3.amazonaws.com"),
        ("http://[::1]:9000", "http://minio.localhost:9000"),
        ("https://s3.amazonaws.com", "https://s3.dualstack.eu-west-1.amazonaws.com"),
        ("https://storage.googleapis.com", "https://europe-west1.storage.googleapis.com"),
    ])
    func addressesThatSurelyLeadToTheSameBucketsAreOneNamespace(_ one: String, _ other: String) throws {
        #expect(try #require(Endpoint(url: one)).namespace == #require(Endpoint(url: other)).namespace)
    }

    @Test(arguments: [
        ("http://minio:9000", "http://minio:9001"), ("http://north", "http://south"),
        ("http://localhost:9000", "http://127.0.0.1:9001"),
    ])
    func otherHostsAndPortsAreOtherNamespaces(_ one: String, _ other: String) throws {
        #expect(try #require(Endpoint(url: one)).namespace != #require(Endpoint(url: other)).namespace)
    }

    @Test(arguments: [
        ("http://h", "h", 80, "h"), ("https://H.Example.com/", "h.example.com", 443, "h.example.com"),
        ("http://h:8333", "h", 8333, "h:8333"), ("https://h:443", "h", 443, "h"),
        ("http://[::1]:9", "::1", 9, "[::1]:9"),
        ("http://[::1]", "::1", 80, "[::1]"),
    ])
    func endpoints(_ url: String, _ host: String, _ port: Int, _ authority: String) throws {
        let endpoint = try #require(Endpoint(url: url))
        #expect(endpoint.address == .tcp(host: host, port: port))
        #expect(endpoint.authority == authority)
    }

    @Test(arguments: [
        "", "h", "ftp://h", "http://", "http://h/path", "http://h?x", "http://u@h", "http://h:0", "http://h:x",
        "http://h:99999", "http://h:", "http://[::1", "http://[]", "http://h\r\nx", "http://a b",
    ])
    func whatIsNoEndpoint(_ url: String) {
        #expect(Endpoint(url: url) == nil)
    }
}
