import S3API
import Testing
import WireFormats

@Suite struct AddressTests {
    private func locate(
        _ path: String,
        host: String = "localhost:9000",
        domains: [String] = [],
        rules: KeyRules = .standard
    ) throws -> (S3Address, AddressingStyle) {
        try S3Address.locate(host: host.utf8, path: path.utf8, domains: domains, rules: rules)
    }

    @Test(arguments: NastyKeys.all) func aKeyComesBackAsItWasEncoded(_ key: String) throws {
        var path = Array("/bkt/".utf8)
        PercentEncoding.append(key.utf8, to: &path, keepSlash: .keep)
        let located = try S3Address.locate(host: "h".utf8, path: path, domains: [])
        #expect(located.address.key?.bytes == Array(key.utf8))
        var everything = Array("/bkt/".utf8)
        PercentEncoding.append(key.utf8, to: &everything, keepSlash: .encode)
        let again = try S3Address.locate(host: "h".utf8, path: everything, domains: [])
        #expect(again.address.key?.bytes == Array(key.utf8))
        var virtual: [UInt8] = [UInt8(ascii: "/")]
        PercentEncoding.append(key.utf8, to: &virtual, keepSlash: .keep)
        let hosted = try S3Address.locate(host: "bkt.s3.example.com".utf8, path: virtual, domains: ["s3.example.com"])
        #expect(hosted.address.key?.bytes == Array(key.utf8))
        #expect(hosted.style == .virtualHost)
    }

    @Test func theCorpusFileHoldsTheSameKeys() throws {
        let file = try NastyKeys.corpusFile().map { Array($0.utf8) }
        #expect(file == NastyKeys.all.map { Array($0.utf8) })
        #expect(file.count >= 60)
    }

    @Test(arguments: NastyKeys.refused) func keysThatAreRefused(_ key: String) {
        for slash in [PercentEncoding.Slash.keep, .encode] {
            var path = Array("/bkt/".utf8)
            for byte in key.utf8 where true {
                if byte == UInt8(ascii: "."), slash == .encode {
                    path.append(contentsOf: "%2e".utf8)
                } else {
                    PercentEncoding.append(CollectionOfOne(byte), to: &path, keepSlash: slash)
                }
            }
            let wanted: S3Error.Code = key.utf8.count > 1024 ? .keyTooLong : .invalidURI
            #expect(code { try S3Address.locate(host: "h".utf8, path: path, domains: []) } == wanted)
        }
    }

    @Test(arguments: [
        "/bkt/%", "/bkt/%4", "/bkt/%zz", "/bkt/%FF", "/bkt/%C0%AE%C0%AE/x", "/bkt/%ED%A0%80", "/bkt/%00", "/%zz/k", "*",
    ])
    func pathsThatCannotBeRead(_ path: String) {
        #expect(code { try locate(path) } == .invalidURI)
    }

    @Test(arguments: [
        "/ab", "/Bkt", "/b_b", "/-bkt/k", "/bkt-", "/b..t", "/b.-t", "/b-.t", "/192.168.0.1/k", "//bkt/k", "/a%2Fb",
        "/bkt%2Fk", "/..%2Fbkt", "/../bkt", "/%2e%2e/x", "/b%20t", "/\(String(repeating: "a", count: 64))",
    ])
    func bucketNamesThatAreRefused(_ path: String) {
        #expect(code { try locate(path) } == .invalidBucketName)
    }

    @Test(arguments: ["/abc", "/my.bucket.name", "/0-9", "/1.2.3", "/1.2.3.4.5", "/a--b"])
    func bucketNamesThatAreAccepted(_ path: String) throws {
        #expect(try locate(path).0.bucket?.string == String(path.dropFirst()))
    }

    @Test(arguments: [
        ("bkt.s3.example.com", "/k", "bkt", "k"), ("BKT.S3.Example.COM:9000", "/k", "bkt", "k"),
        ("bkt.s3.example.com.", "/k", "bkt", "k"), ("my.bkt.s3.example.com", "//k", "my.bkt", "/k"),
        ("bkt.s3.example.com", "/-/health", "bkt", "-/health"), ("bkt.example.com", "/s3/k", "bkt", "s3/k"),
    ])
    func virtualHosts(_ host: String, _ path: String, _ bucket: String, _ key: String) throws {
        let (address, style) = try locate(path, host: host, domains: ["example.com", "s3.example.com"])
        #expect(style == .virtualHost)
        #expect(address.bucket?.string == bucket)
        #expect(address.key?.string == key)
    }

    @Test(arguments: ["s3.example.com", "s3.example.com:80", "example.com", "evilexample.com", ".example.com", "h"])
    func hostsThatNameNoBucket(_ host: String) throws {
        let (address, style) = try locate("/bkt/k", host: host, domains: ["example.com", "s3.example.com"])
        #expect(style == .path)
        #expect(address.bucket?.string == "bkt")
    }

    @Test func theServiceAndBuckets() throws {
        #expect(try locate("/").0 == .service)
        #expect(try locate("/bkt/").0.key == nil)
        #expect(try locate("/", host: "bkt.example.com", domains: ["example.com"]).0.bucket?.string == "bkt")
        #expect(code { try locate("/", host: "b_.example.com", domains: ["example.com"]) } == .invalidBucketName)
    }

    @Test(arguments: ["a/b", "a/", "/a", "a//b"]) func strictKeysHaveOneSegment(_ key: String) {
        #expect(code { try locate("/bkt/" + key, rules: .oneSegment) } == .invalidArgument)
        #expect(throws: Never.self) { try locate("/bkt/" + key) }
    }

    @Test func keysCompareAsBytes() {
        #expect(ObjectKey("caf\u{E9}") != ObjectKey("cafe\u{301}"))
    }

    @Test(
        arguments: [
            ("src/key", "src", "key", nil), ("/src/a/b", "src", "a/b", nil), ("src/a%20b%2Fc", "src", "a b/c", nil),
            ("/src/k?versionId=abc", "src", "k", "abc"), ("src%2Fk", "src", "k", nil), ("src/a+b", "src", "a+b", nil),
            ("src/a%3Fversion", "src", "a?version", nil),
        ] as [(String, String, String, String?)]
    )
    func copySources(_ value: String, _ bucket: String, _ key: String, _ version: String?) throws {
        let source = try CopySource(parsing: value.utf8)
        #expect(source.bucket.string == bucket)
        #expect(source.key.string == key)
        #expect(source.versionID.map { String(decoding: $0, as: UTF8.self) } == version)
        #expect(source.actions.contains(.getObjectVersion) == (version != nil))
    }

    @Test(arguments: [
        "", "/", "src", "src/", "/src", "//src/k", "src/../k", "src/%2e%2e/k", "src/k?versionId=", "src/k?x=1",
        "src/%zz", "src/k?versionId=a/../b", "arn:aws:s3:::src/k", "SRC/k",
    ])
    func copySourcesThatAreRefused(_ value: String) {
        #expect(code { try CopySource(parsing: value.utf8) } != nil)
    }
}
