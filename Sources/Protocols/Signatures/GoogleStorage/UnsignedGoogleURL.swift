public import HTTP1
public import WireFormats

/// A signed URL of Google Cloud Storage before its signature (Cloud Storage documentation, "V4 signing process with your
/// own program").
public struct UnsignedGoogleURL: Sendable {
    let stages: SigningStages
    /// The query that is signed, encoded and sorted.
    private let query: [UInt8]

    /// - Parameters:
    ///   - identity: an HMAC key's access id, or a service account's address.
    ///   - path: encoded, from the slash on.
    ///   - fields: what the request will have to carry, all of it covered: `host` at least, names in lower case.
    ///   - lifetime: whole seconds, at most seven days.
    init(
        _ method: HTTPMethod,
        path: [UInt8],
        query: Query,
        fields: FieldBlock,
        identity: String,
        algorithm: StaticString,
        expiresIn lifetime: Duration,
        at now: Instant
    ) {
        var dateText: [UInt8] = []
        Timestamp.appendAmz(now, to: &dateText)
        let scope = GoogleScope(dateText: dateText)
        let places = CanonicalRequest.sorted(Array(fields.entries.indices), of: fields)
        let names = CanonicalRequest.names(at: places, of: fields)

        var query = query
        query.append("X-Goog-Algorithm".utf8, algorithm.description.utf8)
        query.append("X-Goog-Credential".utf8, scope.credential(of: identity))
        query.append("X-Goog-Date".utf8, dateText)
        query.append("X-Goog-Expires".utf8, String(lifetime.components.seconds).utf8)
        query.append("X-Goog-SignedHeaders".utf8, names)

        var canonical = CanonicalRequest(method)
        canonical.appendPath(encoded: path)
        canonical.appendQuery(query)
        canonical.appendHeaders(at: places, of: fields, names: names)
        if let hash = fields.first("x-goog-content-sha256") {
            canonical.appendPayload(hash)
        } else {
            canonical.appendPayload(.unsigned)
        }
        stages = scope.stages(canonical, algorithm: algorithm)
        var text: [UInt8] = []
        query.appendCanonical(to: &text)
        self.query = text
    }

    /// One that a service account's key signs (RSASSA-PKCS1-v1_5 with SHA-256), wherever it is kept.
    ///
    /// - Parameter account: the service account's address; the others as above.
    public init(
        _ method: HTTPMethod,
        path: [UInt8],
        query: Query,
        fields: FieldBlock,
        account: String,
        expiresIn lifetime: Duration,
        at now: Instant
    ) {
        self.init(
            method,
            path: path,
            query: query,
            fields: fields,
            identity: account,
            algorithm: RSASigningKey.algorithm,
            expiresIn: lifetime,
            at: now
        )
    }

    /// What is signed.
    public var text: [UInt8] { stages.stringToSign }

    /// The whole query of the URL, `X-Goog-Signature` last.
    public func query(signedBy signature: [UInt8]) -> [UInt8] {
        var text = query
        text.append(contentsOf: "&X-Goog-Signature=".utf8)
        signature.withUnsafeBytes { Hex.append($0, to: &text) }
        return text
    }
}
