public import HTTP1
public import S3API
public import Signatures
public import WireFormats

extension S3Backend {
    /// Signed for the path and host that it is sent under, with the client's whole query, and with all `x-amz-` fields
    /// that came. The conditions of what changes something are signed too: a gateway that drops one has no signature left.
    public func gatewayRequest(
        for request: S3Request,
        head: RequestHead,
        payload: PayloadHash,
        at now: Instant
    ) throws(S3Error) -> GatewayRequest? {
        guard let signer else { return nil }
        var outgoing = GatewayRequest.start(head.method, try path(of: request.address), request.query)
        outgoing.fields.append("host", host)
        let changes = head.method != .get && head.method != .head
        for entry in head.fields.entries
        where head.fields.hasPrefix(entry, "x-amz-")
            || changes && Self.conditions.contains(where: { head.fields.isNamed(entry, $0) })
        {
            guard !Self.replaced.contains(where: { head.fields.isNamed(entry, $0) }) else { continue }
            outgoing.fields.append(entry, of: head.fields, lowercasing: .name)
        }
        signer.sign(&outgoing, payload: payload, at: now, alsoSigning: changes ? Self.conditions : [])
        return GatewayRequest(signed: outgoing, added: Self.added)
    }

    private static let added: [StaticString] = [
        "authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token",
    ]
    private static let conditions: [StaticString] = ["if-match", "if-none-match"]
    /// What the signature brings of its own.
    private static let replaced: [StaticString] = ["x-amz-date", "x-amz-content-sha256", "x-amz-security-token"]
}
