public import Crypto
public import WireFormats

/// The HMAC-SHA256 key of one access key, day, region and service, kept as its two hash states after the padded key,
/// so that a signature costs two compressions of it less (RFC 2104, section 4).
public struct SigningKey: Sendable {
    private let inner: SHA256
    private let outer: SHA256

    /// HMAC(HMAC(HMAC(HMAC("AWS4" + secret, date), region), service), "aws4_request").
    public init(secret: Secret<String>, date: [UInt8], region: String, service: String) {
        var key = SymmetricKey(data: Array("AWS4".utf8) + Array(secret.reveal().utf8))
        for step in [date, Array(region.utf8), Array(service.utf8), Array("aws4_request".utf8)] {
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
