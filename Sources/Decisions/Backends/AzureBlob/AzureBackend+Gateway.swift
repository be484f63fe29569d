public import HTTP1
public import S3API
public import Signatures
public import WireFormats

extension AzureBackend {
    /// Signed with the account's key only: a token is bound to nothing. What a gateway sends on unchanged must mean to Azure
    /// what it means to S3: blobs can be read, put without metadata, and deleted.
    public func gatewayRequest(
        for request: S3Request,
        head: RequestHead,
        payload: PayloadHash,
        at now: Instant
    ) throws(S3Error) -> GatewayRequest? {
        guard case .sharedKey(let signer) = credential else { return nil }
        guard let key = request.key, Self.forwarded.contains(request.operation), request.versionID == nil,
            head.query?.isEmpty ?? true
        else { throw Self.otherwise }
        var outgoing = OutgoingRequest(method: head.method, path: try path(key))
        outgoing.fields.append("host", endpoint.authority)
        var added: [StaticString] = ["authorization", "x-ms-date", "x-ms-version"]
        for entry in head.fields.entries {
            if head.fields.hasPrefix(entry, "x-ms-") { throw Self.otherwise }
            if let field = AmzField(name: head.fields.name(entry)) {
                guard field.carriage == .dropped else { throw Self.otherwise }
            } else if isUserMetadata(head.fields.name(entry)) {
                throw Self.otherwise
            }
            guard let name = Self.covered.first(where: { head.fields.isNamed(entry, $0) }) else { continue }
            // ETags are others here and there.
            guard !name.description.hasSuffix("match") else { throw Self.otherwise }
            outgoing.fields.append(entry, of: head.fields, lowercasing: .name)
        }
        if request.operation == .putObject {
            guard case .length(let length) = head.framing else { throw S3Error(.missingContentLength) }
            guard length <= AzureTurn.largestBlob else { throw S3Error(.entityTooLarge) }
            if outgoing.fields.first("content-length") == nil {
                outgoing.fields.append("content-length", String(length))
            }
            outgoing.fields.append("x-ms-blob-type", "BlockBlob")
            added.append("x-ms-blob-type")
        }
        outgoing.fields.append("x-ms-version", Self.version)
        signer.sign(&outgoing, at: now)
        return GatewayRequest(signed: outgoing, added: added)
    }

    private static let forwarded: Set<S3Operation> = [.getObject, .headObject, .putObject, .deleteObject]

    /// The fields of a client that a signature covers and that travel.
    private static let covered: [StaticString] = [
        "content-encoding", "content-language", "content-length", "content-md5", "content-type",
        "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range",
    ]

    private static let otherwise = S3Error(
        .notImplemented,
        "What this request says means something else at Azure; Gatehouse itself has to carry it."
    )
}
