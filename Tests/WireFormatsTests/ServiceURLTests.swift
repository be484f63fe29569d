import Testing
import WireFormats

@Suite struct ServiceURLTests {
    @Test(arguments: [
        "https://auth.example.com", "https://auth.example.com:8443/jwks?x=1", "http://127.0.0.1:80/", "https://[::1]/a",
    ])
    func aPlainURLIsKeptAsItWasWritten(text: String) throws {
        #expect(try #require(ServiceURL(text)).description == text)
    }

    @Test(arguments: [
        "ftp://a", "https://", "https:///a", "https://user@host/", "https://a:b@c", "https://host#x", "https://host:0",
        "https://host:99999", "https://host:", "https://ho st", "https://host\\@evil", "https://[::1", "https://[a]/",
        "HTTPS://host", "https://h\u{F6}st", "https://host/\n", "",
    ])
    func whatReadersSplitDifferentlyIsRefused(text: String) {
        #expect(ServiceURL(text) == nil)
    }

    @Test(arguments: [
        ("https://auth.example.com", true), ("http://auth.example.com", false), ("http://localhost:1/", true),
        ("http://LOCALHOST", true), ("http://127.8.9.1", true), ("http://[::1]:5", true), ("http://10.0.0.1", false),
        ("http://localhost.example.com", false), ("http://2130706433", false),
    ])
    func plainTextIsPrivateOnThisMachineAlone(text: String, isPrivate: Bool) throws {
        #expect(try #require(ServiceURL(text)).isPrivate == isPrivate)
    }
}
