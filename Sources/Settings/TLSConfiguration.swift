import NIOSSL
package import WireFormats

/// `[server.tls]`: the certificate chain and the key of the public listener, as PEM text that TLS takes, and that belong
/// together.
package struct TLSConfiguration: Sendable {
    package let certificateChain: String
    package let privateKey: Secret<String>

    init?(reading section: Section) {
        let chain = Self.certificates("certificate", in: section)
        let key = Self.privateKey("private_key", in: section)
        section.finish()
        guard let chain, let key else { return nil }
        guard Self.fit(key.parsed, chain.parsed) else {
            section.reader.report(
                "is not the key of the certificate in certificate",
                at: section.place(of: "private_key"),
                suggestion: "a chain begins with the certificate that the key belongs to; its issuer's follows"
            )
            return nil
        }
        certificateChain = chain.text
        privateKey = Secret(key.text)
    }

    /// Whether a key is that of a chain's first certificate, as the library sees it that will use them.
    private static func fit(_ key: NIOSSLPrivateKey, _ chain: [NIOSSLCertificate]) -> Bool {
        let pair = NIOSSL.TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        return (try? NIOSSLContext(configuration: pair)) != nil
    }

    /// Certificates as PEM text, given in place or as `file:` or `env:`: one at least.
    static func certificates(
        _ name: String,
        in section: Section
    ) -> (text: String, parsed: [NIOSSLCertificate])? {
        guard let pem = pem(name, in: section) else { return nil }
        if let parsed = try? NIOSSLCertificate.fromPEMBytes(Array(pem.value.utf8)), !parsed.isEmpty {
            return (pem.value, parsed)
        }
        section.reader.report(
            pem.value.contains(certificateMark)
                ? "is a certificate that can't be read"
                : pem.value.contains(keyMark) ? "is a private key, and no certificate" : "has no certificate in it",
            at: pem.origin,
            suggestion: "a certificate is what stands between -----BEGIN CERTIFICATE----- and its END"
        )
        return nil
    }

    private static func privateKey(
        _ name: String,
        in section: Section
    ) -> (text: String, parsed: NIOSSLPrivateKey)? {
        guard let pem = pem(name, in: section) else { return nil }
        let isEncrypted = pem.value.contains("ENCRYPTED PRIVATE KEY-----") || pem.value.contains("4,ENCRYPTED")
        if !isEncrypted, let parsed = try? NIOSSLPrivateKey(bytes: Array(pem.value.utf8), format: .pem) {
            return (pem.value, parsed)
        }
        section.reader.report(
            isEncrypted
                ? "is encrypted with a passphrase, which nobody can be asked for"
                : pem.value.contains(keyMark)
                    ? "is a private key that can't be read"
                    : pem.value.contains(certificateMark)
                        ? "is a certificate, and no private key" : "has no private key in it",
            at: pem.origin,
            suggestion: isEncrypted
                ? "write it without: openssl pkey -in KEY -out PLAIN"
                : "a key is what stands between -----BEGIN PRIVATE KEY----- and its END"
        )
        return nil
    }

    private static let certificateMark = "CERTIFICATE-----"
    private static let keyMark = "PRIVATE KEY-----"

    /// Text with at least one block of PEM (RFC 7468) in it.
    private static func pem(_ name: String, in section: Section) -> Located<String>? {
        guard section.required(name) != nil, let text = section.resolved(name) else { return nil }
        guard text.value.contains("-----BEGIN ") else {
            section.reader.report(
                "is not PEM text (-----BEGIN ...)",
                at: text.origin,
                suggestion: "name the file as \"file:PATH\""
            )
            return nil
        }
        return text
    }
}
