import Crypto
import CryptoExtras
import WireFormats

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A key that we sign our own tokens with: RSA of 2048 bits or more (RS256), or P-256 (ES256).
public struct OIDCKey: Sendable {
    /// Longer texts are not read.
    public static let longestPEM = 32 * 1024

    private enum Signer: Sendable {
        case rsa(_RSA.Signing.PrivateKey)
        case p256(P256.Signing.PrivateKey)
    }

    /// The thumbprint of the public half (RFC 7638): two keys never share it, and a key keeps it.
    public let id: String
    public let algorithm: SignatureAlgorithm
    /// The public half.
    public let material: JSONWebKey.Material
    private let signer: Secret<Signer>

    /// From a private key as `openssl genrsa`, `openssl ecparam -genkey` and `openssl genpkey` write it: PKCS #8, PKCS #1
    /// or SEC 1 (RFC 5208, RFC 8017, RFC 5915), in PEM (RFC 7468).
    public init(pem text: String) throws(OIDCKeyError) {
        let pem = try Self.privateKey(in: text)
        // Keys that are too short can be read, so that they can be called that.
        if let key = try? _RSA.Signing.PrivateKey(unsafePEMRepresentation: pem) {
            guard (2048...8192).contains(key.keySizeInBits), let numbers = try? key.publicKey.getKeyPrimitives() else {
                throw .length(bits: key.keySizeInBits)
            }
            signer = Secret(.rsa(key))
            algorithm = .rs256
            material = .rsa(
                modulus: Base64URL.encode(numbers.modulus),
                exponent: Base64URL.encode(numbers.publicExponent)
            )
        } else if let key = try? P256.Signing.PrivateKey(pemRepresentation: pem) {
            let point = key.publicKey.rawRepresentation
            signer = Secret(.p256(key))
            algorithm = .es256
            material = .p256(x: Base64URL.encode(point.prefix(32)), y: Base64URL.encode(point.suffix(32)))
        } else {
            throw .unsupported
        }
        id = material.thumbprint
    }

    /// A JWS signature (RFC 7518, sections 3.3 and 3.4).
    func signature(over bytes: [UInt8]) throws(OIDCKeyError) -> [UInt8] {
        do {
            switch signer.reveal() {
            case .rsa(let key):
                return Array(
                    try key.signature(for: SHA256.hash(data: bytes), padding: .insecurePKCS1v1_5).rawRepresentation
                )
            case .p256(let key): return Array(try key.signature(for: SHA256.hash(data: bytes)).rawRepresentation)
            }
        } catch {
            throw .signing
        }
    }

    /// The one private key of a text; `openssl ecparam` writes the curve's name in front of it.
    private static func privateKey(in text: String) throws(OIDCKeyError) -> String {
        guard text.utf8.count <= longestPEM else { throw .unsupported }
        var blocks: [(label: String, lines: [String])] = []
        var open: (label: String, lines: [String])?
        for raw in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let line = String(
                decoding: raw.filter { $0 != UInt8(ascii: "\r") && $0 != 0x20 && $0 != 0x09 },
                as: UTF8.self
            )
            if line.hasPrefix("-----BEGIN"), line.hasSuffix("-----") {
                guard open == nil else { throw .notPEM }
                open = (String(line.dropFirst(10).dropLast(5)), [])
            } else if line.hasPrefix("-----END"), line.hasSuffix("-----") {
                guard let block = open, line.dropFirst(8).dropLast(5) == block.label else { throw .notPEM }
                blocks.append(block)
                open = nil
            } else {
                open?.lines.append(line)
            }
        }
        blocks.removeAll { $0.label == "ECPARAMETERS" }
        guard open == nil, let block = blocks.first else { throw .notPEM }
        guard blocks.count == 1 else { throw .severalKeys }
        let label: String
        switch block.label {
        case "PRIVATEKEY": label = "PRIVATE KEY"
        case "RSAPRIVATEKEY": label = "RSA PRIVATE KEY"
        case "ECPRIVATEKEY": label = "EC PRIVATE KEY"
        case "ENCRYPTEDPRIVATEKEY": throw .encrypted
        case "PUBLICKEY", "RSAPUBLICKEY", "CERTIFICATE": throw .publicKey
        default: throw .unsupported
        }
        // Older tools say so in a header of the block.
        if block.lines.contains(where: { $0.hasPrefix("Proc-Type:") }) { throw .encrypted }
        return "-----BEGIN \(label)-----\n" + block.lines.joined(separator: "\n") + "\n-----END \(label)-----\n"
    }
}

/// Why a text is no key to sign with. Nothing of the text is in it.
public enum OIDCKeyError: Error, Hashable, Sendable, CustomStringConvertible {
    case notPEM
    case severalKeys
    case encrypted
    case publicKey
    case length(bits: Int)
    case unsupported
    case signing

    public var description: String {
        switch self {
        case .notPEM: "is not a private key in PEM"
        case .severalKeys: "has more than one key"
        case .encrypted: "is encrypted with a passphrase"
        case .publicKey: "is a public key or a certificate: the private key is needed"
        case .length(let bits): "is an RSA key of \(bits) bits: 2048 to 8192 are accepted"
        case .unsupported: "is neither an RSA nor a P-256 private key"
        case .signing: "can't sign"
        }
    }
}
