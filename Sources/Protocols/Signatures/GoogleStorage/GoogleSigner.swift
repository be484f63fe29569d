public import HTTP1
public import WireFormats

/// Signs requests and URLs for the XML API of Google Cloud Storage with one key, version 4 (Cloud Storage documentation,
/// "Canonical requests" and "Signatures"). The canonical request is S3's; the names of fields and parameters, the scope
/// and the derivation of keys are Google's own. Immutable and shared by all loops.
public struct GoogleSigner: Sendable {
    /// An HMAC key's access id, or a service account's address.
    public let identity: String
    private let key: GoogleSigningKey
    private let today = DayKey()

    public init(identity: String, key: GoogleSigningKey) {
        self.identity = identity
        self.key = key
    }

    /// Adds `x-goog-date`, `x-goog-content-sha256` and `authorization`. Covered are `host`, every `x-goog-*` and
    /// `content-md5`.
    ///
    /// The request has its `host`, none of the fields that are added here, names in lower case, and path and query in
    /// the encoding of ``PercentEncoding``.
    @discardableResult
    public func sign(
        _ request: inout OutgoingRequest,
        payload: PayloadHash,
        at now: Instant
    ) throws(RSASigningKey.Refusal) -> SigningStages {
        assert(request.fields.count(of: "host") == 1, "a request is signed for a host")
        assert(request.fields.count(of: "x-goog-date") + request.fields.count(of: "authorization") == 0, "signed twice")
        var dateText: [UInt8] = []
        Timestamp.appendAmz(now, to: &dateText)
        var payloadText: [UInt8] = []
        payload.append(to: &payloadText)
        request.fields.append("x-goog-date", dateText)
        request.fields.append("x-goog-content-sha256", payloadText)

        let places = CanonicalRequest.sorted(covered(request.fields), of: request.fields)
        let names = CanonicalRequest.names(at: places, of: request.fields)
        var canonical = CanonicalRequest(request.method)
        canonical.appendPath(encoded: request.path)
        canonical.appendQuery(encoded: request.query)
        canonical.appendHeaders(at: places, of: request.fields, names: names)
        canonical.appendPayload(payloadText)

        let scope = GoogleScope(dateText: dateText)
        let stages = scope.stages(canonical, algorithm: key.algorithm)
        var authorization = Array(key.algorithm.description.utf8)
        authorization.append(contentsOf: " Credential=".utf8)
        authorization.append(contentsOf: scope.credential(of: identity))
        authorization.append(contentsOf: ", SignedHeaders=".utf8)
        authorization.append(contentsOf: names)
        authorization.append(contentsOf: ", Signature=".utf8)
        try signature(of: stages.stringToSign, at: now, dateText).withUnsafeBytes {
            Hex.append($0, to: &authorization)
        }
        request.fields.append("authorization", authorization)
        return stages
    }

    /// The whole query of a signed URL: `query` and the parameters of the signature, encoded and sorted,
    /// `X-Goog-Signature` last.
    ///
    /// - Parameters:
    ///   - path: encoded.
    ///   - fields: what the request will have to carry, all of it covered: `host` at least, names in lower case.
    ///   - lifetime: whole seconds, at most seven days.
    public func presign(
        _ method: HTTPMethod,
        path: [UInt8],
        query: Query = Query(),
        fields: FieldBlock,
        expiresIn lifetime: Duration,
        at now: Instant
    ) throws(RSASigningKey.Refusal) -> [UInt8] {
        let url = UnsignedGoogleURL(
            method,
            path: path,
            query: query,
            fields: fields,
            identity: identity,
            algorithm: key.algorithm,
            expiresIn: lifetime,
            at: now
        )
        return url.query(signedBy: try signature(of: url.stages.stringToSign, at: now))
    }

    /// What a form of a browser has to carry for this key's signature (Cloud Storage documentation, "Policy document").
    public func formFields(at now: Instant) -> [(name: String, value: String)] {
        var dateText: [UInt8] = []
        Timestamp.appendAmz(now, to: &dateText)
        let credential = GoogleScope(dateText: dateText).credential(of: identity)
        return [
            ("x-goog-algorithm", key.algorithm.description),
            ("x-goog-credential", String(decoding: credential, as: UTF8.self)),
            ("x-goog-date", String(decoding: dateText, as: UTF8.self)),
        ]
    }

    /// The signature of a form's policy, in hexadecimal digits.
    /// - Parameter policy: in base64, as the form carries it.
    public func signature(ofPolicy policy: String, at now: Instant) throws(RSASigningKey.Refusal) -> String {
        var text: [UInt8] = []
        try signature(of: Array(policy.utf8), at: now).withUnsafeBytes { Hex.append($0, to: &text) }
        return String(decoding: text, as: UTF8.self)
    }

    private func covered(_ fields: FieldBlock) -> [Int] {
        fields.entries.indices.filter { place in
            let entry = fields.entries[place]
            return fields.hasPrefix(entry, "x-goog-") || fields.isNamed(entry, "host")
                || fields.isNamed(entry, "content-md5")
        }
    }

    private func signature(
        of stringToSign: [UInt8],
        at now: Instant,
        _ dateText: [UInt8]? = nil
    ) throws(RSASigningKey.Refusal) -> [UInt8] {
        switch key {
        case .rsa(let key): return try key.signature(for: stringToSign)
        case .hmac(let secret):
            let key = today.key(now.daysSince1970) {
                var text = dateText ?? []
                if text.isEmpty { Timestamp.appendAmz(now, to: &text) }
                return SigningKey(
                    secret: secret,
                    date: Array(text.prefix(8)),
                    region: GoogleScope.region,
                    service: GoogleScope.service,
                    derivation: .google
                )
            }
            return Array(key.authenticationCode(for: stringToSign))
        }
    }
}
