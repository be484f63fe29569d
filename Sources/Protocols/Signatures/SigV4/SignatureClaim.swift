import HTTP1
import WireFormats

/// What a request claims by its signature, the same for both places: the checks that need no key are methods here.
///
/// Held by reference: it is handed on several times and holds many runs of bytes.
final class SignatureClaim: Sendable {
    let place: SignatureRefusal.Place
    let scope: CredentialScope
    let signedHeaders: SignedHeaders
    let signature: [UInt8]
    let signedAt: Instant
    let expiresAt: Instant?
    let payload: PayloadHash
    let dateText: [UInt8]
    private let payloadText: [UInt8]

    /// - Parameter body: what is signed for the body where no field states it; nil: a field has to.
    init(
        _ presented: PresentedSignature,
        head: RequestHead,
        body: PayloadHash? = nil
    ) throws(SignatureRefusal) {
        switch presented {
        case .header(let authorization):
            place = .header
            scope = authorization.scope
            signedHeaders = authorization.signedHeaders
            signature = authorization.signature
            (signedAt, dateText) = try SignatureClaim.date(head.fields)
            expiresAt = nil
            payloadText = try SignatureClaim.statedPayload(head, body)
        case .presignedV4(let presigned):
            place = .query
            scope = presigned.scope
            signedHeaders = presigned.signedHeaders
            signature = presigned.signature
            signedAt = presigned.signedAt
            dateText = presigned.dateText
            expiresAt = presigned.expiresAt
            payloadText = try SignatureClaim.payloadText(presigned, head.fields, body)
        case .presignedV2, .headerV2: throw .signatureVersion2
        case .otherScheme: throw .malformed(.header, .unsupportedAlgorithm)
        }
        guard let payload = PayloadHash(payloadText) else { throw PayloadHash.refusal(of: payloadText) }
        self.payload = payload
    }

    /// `x-amz-date`, or in its absence `Date`, in the compact form or as an HTTP date.
    private static func date(_ fields: FieldBlock) throws(SignatureRefusal) -> (Instant, [UInt8]) {
        if let text = try fields.once("x-amz-date") {
            guard let instant = Timestamp.parseAmz(text) else { throw .missingDate }
            return (instant, Array(text))
        }
        guard let text = try fields.once("date"), let instant = Timestamp.parseAmz(text) ?? Timestamp.parseHTTP(text)
        else { throw .missingDate }
        var dateText: [UInt8] = []
        Timestamp.appendAmz(instant, to: &dateText)
        return (instant, dateText)
    }

    /// `x-amz-content-sha256`. AWS requires it; curl before 8.10 leaves it out of requests without a body and signs the
    /// hash of nothing, which is unambiguous then and only then.
    private static func statedPayload(
        _ head: RequestHead,
        _ body: PayloadHash?
    ) throws(SignatureRefusal) -> [UInt8] {
        if let text = try head.fields.once("x-amz-content-sha256") { return Array(text) }
        if let body { return text(of: body) }
        guard head.framing.isEmpty else { throw .missingContentSHA256 }
        return text(of: .empty)
    }

    private static func text(of payload: PayloadHash) -> [UInt8] {
        var text: [UInt8] = []
        payload.append(to: &text)
        return text
    }

    private static func payloadText(
        _ presigned: PresignedQuery,
        _ fields: FieldBlock,
        _ body: PayloadHash?
    ) throws(SignatureRefusal) -> [UInt8] {
        let field = try fields.once("x-amz-content-sha256")
        if let stated = presigned.contentSHA256 {
            if let field, !field.elementsEqual(stated) { throw .conflictingContentSHA256 }
            return stated
        }
        return field.map { Array($0) } ?? body.map(text(of:)) ?? unsignedPayload
    }

    private static let unsignedPayload = Array("UNSIGNED-PAYLOAD".utf8)

    /// Header signatures are good for 15 minutes either way. Presigned ones are good from their time (15 minutes of
    /// clock difference granted) to the expiry they state, whatever their age.
    func checkTime(_ now: Instant) throws(SignatureRefusal) {
        let age = now.duration(since: signedAt)
        if let expiresAt {
            guard age >= .zero - SigV4.maxClockSkew else { throw .notYetValid }
            guard now <= expiresAt else { throw .expired }
        } else {
            guard age <= SigV4.maxClockSkew, age >= .zero - SigV4.maxClockSkew else { throw .requestTimeTooSkewed }
        }
    }

    func checkScope(region: String, service: String) throws(SignatureRefusal) {
        guard scope.date[...] == dateText.prefix(8) else { throw .malformed(place, .scopeDate) }
        guard sameBytes(scope.service, service) else { throw .malformed(place, .scopeService) }
        guard region == "*" || sameBytes(scope.region, region) else {
            throw .wrongRegion(place, expected: region)
        }
    }

    /// `host` and every `x-amz-*` field that is there must be covered: an added one could change what is done.
    func checkCoverage(_ fields: FieldBlock) throws(SignatureRefusal) {
        guard signedHeaders.contains("host") else { throw .hostNotSigned }
        for entry in fields.entries where fields.hasPrefix(entry, "x-amz-") {
            let name = fields.name(entry)
            guard signedHeaders.contains(name) else {
                throw .headerNotSigned(String(decoding: name.map(lowered), as: UTF8.self))
            }
        }
    }

    /// Which readings of the path to try: two where it holds an encoded slash.
    func pathForms(_ path: [UInt8]) -> [CanonicalRequest.EncodedSlash] {
        let hasEncodedSlash = path.withUnsafeBufferPointer { path in
            for index in 0..<max(0, path.count - 2)
            where path[index] == UInt8(ascii: "%") && path[index + 1] == UInt8(ascii: "2")
                && path[index + 2] | 0x20 == 0x66
            {
                return true
            }
            return false
        }
        return hasEncodedSlash ? SignatureClaim.bothForms : SignatureClaim.plainForm
    }

    private static let plainForm: [CanonicalRequest.EncodedSlash] = [.plain]
    private static let bothForms: [CanonicalRequest.EncodedSlash] = [.kept, .plain]

    /// Where the chunks' signatures go on from this one; nil where none are promised.
    func chunkSignatures(key: SigningKey) -> ChunkSignatures? {
        guard case .chunked(let form) = payload, form.isSigned else { return nil }
        return ChunkSignatures(key: key, scope: scope, dateText: dateText, seed: signature)
    }

    func stages(
        head: RequestHead,
        query: Query,
        host: [UInt8],
        encodedSlash: CanonicalRequest.EncodedSlash
    ) throws(SignatureRefusal) -> SigningStages {
        var request = CanonicalRequest(head.method)
        try request.appendPath(received: head.path, encodedSlash: encodedSlash)
        switch place {
        case .header: request.appendQuery(query)
        case .query, .queryV2, .form: request.appendQuery(query, excluding: "X-Amz-Signature")
        }
        return try finish(&request, fields: head.fields, host: host, payload: nil)
    }

    /// The rest of it, where method, path and query are there.
    ///
    /// - Parameter payload: the last line; nil: as stated.
    func finish(
        _ request: inout CanonicalRequest,
        fields: FieldBlock,
        host: [UInt8],
        payload: [UInt8]?
    ) throws(SignatureRefusal) -> SigningStages {
        try request.appendHeaders(signedHeaders, of: fields, host: host)
        request.appendPayload(payload ?? payloadText)
        return SigningStages(
            canonicalRequest: request.bytes,
            stringToSign: StringToSign.bytes(dateText: dateText, scope: scope, canonicalRequest: request.bytes)
        )
    }
}

extension FieldBlock {
    fileprivate func once(_ name: StaticString) throws(SignatureRefusal) -> ArraySlice<UInt8>? {
        do { return try single(name) } catch { throw .repeatedHeader(name.description) }
    }
}
