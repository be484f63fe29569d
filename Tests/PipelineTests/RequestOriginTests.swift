import HTTP1
import Testing
import WireFormats

@testable import Pipeline

@Suite("Who a request comes from, behind trusted proxies")
struct RequestOriginTests {
    private static func origin(
        peer: String,
        trusted: [String] = ["10.0.0.0/8"],
        secure: Bool = false,
        host: String = "files.example.com",
        _ fields: [(String, String)] = []
    ) throws -> RequestOrigin {
        var block = FieldBlock()
        for (name, value) in fields { block.append(name.utf8, value.utf8) }
        let head = RequestHead(method: .get, path: [UInt8(ascii: "/")], fields: block, host: Array(host.utf8))
        let ranges = try trusted.map { try #require(CIDR($0)) }
        return RequestOrigin(head, ConnectionFacts(peer: IPAddress(peer), isSecure: secure), trusted: ranges)
    }

    @Test("X-Forwarded-For of anybody else is not believed")
    func strangersAreNotBelieved() throws {
        let origin = try Self.origin(
            peer: "192.0.2.9",
            [("x-forwarded-for", "1.2.3.4"), ("x-forwarded-proto", "https")]
        )
        #expect(origin.client == IPAddress("192.0.2.9"))
        #expect(!origin.isSecure)
    }

    @Test(
        "Behind a trusted proxy, the rightmost entry that is not a trusted proxy counts",
        arguments: [
            (["1.2.3.4"], "1.2.3.4"),
            (["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
            (["1.2.3.4, 10.0.0.7"], "1.2.3.4"),
            (["6.6.6.6", "1.2.3.4, 10.1.1.1"], "1.2.3.4"),
            (["10.0.0.3, 10.0.0.7"], "10.0.0.3"),
            ([], "10.0.0.1"),
        ]
    )
    func rightmostStranger(values: [String], expected: String) throws {
        let origin = try Self.origin(peer: "10.0.0.1", values.map { ("x-forwarded-for", $0) })
        #expect(origin.client == IPAddress(expected))
    }

    @Test(
        "An unreadable entry leaves no address at all rather than a guessed one",
        arguments: ["unknown", "1.2.3.4, ", "1.2.3.4, _hidden", "1.2.3.4:5555", ",,,"]
    )
    func unreadableIsUnknown(value: String) throws {
        #expect(try Self.origin(peer: "10.0.0.1", [("x-forwarded-for", value)]).client == nil)
    }

    @Test("A signature may be for the host with or without the default port, and for a trusted forwarded host")
    func signedHosts() throws {
        let plain = try Self.origin(peer: "192.0.2.9", host: "a.example.com", [("x-forwarded-host", "evil.example")])
        #expect(
            plain.signedHosts { _ in true }.map { String(decoding: $0, as: UTF8.self) } == [
                "a.example.com", "a.example.com:80",
            ]
        )
        let secure = try Self.origin(peer: "192.0.2.9", secure: true, host: "a.example.com:443")
        #expect(
            secure.signedHosts { _ in true }.map { String(decoding: $0, as: UTF8.self) } == [
                "a.example.com:443", "a.example.com",
            ]
        )
        let other = try Self.origin(peer: "192.0.2.9", host: "a.example.com:9000")
        #expect(other.signedHosts { _ in true }.map { String(decoding: $0, as: UTF8.self) } == ["a.example.com:9000"])
        let forwarded = try Self.origin(
            peer: "10.0.0.1",
            host: "inner:9000",
            [("x-forwarded-host", "files.example.com"), ("x-forwarded-proto", "https")]
        )
        #expect(forwarded.isSecure)
        #expect(
            forwarded.signedHosts { _ in true }.map { String(decoding: $0, as: UTF8.self) }
                == ["inner:9000", "files.example.com", "files.example.com:443"]
        )
        #expect(
            forwarded.signedHosts { _ in false }.map { String(decoding: $0, as: UTF8.self) }
                == ["files.example.com", "files.example.com:443"]
        )
        let doubled = try Self.origin(
            peer: "10.0.0.1",
            host: "inner:9000",
            [("x-forwarded-host", "files.example.com"), ("x-forwarded-host", "evil.example")]
        )
        #expect(doubled.signedHosts { _ in true }.map { String(decoding: $0, as: UTF8.self) } == ["inner:9000"])
    }

    @Test("A hundred entries don't hide the one that counts")
    func manyEntries() throws {
        let value = String(repeating: "6.6.6.6, ", count: 100) + "1.2.3.4"
        #expect(try Self.origin(peer: "10.0.0.1", [("x-forwarded-for", value)]).client == IPAddress("1.2.3.4"))
    }
}
