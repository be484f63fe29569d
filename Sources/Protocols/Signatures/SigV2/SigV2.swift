import Crypto
public import HTTP1
public import WireFormats

/// Verification of AWS Signature Version 2 in the query, as a function of the head, the secret and the time. The header
/// form has no function here: it is never accepted.
public enum SigV2 {
    /// How far ahead `Expires` may lie. Version 2 states no time of signing, so that unlike version 4's week this one is
    /// counted from now; without a bound a URL would be a credential for ever.
    public static let maxLifetime: Duration = .seconds(PresignedQuery.maxLifetimeSeconds)

    /// Confirms that whoever knows `secret` signed this request, for a time that is not over.
    ///
    /// - Parameter bucket: the bucket that the host names; nil where the path names it.
    public static func verify(
        _ presented: PresignedQueryV2,
        head: RequestHead,
        query: Query,
        bucket: String?,
        secret: Secret<String>,
        now: Instant
    ) throws(SignatureRefusal) -> VerifiedSignatureV2 {
        guard now <= presented.expiresAt else { throw .expired }
        guard presented.expiresAt <= now + maxLifetime + SigV4.maxClockSkew else {
            throw .malformed(.queryV2, .expiresOutOfRange)
        }
        let canonical = try CanonicalStringV2(presented, head: head, query: query, bucket: bucket)
        let key = SymmetricKey(data: Array(secret.reveal().utf8))
        for path in try canonical.pathForms() {
            let expected = HMAC<Insecure.SHA1>.authenticationCode(for: canonical.bytes(path: path), using: key)
            guard expected.withUnsafeBytes({ constantTimeEqual($0, presented.signature) }) else { continue }
            return VerifiedSignatureV2(payload: canonical.payload, expiresAt: presented.expiresAt)
        }
        throw .signatureMismatch
    }

    /// What would be signed: for tests and for explaining a mismatch. It quotes the request: not for logs.
    public static func stringToSign(
        _ presented: PresignedQueryV2,
        head: RequestHead,
        query: Query,
        bucket: String?
    ) throws(SignatureRefusal) -> [UInt8] {
        try CanonicalStringV2(presented, head: head, query: query, bucket: bucket).bytes(path: head.path)
    }
}

/// A version 2 signature that has been confirmed, and what it promises.
public struct VerifiedSignatureV2: Hashable, Sendable {
    /// What the body must turn out to be, where the client says so: `unsigned` otherwise.
    public let payload: PayloadHash
    public let expiresAt: Instant
}
