public import HTTP1
public import S3API
public import Signatures
public import WireFormats

extension S3Backend {
    /// The request as the store will receive it from another gateway, which carries the client's own: signed for the
    /// path and host that it is sent under, with the client's whole query, and with all `x-amz-` fields that came.
    ///
    /// Its fields are those that the signature covers, not all that travel.
    ///
    /// - Parameters:
    ///   - head: of the client.
    ///   - payload: what the signature shall say of a body that is not seen here.
    /// - Throws: `KeyTooLongError`.
    public func forwardedRequest(
        for request: S3Request,
        head: RequestHead,
        payload: PayloadHash,
        at now: Instant
    ) throws(S3Error) -> OutgoingRequest {
        var query: [UInt8] = []
        request.query.appendCanonical(to: &query)
        var outgoing = OutgoingRequest(
            method: head.method,
            path: try path(of: request.address),
            query: query,
            fields: FieldBlock(reservingBytes: 768, fields: 8)
        )
        outgoing.fields.append("host", host)
        for entry in head.fields.entries where head.fields.hasPrefix(entry, "x-amz-") {
            guard !Self.replaced.contains(where: { head.fields.isNamed(entry, $0) }) else { continue }
            outgoing.fields.append(entry, of: head.fields, lowercasing: .name)
        }
        signer?.sign(&outgoing, payload: payload, at: now)
        return outgoing
    }

    /// What the signature brings of its own.
    private static let replaced: [StaticString] = ["x-amz-date", "x-amz-content-sha256", "x-amz-security-token"]
}
