public import WireFormats

/// The signature parameters of a presigned URL, taken apart (AWS S3 API reference, "Authenticating Requests: Using
/// Query Parameters"). Each is there exactly once; the token and the payload hash at most once.
public struct PresignedQuery: Sendable {
    public let scope: CredentialScope
    public let signedAt: Instant
    /// `X-Amz-Date` as sent, 16 bytes.
    public let dateText: [UInt8]
    /// 1...604800 seconds.
    public let lifetime: Duration
    public let signedHeaders: SignedHeaders
    /// 32 bytes.
    public let signature: [UInt8]
    /// `X-Amz-Security-Token`.
    public let securityToken: [UInt8]?
    /// `X-Amz-Content-Sha256`, not yet interpreted.
    public let contentSHA256: [UInt8]?

    static let maxLifetimeSeconds: Int64 = 604_800

    init(parsing query: Query) throws(SignatureRefusal) {
        let algorithm = try query.required("X-Amz-Algorithm", .algorithm)
        guard algorithm.elementsEqual("AWS4-HMAC-SHA256".utf8) else { throw .malformed(.query, .unsupportedAlgorithm) }
        let credential = try query.required("X-Amz-Credential", .credential)
        dateText = try query.required("X-Amz-Date", .date)
        let expires = try query.required("X-Amz-Expires", .expires)
        let names = try query.required("X-Amz-SignedHeaders", .signedHeaders)
        let proof = try query.required("X-Amz-Signature", .signature)
        securityToken = try query.optional("X-Amz-Security-Token", .securityToken)
        contentSHA256 = try query.optional("X-Amz-Content-Sha256", .contentSHA256)

        scope = try CredentialScope(parsing: credential, in: .query)
        guard let signedAt = Timestamp.parseAmz(dateText) else { throw .malformed(.query, .malformed(.date)) }
        self.signedAt = signedAt
        lifetime = try PresignedQuery.lifetime(expires)
        guard let signedHeaders = SignedHeaders(names) else { throw .malformed(.query, .malformed(.signedHeaders)) }
        self.signedHeaders = signedHeaders
        guard let signature = signatureBytes(proof) else { throw .malformed(.query, .malformed(.signature)) }
        self.signature = signature
    }

    public var expiresAt: Instant { signedAt + lifetime }

    /// Plain decimal digits without sign, space or leading zero.
    private static func lifetime(_ text: [UInt8]) throws(SignatureRefusal) -> Duration {
        let digits = text.first == UInt8(ascii: "-") ? text.dropFirst() : text[...]
        guard !digits.isEmpty, digits.count <= 18, digits.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }),
            digits.count == 1 || digits.first != UInt8(ascii: "0")
        else { throw .malformed(.query, .malformed(.expires)) }
        let seconds = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        guard digits.count == text.count, (1...maxLifetimeSeconds).contains(seconds) else {
            throw .malformed(.query, .expiresOutOfRange)
        }
        return .seconds(seconds)
    }
}

extension Query {
    fileprivate func optional(
        _ name: StaticString,
        _ parameter: SignatureRefusal.Parameter
    ) throws(SignatureRefusal) -> [UInt8]? {
        guard count(of: name) < 2 else { throw .malformed(.query, .repeated(parameter)) }
        return first(name)
    }

    fileprivate func required(
        _ name: StaticString,
        _ parameter: SignatureRefusal.Parameter
    ) throws(SignatureRefusal) -> [UInt8] {
        guard let value = try optional(name, parameter) else { throw .malformed(.query, .missing(parameter)) }
        return value
    }
}
