public import HTTP1
public import S3API

extension S3Backend {
    /// The longest error document that is read.
    private static let errorLimit = 64 << 10
    /// A thousand entries with owners, checksums and keys of a kilobyte, percent-encoded.
    private static let listingLimit = 16 << 20
    private static let resultLimit = 1 << 20

    /// What the store's answer to `request` becomes. Redirects are never followed or passed on.
    public func answer(to request: S3Request, head: ResponseHead, view: ClientView) -> S3Answer {
        switch head.status {
        case 200...299:
            var fields = ResponseFields.passed(head.fields, crossOrigin: crossOrigin)
            appendNames(to: &fields, of: request, view)
            guard let limit = collects(request), head.status != 204 else {
                return .stream(status: head.status, fields: fields)
            }
            let reader = S3AnswerReader(
                request: request,
                backend: self,
                view: view,
                status: head.status,
                fields: fields
            )
            return .collect(limit: limit) { reader.answer($0) }
        case 304:
            return .stream(status: 304, fields: ResponseFields.passed(head.fields, crossOrigin: crossOrigin))
        case 300...399:
            let region = head.fields.string("x-amz-bucket-region")
            return .failure(
                StoreFailure(S3Error(.backendRedirected), cause: .redirect(region: region)),
                fields: FieldBlock()
            )
        default:
            let fields = ResponseFields.passedWithError(head.fields, crossOrigin: crossOrigin)
            let retryAfter = head.fields.first("retry-after").flatMap { decimal($0) }
            if request.operation == .headObject || request.operation == .headBucket || head.framing == .none {
                let failure = StoreFailure(status: head.status, address: request.address, retryAfter: retryAfter)
                return .failure(failure, fields: fields)
            }
            let reader = S3AnswerReader(
                request: request,
                backend: self,
                view: view,
                status: head.status,
                fields: fields,
                retryAfter: retryAfter
            )
            return .collect(limit: Self.errorLimit) { reader.answer($0) }
        }
    }

    /// What the store's answer says in fields about its own bucket, said about the client's.
    private func appendNames(to fields: inout FieldBlock, of request: S3Request, _ view: ClientView) {
        switch request.operation {
        case .headBucket:
            // Clients ask for the bucket to learn what region to sign for: ours, not the store's.
            fields.append("x-amz-bucket-region", view.region == "*" ? region : view.region)
        case .createBucket:
            guard let bucket = request.bucket else { return }
            fields.append("location", "/" + bucket.string)
        default: return
        }
    }

    /// How much of a success's body is read to be rewritten; nil where it goes through as it comes.
    private func collects(_ request: S3Request) -> Int? {
        switch request.operation {
        case .listObjects, .listObjectsV2, .listObjectVersions, .listMultipartUploads:
            renames(request) || request.mayShow(hidden) ? Self.listingLimit : nil
        case .listParts:
            renames(request) ? Self.listingLimit : nil
        case .createMultipartUpload, .getBucketPolicy:
            renames(request) ? Self.resultLimit : nil
        // These answer 200 before they know whether they succeed, and the one names the store's address.
        case .completeMultipartUpload, .copyObject, .uploadPartCopy: Self.resultLimit
        case .deleteObjects: Self.listingLimit
        case .getBucketLocation: Self.resultLimit
        case .listBuckets: Self.listingLimit
        default: nil
        }
    }

    /// Whether bucket or keys have other names here than at the store.
    private func renames(_ request: S3Request) -> Bool {
        !prefix.isEmpty || request.bucket?.string != bucketName
    }
}
