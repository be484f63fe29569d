import Crypto
public import HTTP1
public import WireFormats

/// Verification of AWS Signature Version 4 as a function of the head, the secret and the time.
public enum SigV4 {
    /// Between the request's clock and ours, either way.
    public static let maxClockSkew: Duration = .seconds(15 * 60)

    /// Confirms that whoever knows `secret` signed this request for now.
    ///
    /// - Parameters:
    ///   - hosts: What the client may have signed as `host`, likeliest first; empty means the head's own.
    ///   - region: The region that the scope must name; `*` accepts any.
    ///   - body: The hash of the whole body, where the service is one that states none in a field: it is what is signed.
    ///   - keys: Signing keys known so far; gains this one when the signature is right.
    public static func verify(
        _ presented: PresentedSignature,
        head: RequestHead,
        query: Query,
        hosts: [[UInt8]],
        secret: Secret<String>,
        now: Instant,
        region: String = "*",
        service: String = "s3",
        body: PayloadHash? = nil,
        keys: inout SigningKeyCache
    ) throws(SignatureRefusal) -> VerifiedSignature {
        let claim = try SignatureClaim(presented, head: head, body: body)
        try claim.checkTime(now)
        try claim.checkScope(region: region, service: service)
        try claim.checkCoverage(head.fields)

        let cached = keys.key(for: claim.scope, secret: secret)
        let key = cached ?? SigningKey(secret: secret, scope: claim.scope)
        for host in hosts.isEmpty ? [head.host] : hosts {
            for encodedSlash in claim.pathForms(head.path) {
                let stages = try claim.stages(head: head, query: query, host: host, encodedSlash: encodedSlash)
                let expected = key.authenticationCode(for: stages.stringToSign)
                guard expected.withUnsafeBytes({ constantTimeEqual($0, claim.signature) }) else { continue }
                if cached == nil { keys.store(key, for: claim.scope, secret: secret) }
                return VerifiedSignature(
                    scope: claim.scope,
                    payload: claim.payload,
                    signedAt: claim.signedAt,
                    expiresAt: claim.expiresAt,
                    chunkSignatures: claim.chunkSignatures(key: key)
                )
            }
        }
        throw .signatureMismatch
    }

    /// What would be hashed and signed for this host: for tests and for explaining a mismatch. Nothing in it is
    /// secret to the caller who sent the request, but it quotes the request: not for logs.
    public static func stages(
        _ presented: PresentedSignature,
        head: RequestHead,
        query: Query,
        host: [UInt8]
    ) throws(SignatureRefusal) -> SigningStages {
        try SignatureClaim(presented, head: head).stages(head: head, query: query, host: host, encodedSlash: .kept)
    }
}

/// A signature that has been confirmed, and what it promises.
public struct VerifiedSignature: Sendable {
    public let scope: CredentialScope
    /// What the body must turn out to be.
    public let payload: PayloadHash
    public let signedAt: Instant
    /// When a presigned URL ends; nil for header authentication.
    public let expiresAt: Instant?
    /// What the chunks of the body must carry; nil where ``payload`` does not say that they are signed.
    public let chunkSignatures: ChunkSignatures?
}

/// The two texts on the way to a signature.
public struct SigningStages: Hashable, Sendable {
    public let canonicalRequest: [UInt8]
    public let stringToSign: [UInt8]
}
