import Testing
import WireFormats

@Suite struct IPAddressTests {
    @Test(arguments: [
        ("0.0.0.0", "0.0.0.0"), ("192.0.2.1", "192.0.2.1"), ("255.255.255.255", "255.255.255.255"), ("::", "::"),
        ("::1", "::1"), ("1::", "1::"), ("2001:db8::1", "2001:db8::1"), ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"), ("::ffff:192.0.2.1", "192.0.2.1"), ("::ffff:c000:201", "192.0.2.1"),
        ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"), ("1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
    ])
    func addressesAreReadAndWrittenCanonically(_ text: String, _ canonical: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.+4", "1.2.3.0x4",
        "1..2.3",
        ":", ":::", "1:::2", "::1::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::", "g::",
        "[::1]", "::1%eth0", "::1/64", "1.2.3.4:80", "::1.2.3", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4",
    ])
    func anythingElseIsNil(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func limitsCountIPv6ByItsNetwork() throws {
        let one = try #require(IPAddress("2001:db8:1:2:3:4:5:6"))
        let other = try #require(IPAddress("2001:db8:1:2:ffff::"))
        let elsewhere = try #require(IPAddress("2001:db8:1:3::"))
        #expect(one.rateLimitKey == other.rateLimitKey)
        #expect(one.rateLimitKey != elsewhere.rateLimitKey)
        let v4 = try #require(IPAddress("192.0.2.1"))
        #expect(v4.rateLimitKey == v4)
    }

    @Test func networkBytesAreRead() {
        #expect(IPAddress(networkBytes: [192, 0, 2, 1]) == IPAddress("192.0.2.1"))
        #expect(IPAddress(networkBytes: [UInt8](repeating: 0, count: 15) + [1]) == IPAddress("::1"))
        #expect(IPAddress(networkBytes: [1, 2, 3]) == nil)
    }
}

@Suite struct CIDRTests {
    @Test(arguments: [
        ("10.0.0.0/8", "10.255.1.2", true), ("10.0.0.0/8", "11.0.0.0", false), ("10.1.2.3/8", "10.9.9.9", true),
        ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "2001:db8::1", true),
        ("::/0", "192.0.2.1", false), ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false),
        ("192.0.2.1/32", "::ffff:192.0.2.1", true), ("::ffff:192.0.2.0/120", "192.0.2.77", true),
        ("2001:db8::/32", "2001:db8:ffff::", true), ("2001:db8::/33", "2001:db8:8000::", false),
        ("2001:db8::/64", "2001:db8::ffff:0:0:1", true), ("2001:db8::/65", "2001:db8:0:0:8000::", false),
        ("2001:db8::1", "2001:db8::1", true), ("2001:db8::1/128", "2001:db8::2", false),
    ])
    func itHoldsTheAddressesOfItsPrefix(_ range: String, _ address: String, _ holds: Bool) throws {
        let range = try #require(CIDR(range))
        #expect(range.contains(try #require(IPAddress(address))) == holds)
    }

    @Test(arguments: [
        "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08", "10.0.0.0/8/8", "10.0/8",
        "::/129", "::1/ 64", "::ffff:192.0.2.0/24", "localhost", "10.0.0.0/a",
    ])
    func anythingElseIsNil(_ text: String) {
        #expect(CIDR(text) == nil)
    }
}
