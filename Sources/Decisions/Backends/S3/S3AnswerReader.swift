import HTTP1
import S3API
import Signatures
import WireFormats

/// Makes the client's answer of a store's collected document.
struct S3AnswerReader: Sendable {
    let request: S3Request
    let backend: S3Backend
    let view: ClientView
    let status: Int
    let fields: FieldBlock
    let retryAfter: Int?

    init(
        request: S3Request,
        backend: S3Backend,
        view: ClientView,
        status: Int,
        fields: FieldBlock,
        retryAfter: Int? = nil
    ) {
        self.request = request
        self.backend = backend
        self.view = view
        self.status = status
        self.fields = fields
        self.retryAfter = retryAfter
    }

    /// - Parameter body: all of it.
    func answer(_ body: [UInt8]) -> S3CompleteAnswer {
        let body = withoutKeepAlive(body)
        guard status < 400 else { return failure(body) }
        if request.operation == .getBucketPolicy { return policy(body) }
        guard let document = try? XMLReader.parse(body, forbidden: .replaced, maxElements: 200_000) else {
            return .failure(StoreFailure(S3Error(.backendBadAnswer), cause: .store), fields: FieldBlock())
        }
        guard document.name != "Error" else { return failure(body) }
        guard let rewritten = rewrite(document) else {
            return .failure(StoreFailure(S3Error(.backendBadAnswer), cause: .store), fields: FieldBlock())
        }
        return .document(status: status, fields: fields, body: rewritten)
    }

    /// Without the white space that stores send while they work, so that nobody takes the connection for dead: XML must
    /// begin the document.
    private func withoutKeepAlive(_ body: [UInt8]) -> [UInt8] {
        guard let first = body.first, first <= 0x20 else { return body }
        return Array(body.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 })
    }

    private func policy(_ body: [UInt8]) -> S3CompleteAnswer {
        guard let bucket = request.bucket,
            let renamed = try? BucketPolicyNames(from: backend.bucketName, to: bucket.string).renamed(body)
        else {
            let error = S3Error(
                .notImplemented,
                "The bucket's policy names resources that have no name under this bucket's own."
            )
            return .failure(StoreFailure(error, cause: .request), fields: FieldBlock())
        }
        return .document(status: status, fields: fields, body: renamed)
    }

    private func failure(_ body: [UInt8]) -> S3CompleteAnswer {
        let failure = StoreFailure(
            status: status,
            document: body,
            address: request.address,
            retryAfter: retryAfter,
            secrets: secrets
        )
        let kept = status < 400 || failure.cause != .request ? FieldBlock() : fields
        return .failure(failure, fields: kept)
    }

    /// What names the store and our account there.
    private var secrets: [String] {
        var secrets = [backend.endpoint.authority, String(decoding: backend.prefix, as: UTF8.self)]
        if request.bucket?.string != backend.bucketName { secrets.append(backend.bucketName) }
        if let signer = backend.signer { secrets.append(signer.accessKeyID) }
        return secrets
    }

    private func rewrite(_ document: XMLNode) -> [UInt8]? {
        switch request.operation {
        case .listObjects, .listObjectsV2: listing(document, root: "ListBucketResult")
        case .listObjectVersions: listing(document, root: "ListVersionsResult")
        case .listMultipartUploads: listing(document, root: "ListMultipartUploadsResult")
        case .listParts: named(document, root: "ListPartsResult")
        case .createMultipartUpload: named(document, root: "InitiateMultipartUploadResult")
        case .completeMultipartUpload: named(document, root: "CompleteMultipartUploadResult")
        case .getBucketLocation: UploadResults.location(region: view.region == "*" ? backend.region : view.region)
        case .deleteObjects: deletion(document)
        // Whatever the root is called, a copy that was made has an ETag; a portal's page that says 200 has none.
        case .copyObject, .uploadPartCopy: document.child("ETag") == nil ? nil : document.document()
        default: document.document()
        }
    }

    private func listing(_ document: XMLNode, root: String) -> [UInt8]? {
        guard document.name == root, let bucket = request.bucket else { return nil }
        return ListingRewrite(
            backend: backend,
            hidden: backend.hidden,
            request: request,
            bucket: bucket,
            listing: document
        ).rewritten()?
        .document()
    }

    /// A result about one object: bucket, key and location under the client's names.
    private func named(_ document: XMLNode, root: String) -> [UInt8]? {
        guard document.name == root, let bucket = request.bucket, let key = request.key else { return nil }
        let location = view.publicURL + "/" + bucket.string + "/"
        return document.mapChildren { child in
            switch child.name {
            case "Bucket": child.withText(bucket.string)
            case "Key": child.withText(key.string)
            case "Location":
                child.withText(location + String(decoding: PercentEncoding.encode(key.bytes), as: UTF8.self))
            default: child
            }
        }.document()
    }

    private func deletion(_ document: XMLNode) -> [UInt8]? {
        guard document.name == "DeleteResult" else { return nil }
        return document.mapChildren { entry in
            guard let key = entry.child("Key"), let shown = backend.shown(Array(key.text.utf8)) else { return nil }
            return entry.mapChildren { child in
                child.name == "Key" ? child.withText(String(decoding: shown, as: UTF8.self)) : child
            }
        }.document()
    }
}
