import Identity
import Samples
import Testing
import WireFormats

@Suite("Keys that our own tokens are signed with")
struct OIDCKeyTests {
    @Test("The thumbprint is that of RFC 7638, section 3.1")
    func thumbprint() {
        let modulus =
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n"
            + "3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zg"
            + "dAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFC"
            + "ur-kEgU8awapJzKnqDKgw"
        let key = JSONWebKey.Material.rsa(modulus: modulus, exponent: "AQAB")
        #expect(key.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
    }

    @Test("Every form that OpenSSL writes is read")
    func forms() throws {
        let key = try OIDCKey(pem: PEMSample.pkcs8)
        #expect(key.algorithm == .rs256)
        #expect(try OIDCKey(pem: PEMSample.pkcs1).id == key.id)
        let crlf = PEMSample.pkcs8.split(separator: "\n").joined(separator: "\r\n") + "\r\n"
        #expect(try OIDCKey(pem: "\n\n" + crlf).id == key.id)
        #expect(try OIDCKey(pem: PEMSample.sec1).algorithm == .es256)
        #expect(try OIDCKey(pem: PEMSample.p256).algorithm == .es256)
        #expect(key.id == key.material.thumbprint)
    }

    @Test(
        "What is no key to sign with says why",
        arguments: [
            ("", .notPEM), ("secret", .notPEM), (PEMSample.short, .length(bits: 1024)),
            (PEMSample.p384, .unsupported), (PEMSample.encrypted, .encrypted), (PEMSample.publicHalf, .publicKey),
            (PEMSample.pkcs8 + "\n" + PEMSample.p256, .severalKeys),
            (PEMSample.pkcs8.replacing("-----END PRIVATE KEY-----", with: ""), .notPEM),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", .unsupported),
        ] as [(String, OIDCKeyError)]
    )
    func refused(text: String, error: OIDCKeyError) {
        #expect(throws: error) { try OIDCKey(pem: text) }
    }

    @Test("What is too long is not read")
    func tooLong() {
        let long = "-----BEGIN PRIVATE KEY-----\n" + String(repeating: "A", count: 40_000)
        #expect(throws: OIDCKeyError.unsupported) { try OIDCKey(pem: long) }
    }

    @Test("No description shows the private half")
    func hidden() throws {
        let key = try OIDCKey(pem: PEMSample.pkcs8)
        var shown = ""
        dump(key, to: &shown)
        shown += "\(key) \(String(reflecting: key))"
        #expect(shown.contains("***") && !shown.contains("BEGIN") && !shown.contains("PrivateKey"))
    }
}
