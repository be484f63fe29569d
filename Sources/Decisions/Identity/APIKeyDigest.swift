import Crypto
import WireFormats

/// The SHA-256 of an API key: all that is kept of it, whether the configuration holds the key or only its digest.
/// API keys are long random strings (`gatehouse key new`), so an unsalted digest is as hard to turn back as the key
/// is to guess.
public struct APIKeyDigest: Hashable, Sendable {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// The digest of a key in the clear, as its bytes were presented or configured.
    public init(of key: some Collection<UInt8>) {
        bytes = Array(SHA256.hash(data: Array(key)))
    }

    /// From `api_key_sha256`: 64 hexadecimal digits, nothing else.
    public init?(hex: String) {
        guard let decoded = Hex.decode(hex.utf8), decoded.count == SHA256.byteCount else { return nil }
        bytes = decoded
    }
}
