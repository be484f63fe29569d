public import HTTP1
public import S3API
public import Signatures
public import WireFormats

extension GoogleBackend {
    /// The client's own request, which another gateway carries to the store as it is: it must be one that Google takes to
    /// mean the same. What would have to be translated, on the way or in the answer, is not signed.
    public func gatewayRequest(
        for request: S3Request,
        head: RequestHead,
        payload: PayloadHash,
        at now: Instant
    ) throws(S3Error) -> GatewayRequest? {
        guard let signer = credential.requestSigner else { return nil }
        switch request.operation {
        case .getObject, .headObject, .putObject, .deleteObject: break
        default: throw Self.untranslated
        }
        for entry in head.fields.entries where head.fields.hasPrefix(entry, "x-amz-") {
            guard Self.ofTheSignature.contains(where: { head.fields.isNamed(entry, $0) }) else {
                throw Self.untranslated
            }
        }
        try request.query.forEach { (name, _, _) throws(S3Error) in
            guard
                !S3Operation.knowsParameter(name)
                    || Self.sharedParameters.contains(where: { name.elementsEqual($0.utf8) })
            else { throw Self.untranslated }
        }
        var outgoing = GatewayRequest.start(head.method, try path(of: request.address), request.query)
        outgoing.fields.append("host", host)
        if request.operation == .putObject || request.operation == .deleteObject {
            try appendCondition(of: head, request.operation, to: &outgoing.fields)
        }
        do { try signer.sign(&outgoing, payload: payload, at: now) } catch { throw S3Error(.internalError) }
        return GatewayRequest(signed: outgoing, added: Self.added)
    }

    /// Google does not know the conditions of S3's writes; the one that it has of its own is signed and has to be added.
    private func appendCondition(
        of head: RequestHead,
        _ operation: S3Operation,
        to fields: inout FieldBlock
    ) throws(S3Error) {
        guard head.fields.first("if-match") == nil, head.fields.first("expires") == nil else { throw Self.untranslated }
        guard let condition = head.fields.first("if-none-match") else { return }
        guard operation == .putObject, condition.elementsEqual("*".utf8) else { throw Self.untranslated }
        fields.append("x-goog-if-generation-match", "0")
    }

    private static let untranslated = S3Error(
        .notImplemented,
        "This request has to be translated for its store, which only Gatehouse does."
    )

    /// What the client's own signature brought; it means nothing to Google and must not get there.
    private static let ofTheSignature: [StaticString] = ["x-amz-date", "x-amz-content-sha256", "x-amz-security-token"]
    /// The parameters that mean the same to Google.
    private static let sharedParameters = ["response-content-type", "response-content-disposition"]
    private static let added: [StaticString] = [
        "authorization", "x-goog-date", "x-goog-content-sha256", "x-goog-if-generation-match",
    ]
}
