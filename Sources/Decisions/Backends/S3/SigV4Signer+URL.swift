public import HTTP1
public import Signatures
public import WireFormats

extension SigV4Signer {
    /// A presigned URL, whole.
    ///
    /// - Parameters:
    ///   - path: encoded, from the slash on.
    ///   - fields: what the request has to carry besides `host`; all of it is signed.
    public func url(
        _ method: HTTPMethod,
        transport: Endpoint.Transport,
        host: String,
        path: [UInt8],
        query: Query,
        fields: FieldBlock,
        for lifetime: Duration,
        at now: Instant
    ) -> String {
        var signed = FieldBlock(reservingBytes: fields.bytes.count + 64, fields: fields.entries.count + 1)
        signed.append("host", host)
        for entry in fields.entries { signed.append(entry, of: fields, lowercasing: .name) }
        let text = presign(method, path: path, query: query, fields: signed, expiresIn: lifetime, at: now)
        return transport.scheme + host + String(decoding: path, as: UTF8.self) + "?"
            + String(decoding: text, as: UTF8.self)
    }
}
