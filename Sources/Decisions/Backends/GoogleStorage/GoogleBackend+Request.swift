import Crypto
import HTTP1
import S3API
import Signatures
import WireFormats

extension GoogleBackend {
    /// A request, whole and authorized.
    ///
    /// - Parameters:
    ///   - fields: of the request but `host`; names in lower case.
    ///   - length: of the body; nil: there is none and none is announced.
    ///   - hash: of the body, as far as it is known.
    func request(
        _ method: HTTPMethod,
        path: [UInt8],
        query: Query = Query(),
        fields: FieldBlock = FieldBlock(),
        length: Int64? = nil,
        hash: PayloadHash = .empty,
        at now: Instant
    ) throws(S3Error) -> OutgoingRequest {
        var text: [UInt8] = []
        query.appendCanonical(to: &text)
        var outgoing = OutgoingRequest(
            method: method,
            path: path,
            query: text,
            fields: FieldBlock(reservingBytes: fields.bytes.count + 512, fields: fields.entries.count + 6)
        )
        outgoing.fields.append("host", host)
        for entry in fields.entries { outgoing.fields.append(entry, of: fields, lowercasing: .nothing) }
        if let length { outgoing.fields.append("content-length", String(length)) }
        try authorize(&outgoing, hash, at: now)
        return outgoing
    }

    /// A request with a document.
    func request(
        posting document: [UInt8],
        to path: [UInt8],
        query: Query,
        at now: Instant
    ) throws(S3Error) -> OutgoingRequest {
        var fields = FieldBlock()
        fields.append("content-type", "application/xml")
        return try request(
            .post,
            path: path,
            query: query,
            fields: fields,
            length: Int64(document.count),
            hash: .sha256(Array(SHA256.hash(data: document))),
            at: now
        )
    }

    private func authorize(_ request: inout OutgoingRequest, _ hash: PayloadHash, at now: Instant) throws(S3Error) {
        switch credential {
        case .anonymous: return
        case .hmac(let signer):
            do { try signer.sign(&request, payload: hash, at: now) } catch { throw S3Error(.internalError) }
        case .serviceAccount(_, token: let token?), .token(let token, signedAs: _):
            request.fields.append("authorization", "Bearer " + token.reveal())
        case .serviceAccount(_, token: nil): throw S3Error(.backendCredentialUnavailable)
        }
    }
}
