public import Crypto
public import WireFormats

/// The HMAC-SHA256 key of one access key, day, region and service, kept as its two hash states after the padded key,
/// so that a signature costs two compressions of it less (RFC 2104, section 4).
public struct SigningKey: Sendable {
    private let inner: SHA256
    private let outer: SHA256

    /// Whose keys are derived: those of S3 and of Google differ in what they begin and end with.
    enum Derivation {
        case aws, google

        var prefix: String { self == .aws ? "AWS4" : "GOOG4" }
        var terminator: String { self == .aws ? "aws4_request" : "goog4_request" }
    }

    /// HMAC(HMAC(HMAC(HMAC("AWS4" + secret, date), region), service), "aws4_request").
    public init(secret: Secret<String>, date: [UInt8], region: String, service: String) {
        self.init(secret: secret, date: date, region: region, service: service, derivation: .aws)
    }

    init(secret: Secret<String>, date: [UInt8], region: String, service: String, derivation: Derivation) {
        var key = SymmetricKey(data: Array(derivation.prefix.utf8) + Array(secret.reveal().utf8))
        for step in [date, Array(region.utf8), Array(service.utf8), Array(derivation.terminator.utf8)] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: step, using: key))
        }
        inner = SigningKey.state(key, pad: 0x36)
        outer = SigningKey.state(key, pad: 0x5c)
    }

    public init(secret: Secret<String>, scope: CredentialScope) {
        self.init(secret: secret, date: scope.date, region: scope.region, service: scope.service)
    }

    /// HMAC-SHA256 of the message under this key.
    public func authenticationCode(for message: [UInt8]) -> SHA256Digest {
        var first = inner
        message.withUnsafeBytes { first.update(bufferPointer: $0) }
        var second = outer
        first.finalize().withUnsafeBytes { second.update(bufferPointer: $0) }
        return second.finalize()
    }

    private static func state(_ key: SymmetricKey, pad: UInt8) -> SHA256 {
        var block = [UInt8](repeating: pad, count: SHA256.blockByteCount)
        key.withUnsafeBytes { bytes in
            for (index, byte) in bytes.enumerated() { block[index] ^= byte }
        }
        var hash = SHA256()
        block.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return hash
    }
}
