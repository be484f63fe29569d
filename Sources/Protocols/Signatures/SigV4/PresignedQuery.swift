public import WireFormats

/// The signature parameters of a presigned URL, taken apart (AWS S3 API reference, "Authenticating Requests: Using
/// Query Parameters"). Each is there exactly once; the token and the payload hash at most once.
public final class PresignedQuery: Sendable {
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

    init(_ parameters: SignatureParameters, of query: Query) throws(SignatureRefusal) {
        func optional(
            _ name: SignatureParameters.Name,
            _ parameter: SignatureRefusal.Parameter
        ) throws(SignatureRefusal) -> ArraySlice<UInt8>? {
            try parameters.place(of: name, parameter).map { query.value(at: $0) }
        }
        func required(
            _ name: SignatureParameters.Name,
            _ parameter: SignatureRefusal.Parameter
        ) throws(SignatureRefusal) -> ArraySlice<UInt8> {
            guard let value = try optional(name, parameter) else { throw .malformed(.query, .missing(parameter)) }
            return value
        }
        let algorithm = try required(.algorithm, .algorithm)
        guard algorithm.spell("AWS4-HMAC-SHA256") else { throw .malformed(.query, .unsupportedAlgorithm) }
        let credential = try required(.credential, .credential)
        dateText = Array(try required(.date, .date))
        let expires = try required(.expires, .expires)
        let names = try required(.signedHeaders, .signedHeaders)
        let proof = try required(.signature, .signature)
        securityToken = try optional(.securityToken, .securityToken).map { Array($0) }
        contentSHA256 = try optional(.contentSHA256, .contentSHA256).map { Array($0) }

        scope = try CredentialScope(parsing: credential, in: .query)
        guard let signedAt = Timestamp.parseAmz(dateText) else { throw .malformed(.query, .malformed(.date)) }
        self.signedAt = signedAt
        lifetime = try PresignedQuery.lifetime(expires)
        guard let signedHeaders = SignedHeaders(names) else { throw .malformed(.query, .malformed(.signedHeaders)) }
        self.signedHeaders = signedHeaders
        guard let signature = Hex.decodeSignature(proof) else { throw .malformed(.query, .malformed(.signature)) }
        self.signature = signature
    }

    public var expiresAt: Instant { signedAt + lifetime }

    /// Plain decimal digits without sign, space or leading zero.
    private static func lifetime(_ text: ArraySlice<UInt8>) throws(SignatureRefusal) -> Duration {
        let digits = text.first == UInt8(ascii: "-") ? text.dropFirst() : text
        guard !digits.isEmpty, digits.count <= 18, digits.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }),
            digits.count == 1 || digits.first != UInt8(ascii: "0")
        else { throw .malformed(.query, .malformed(.expires)) }
        let seconds = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        // A link that was never good for anything: S3 counts it among those that are not any more.
        guard seconds != 0 else { throw .expired }
        guard digits.count == text.count, (1...maxLifetimeSeconds).contains(seconds) else {
            throw .malformed(.query, .expiresOutOfRange)
        }
        return .seconds(seconds)
    }
}
