import Crypto
import CryptoExtras
public import WireFormats

/// What signatures of version 4 for Google Cloud Storage are made with (Cloud Storage documentation, "Signatures").
public enum GoogleSigningKey: Sendable {
    /// An HMAC key's secret.
    case hmac(Secret<String>)
    /// A service account's private key.
    case rsa(RSASigningKey)

    /// The value of `X-Goog-Algorithm`.
    public var algorithm: StaticString {
        switch self {
        case .hmac: "GOOG4-HMAC-SHA256"
        case .rsa: RSASigningKey.algorithm
        }
    }
}

/// A service account's RSA key. Signs with PKCS #1 version 1.5 over SHA-256, which is deterministic (RFC 8017, 8.2).
public struct RSASigningKey: Sendable {
    public enum Refusal: Error, Hashable {
        /// No PEM of an RSA private key.
        case malformed
        /// Shorter than 2048 bits.
        case tooShort
        /// The key could not sign: its parts don't belong together.
        case unusable
    }

    static let algorithm: StaticString = "GOOG4-RSA-SHA256"

    private let key: _RSA.Signing.PrivateKey

    /// - Parameter pem: `PRIVATE KEY` (PKCS #8) or `RSA PRIVATE KEY` (PKCS #1).
    public init(pem: Secret<String>) throws(Refusal) {
        do {
            key = try _RSA.Signing.PrivateKey(unsafePEMRepresentation: pem.reveal())
        } catch {
            throw .malformed
        }
        guard key.keySizeInBits >= 2048 else { throw .tooShort }
        // Whether it can sign at all is known now, and not with the first request.
        _ = try signature(for: Array("gatehouse".utf8))
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256, as long as the key.
    public func signature(for message: [UInt8]) throws(Refusal) -> [UInt8] {
        do {
            return Array(try key.signature(for: message, padding: .insecurePKCS1v1_5).rawRepresentation)
        } catch {
            throw .unusable
        }
    }
}
