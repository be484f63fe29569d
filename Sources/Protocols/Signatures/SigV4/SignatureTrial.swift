import Crypto
public import HTTP1
public import WireFormats

/// A version 4 signature held against a request that may differ from the one that came: finding the request that was
/// signed tells what happened to it on the way. For explaining a mismatch, never for accepting one: neither time nor
/// scope nor coverage is looked at, and nothing that is signed comes out.
public struct SignatureTrial: Sendable {
    /// How path or query is taken.
    public enum Text: Sendable {
        /// Decoded once and encoded once, as for verifying.
        case received([UInt8])
        /// As if the client had signed it the way it stands, without encoding it.
        case literal([UInt8])
    }

    public var method: HTTPMethod
    public var path: Text
    /// What follows the `?`.
    public var query: Text
    public var fields: FieldBlock
    public var host: [UInt8]
    /// The last line; nil: what the request says of its body.
    public var payload: [UInt8]?
    private let claim: SignatureClaim

    /// The request as it came.
    public init(_ presented: PresentedSignature, head: RequestHead, host: [UInt8]) throws(SignatureRefusal) {
        claim = try SignatureClaim(presented, head: head)
        method = head.method
        path = .received(head.path)
        query = .received(head.query ?? [])
        fields = head.fields
        self.host = host
    }

    /// When the client says it signed.
    public var signedAt: Instant { claim.signedAt }
    /// When a presigned URL ends.
    public var expiresAt: Instant? { claim.expiresAt }
    public var scope: CredentialScope { claim.scope }
    public var signedHeaders: SignedHeaders { claim.signedHeaders }
    /// What the signature says about the body.
    public var statedPayload: PayloadHash { claim.payload }

    /// The two texts that would have been signed.
    public func stages(
        encodedSlash: CanonicalRequest.EncodedSlash = .kept
    ) throws(SignatureRefusal) -> SigningStages {
        var request = CanonicalRequest(method)
        switch path {
        case .received(let bytes): try request.appendPath(received: bytes, encodedSlash: encodedSlash)
        case .literal(let bytes): request.appendPath(encoded: bytes)
        }
        switch query {
        case .received(let bytes):
            guard let query = try? Query(parsing: bytes) else { throw .ambiguousParameter }
            request.appendQuery(query, excluding: claim.place == .header ? nil : "X-Amz-Signature")
        case .literal(let bytes):
            let items = bytes.split(separator: UInt8(ascii: "&")).filter {
                claim.place == .header || !$0.starts(with: "X-Amz-Signature=".utf8)
            }
            request.appendQuery(encoded: Array(items.joined(separator: [UInt8(ascii: "&")])))
        }
        return try claim.finish(&request, fields: fields, host: host, payload: payload)
    }

    /// Whether whoever knows `secret` signed exactly this.
    public func isSigned(with secret: Secret<String>) -> Bool {
        let key = SigningKey(secret: secret, scope: claim.scope)
        for form in [CanonicalRequest.EncodedSlash.kept, .plain] {
            guard let stages = try? stages(encodedSlash: form) else { return false }
            let code = key.authenticationCode(for: stages.stringToSign)
            if code.withUnsafeBytes({ constantTimeEqual($0, claim.signature) }) { return true }
        }
        return false
    }
}
