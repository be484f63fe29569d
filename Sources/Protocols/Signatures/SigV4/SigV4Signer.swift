import Crypto
public import HTTP1
public import WireFormats

/// Signs requests of ours with one credential, for one region and service. Immutable and shared by all loops; the
/// day's signing key is behind a `Mutex` that is held to copy it out.
public struct SigV4Signer: Sendable {
    public let accessKeyID: String
    public let region: String
    public let service: String
    private let secret: Secret<String>
    private let sessionToken: Secret<String>?
    /// Whether the token stands in a canonical request as it is: without white space.
    private let tokenIsPlain: Bool
    private let today = DayKey()
    /// `/us-east-1/s3/aws4_request`
    private let scopeTail: [UInt8]

    public init(
        accessKeyID: String,
        secret: Secret<String>,
        sessionToken: Secret<String>? = nil,
        region: String,
        service: String = "s3"
    ) {
        self.accessKeyID = accessKeyID
        self.secret = secret
        self.sessionToken = sessionToken
        tokenIsPlain = sessionToken?.reveal().utf8.allSatisfy { $0 > 0x20 } ?? true
        self.region = region
        self.service = service
        scopeTail = Array("/\(region)/\(service)/aws4_request".utf8)
    }

    /// Adds `x-amz-date`, `x-amz-content-sha256`, `x-amz-security-token` where the credential has one, and
    /// `authorization`. Covered are `host`, every `x-amz-*`, `content-md5`, and the names in `alsoSigning`.
    ///
    /// The request has its `host`, none of the fields that are added here, names in lower case, and path and query in
    /// the encoding of ``PercentEncoding``, which is what AWS reckons with.
    @discardableResult
    public func sign(
        _ request: inout OutgoingRequest,
        payload: PayloadHash,
        at now: Instant,
        alsoSigning extra: [StaticString] = []
    ) -> SigningStages {
        assert(request.fields.count(of: "host") == 1, "a request is signed for a host")
        assert(request.fields.count(of: "x-amz-date") + request.fields.count(of: "authorization") == 0, "signed twice")
        var dateText: [UInt8] = []
        dateText.reserveCapacity(16)
        Timestamp.appendAmz(now, to: &dateText)
        var payloadText: [UInt8] = []
        payloadText.reserveCapacity(64)
        payload.append(to: &payloadText)
        let isPlain = tokenIsPlain && extra.isEmpty && !coversMore(request.fields)
        request.fields.append("x-amz-date", dateText)
        request.fields.append("x-amz-content-sha256", payloadText)
        if let sessionToken { request.fields.append("x-amz-security-token", sessionToken.reveal()) }

        var canonical = CanonicalRequest(request.method)
        canonical.appendPath(encoded: request.path)
        canonical.appendQuery(encoded: request.query)
        let names: [UInt8]
        if isPlain, let host = request.fields.first("host") {
            names = sessionToken == nil ? Self.plainNames : Self.plainNamesOfSession
            canonical.appendPlainHeaders(
                host: host,
                payload: payloadText,
                date: dateText,
                token: sessionToken?.reveal(),
                names: names
            )
        } else {
            let places = covered(request.fields, extra)
            names = CanonicalRequest.names(at: places, of: request.fields)
            canonical.appendHeaders(at: places, of: request.fields, names: names)
        }
        canonical.appendPayload(payloadText)

        let stringToSign = stringToSign(dateText, canonical)
        request.fields.append("authorization") { value in
            value.append(contentsOf: "AWS4-HMAC-SHA256 Credential=".utf8)
            appendCredential(dateText, to: &value)
            value.append(contentsOf: ", SignedHeaders=".utf8)
            value.append(contentsOf: names)
            value.append(contentsOf: ", Signature=".utf8)
            appendSignature(stringToSign, at: now, dateText, to: &value)
        }
        return SigningStages(canonicalRequest: canonical.bytes, stringToSign: stringToSign)
    }

    /// The whole query of a presigned URL: `query` and the parameters of the signature, encoded and sorted,
    /// `X-Amz-Signature` last. `path` is encoded. `fields` are what the request will have to carry, all of them
    /// covered: `host` at least, names in lower case. `payload` nil leaves the body uncovered without saying so.
    public func presign(
        _ method: HTTPMethod,
        path: [UInt8],
        query: Query = Query(),
        fields: FieldBlock,
        payload: PayloadHash? = nil,
        expiresIn lifetime: Duration,
        at now: Instant
    ) -> [UInt8] {
        var dateText: [UInt8] = []
        Timestamp.appendAmz(now, to: &dateText)
        let places = CanonicalRequest.sorted(Array(fields.entries.indices), of: fields)
        let names = CanonicalRequest.names(at: places, of: fields)
        var credential: [UInt8] = []
        appendCredential(dateText, to: &credential)

        var query = query
        query.append("X-Amz-Algorithm".utf8, "AWS4-HMAC-SHA256".utf8)
        query.append("X-Amz-Credential".utf8, credential)
        query.append("X-Amz-Date".utf8, dateText)
        query.append("X-Amz-Expires".utf8, String(lifetime.components.seconds).utf8)
        query.append("X-Amz-SignedHeaders".utf8, names)
        if let sessionToken { query.append("X-Amz-Security-Token".utf8, sessionToken.reveal().utf8) }
        if let payload {
            var text: [UInt8] = []
            payload.append(to: &text)
            query.append("X-Amz-Content-Sha256".utf8, text)
        }

        var canonical = CanonicalRequest(method)
        canonical.appendPath(encoded: path)
        canonical.appendQuery(query)
        canonical.appendHeaders(at: places, of: fields, names: names)
        canonical.appendPayload(payload ?? .unsigned)
        var text: [UInt8] = []
        query.appendCanonical(to: &text)
        text.append(contentsOf: "&X-Amz-Signature=".utf8)
        appendSignature(stringToSign(dateText, canonical), at: now, dateText, to: &text)
        return text
    }

    /// What a form of a browser has to carry for this credential's signature (S3 API reference, "POST Policy").
    public func formFields(at now: Instant) -> [(name: String, value: Secret<String>)] {
        var dateText: [UInt8] = []
        Timestamp.appendAmz(now, to: &dateText)
        var credential: [UInt8] = []
        appendCredential(dateText, to: &credential)
        var fields: [(name: String, value: Secret<String>)] = [
            ("x-amz-algorithm", Secret("AWS4-HMAC-SHA256")),
            ("x-amz-credential", Secret(String(decoding: credential, as: UTF8.self))),
            ("x-amz-date", Secret(String(decoding: dateText, as: UTF8.self))),
        ]
        if let sessionToken { fields.append(("x-amz-security-token", sessionToken)) }
        return fields
    }

    /// The signature of a form's policy, in hexadecimal digits.
    /// - Parameter policy: in base64, as the form carries it.
    public func signature(ofPolicy policy: String, at now: Instant) -> String {
        var dateText: [UInt8] = []
        Timestamp.appendAmz(now, to: &dateText)
        var text: [UInt8] = []
        appendSignature(Array(policy.utf8), at: now, dateText, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// What is covered of a request that carries nothing of its own to cover: most of them, so that neither sorting nor
    /// collecting is needed.
    private static let plainNames = Array("host;x-amz-content-sha256;x-amz-date".utf8)
    private static let plainNamesOfSession = Array("host;x-amz-content-sha256;x-amz-date;x-amz-security-token".utf8)

    /// Whether a request that is not yet signed holds fields to cover besides `host`.
    private func coversMore(_ fields: FieldBlock) -> Bool {
        for entry in fields.entries
        where fields.hasPrefix(entry, "x-amz-") || fields.isNamed(entry, "content-md5") {
            return true
        }
        return false
    }

    /// Places of the fields to cover, sorted by name.
    private func covered(_ fields: FieldBlock, _ extra: [StaticString]) -> [Int] {
        var places: [Int] = []
        places.reserveCapacity(16)
        for (place, entry) in fields.entries.enumerated() {
            if fields.hasPrefix(entry, "x-amz-") || fields.isNamed(entry, "host")
                || fields.isNamed(entry, "content-md5") || extra.contains(where: { fields.isNamed(entry, $0) })
            {
                places.append(place)
            }
        }
        return CanonicalRequest.sorted(places, of: fields)
    }

    private func appendCredential(_ dateText: [UInt8], to bytes: inout [UInt8]) {
        bytes.append(contentsOf: accessKeyID.utf8)
        bytes.append(UInt8(ascii: "/"))
        bytes.append(contentsOf: dateText.prefix(8))
        bytes.append(contentsOf: scopeTail)
    }

    private func stringToSign(_ dateText: [UInt8], _ canonical: CanonicalRequest) -> [UInt8] {
        var bytes = StringToSign.start(dateText: dateText)
        bytes.append(contentsOf: dateText.prefix(8))
        bytes.append(contentsOf: scopeTail)
        StringToSign.end(&bytes, canonicalRequest: canonical.bytes)
        return bytes
    }

    private func appendSignature(
        _ stringToSign: [UInt8],
        at now: Instant,
        _ dateText: [UInt8],
        to bytes: inout [UInt8]
    ) {
        let key = today.key(now.daysSince1970) {
            SigningKey(secret: secret, date: Array(dateText.prefix(8)), region: region, service: service)
        }
        key.authenticationCode(for: stringToSign).withUnsafeBytes { Hex.append($0, to: &bytes) }
    }
}
