public import Crypto
import WireFormats

/// The chain of signatures of an aws-chunked body: each signs its chunk and the signature before it, the first one that
/// of the request's head (S3 API reference, "Signature calculations for the Authorization header: transferring payload
/// in multiple chunks").
///
/// Takes the chunks in their order, the empty last one included, and then the trailer where there is one. A chunk that is
/// refused leaves nothing to go on with.
public struct ChunkSignatures: Sendable {
    /// What is the same for all chunks of a body. Held by reference: few requests have any.
    private final class Seed: Sendable {
        let key: SigningKey
        /// `{date}\n{scope}\n`
        let dateAndScope: [UInt8]

        init(key: SigningKey, scope: CredentialScope, dateText: [UInt8]) {
            self.key = key
            var text = dateText
            text.append(UInt8(ascii: "\n"))
            scope.append(to: &text)
            text.append(UInt8(ascii: "\n"))
            dateAndScope = text
        }
    }

    private let seed: Seed
    /// 32 bytes.
    private var previous: [UInt8]

    /// - Parameters:
    ///   - dateText: The request's time as `YYYYMMDD'T'HHMMSS'Z'`.
    ///   - seed: The head's signature, 32 bytes.
    init(key: SigningKey, scope: CredentialScope, dateText: [UInt8], seed: [UInt8]) {
        self.seed = Seed(key: key, scope: scope, dateText: dateText)
        previous = seed
    }

    /// Confirms the signature of the next chunk, 32 bytes, in constant time.
    public mutating func verifyChunk(
        sha256: SHA256Digest,
        signature: some Collection<UInt8>
    ) throws(SignatureRefusal) {
        try verify(stringToSign(chunk: sha256), signature)
    }

    /// Confirms the signature of the trailer, 32 bytes, in constant time.
    ///
    /// - Parameter text: `name:value\n`, the name in lower case, without the signature's own line.
    public mutating func verifyTrailer(
        _ text: [UInt8],
        signature: some Collection<UInt8>
    ) throws(SignatureRefusal) {
        try verify(stringToSign(trailer: text), signature)
    }

    /// What the signature of the next chunk signs.
    public func stringToSign(chunk sha256: SHA256Digest) -> [UInt8] {
        var text = start("AWS4-HMAC-SHA256-PAYLOAD\n")
        PayloadHash.empty.append(to: &text)
        text.append(UInt8(ascii: "\n"))
        sha256.withUnsafeBytes { Hex.append($0, to: &text) }
        return text
    }

    /// What the signature of the trailer signs.
    public func stringToSign(trailer: [UInt8]) -> [UInt8] {
        var text = start("AWS4-HMAC-SHA256-TRAILER\n")
        SHA256.hash(data: trailer).withUnsafeBytes { Hex.append($0, to: &text) }
        return text
    }

    private func start(_ algorithm: StaticString) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(320)
        algorithm.withUTF8Buffer { text.append(contentsOf: $0) }
        text.append(contentsOf: seed.dateAndScope)
        previous.withUnsafeBytes { Hex.append($0, to: &text) }
        text.append(UInt8(ascii: "\n"))
        return text
    }

    private mutating func verify(
        _ stringToSign: [UInt8],
        _ signature: some Collection<UInt8>
    ) throws(SignatureRefusal) {
        let expected = seed.key.authenticationCode(for: stringToSign)
        guard expected.withUnsafeBytes({ constantTimeEqual($0, signature) }) else { throw .signatureMismatch }
        previous = Array(expected)
    }
}
