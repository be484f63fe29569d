public import HTTP1
public import S3API
import Signatures
public import WireFormats

/// One client's request, and all that its exchanges with the store are made of.
struct AzureTurn: Sendable {
    let backend: AzureBackend
    let request: S3Request
    let bucket: BucketName
    let sent: SentFields
    let method: HTTPMethod
    let view: ClientView
    let now: Instant
}

extension AzureBackend {
    public func exchange(
        for request: S3Request,
        head: RequestHead,
        body: OutgoingBody,
        copyingFrom source: (any Backend)?,
        view: ClientView,
        at now: Instant
    ) throws(S3Error) -> Exchange {
        guard let bucket = request.bucket else { throw S3Error(.notImplemented) }
        guard request.versionID == nil else { throw S3Error(.notImplemented, "Azure has no versions of S3's kind.") }
        let sent = SentFields(head, request.query)
        try sent.refuseWhatIsLost(at: "Azure")
        let turn = AzureTurn(
            backend: self,
            request: request,
            bucket: bucket,
            sent: sent,
            method: head.method,
            view: view,
            now: now
        )
        switch request.operation {
        case .headBucket, .getBucketLocation: return try turn.describing()
        case .listObjects, .listObjectsV2: return try turn.listing()
        case .getObject, .headObject: return try turn.reading()
        case .putObject: return try turn.putting(body)
        case .copyObject: return try turn.copying(from: source as? AzureBackend)
        case .deleteObject: return try turn.deleting()
        case .deleteObjects:
            guard case .deletion(let entries) = body else { throw S3Error(.internalError) }
            return try turn.deleting(entries)
        case .createMultipartUpload: return try turn.beginning()
        case .uploadPart: return try turn.puttingPart(body)
        case .uploadPartCopy: return try turn.copyingPart(from: source as? AzureBackend)
        case .listParts: return try turn.listingParts()
        case .listMultipartUploads: return try turn.listingUploads()
        case .completeMultipartUpload:
            guard case .document(let document) = body.asDocument else { throw S3Error(.internalError) }
            return try turn.completing(document)
        case .abortMultipartUpload: return try turn.aborting()
        default: throw S3Error(.notImplemented)
        }
    }
}

extension OutgoingBody {
    /// A client's document that was rewritten is still its own here.
    fileprivate var asDocument: OutgoingBody {
        if case .rewritten(let bytes) = self { .document(bytes) } else { self }
    }
}

// MARK: - Making requests

extension AzureTurn {
    /// The blob that the request is about.
    func key() throws(S3Error) -> ObjectKey {
        guard let key = request.key else { throw S3Error(.invalidRequest) }
        return key
    }

    /// A request, whole and signed.
    func signed(
        _ method: HTTPMethod,
        _ path: [UInt8],
        _ parameters: [(StaticString, String)] = [],
        fields: FieldBlock = FieldBlock(reservingBytes: 512, fields: 12),
        length: Int64? = nil
    ) -> OutgoingRequest {
        var query = Query()
        for (name, value) in parameters { query.append(name.description.utf8, value.utf8) }
        var text: [UInt8] = []
        query.appendCanonical(to: &text)
        var outgoing = OutgoingRequest(method: method, path: path, query: text)
        outgoing.fields.append("host", backend.endpoint.authority)
        for entry in fields.entries { outgoing.fields.append(entry, of: fields, lowercasing: .nothing) }
        if let length { outgoing.fields.append("content-length", String(length)) }
        outgoing.fields.append("x-ms-version", AzureBackend.version)
        switch backend.credential {
        case .sharedKey(let signer): signer.sign(&outgoing, at: now)
        case .bearer(let token, _):
            outgoing.fields.append("x-ms-date", Timestamp.http(now))
            outgoing.fields.append("authorization", "Bearer " + token.reveal())
        case .anonymous: break
        }
        return outgoing
    }

    /// What comes of an answer that is none: the end, or what `accept` makes of it.
    func answer(
        _ head: ResponseHead,
        _ accept: (ResponseHead) -> S3Answer
    ) -> S3Answer {
        switch head.status {
        case 200...299: accept(head)
        case 304: .stream(status: 304, fields: told(head))
        default: .failure(StoreFailure(azure: head, address: request.address), fields: FieldBlock())
        }
    }
}

// MARK: - The bucket

extension AzureTurn {
    func describing() throws(S3Error) -> Exchange {
        let asking = signed(.head, backend.root, [("restype", "container")])
        return Exchange(asking, .none) { [self] head in
            answer(head) { _ in
                // Clients ask for the bucket to learn what region to sign for: ours, the store has none.
                let region = view.region == "*" ? "us-east-1" : view.region
                guard request.operation == .getBucketLocation else {
                    return .collect(limit: 0) { _ in
                        var fields = FieldBlock()
                        fields.append("x-amz-bucket-region", region)
                        return .document(status: 200, fields: fields, body: [])
                    }
                }
                return .xml(UploadResults.location(region: region))
            }
        }
    }
}

extension S3Answer {
    /// A document of ours, in place of a body that says no more than its head.
    static func xml(_ document: [UInt8], _ fields: FieldBlock = FieldBlock()) -> S3Answer {
        .collect(limit: AzureTurn.shortAnswer) { _ in .xml(document, fields) }
    }
}

extension S3CompleteAnswer {
    static func xml(_ document: [UInt8], _ fields: FieldBlock = FieldBlock()) -> S3CompleteAnswer {
        var fields = fields
        fields.append("content-type", "application/xml")
        return .document(status: 200, fields: fields, body: document)
    }

    static func failure(_ error: S3Error, cause: StoreFailure.Cause = .request) -> S3CompleteAnswer {
        .failure(StoreFailure(error, cause: cause), fields: FieldBlock())
    }
}

extension AzureTurn {
    /// More than any answer has whose body does not matter.
    static let shortAnswer = 64 << 10
    /// A thousand blobs with 8 KiB of metadata each, or blocks as many as an upload can have.
    static let longAnswer = 16 << 20
}
