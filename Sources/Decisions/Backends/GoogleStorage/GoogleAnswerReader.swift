import HTTP1
import S3API
import Signatures
import WireFormats

/// Says in S3's terms what Google answered to one request.
struct GoogleAnswerReader: Sendable {
    let request: S3Request
    let backend: GoogleBackend
    let view: ClientView
    let tellsChecksum: Bool
    /// What was not deleted because it was not asked for.
    var kept: [DeleteResult.Failure] = []

    /// The longest error document that is read.
    private static let errorLimit = 64 << 10
    /// A thousand entries with owners and keys of a kilobyte, percent-encoded.
    private static let listingLimit = 16 << 20
    private static let resultLimit = 1 << 20

    init(request: S3Request, backend: GoogleBackend, view: ClientView, tellsChecksum: Bool) {
        self.request = request
        self.backend = backend
        self.view = view
        self.tellsChecksum = tellsChecksum
    }

    /// Redirects are never followed or passed on.
    func answer(_ head: ResponseHead) -> S3Answer {
        switch head.status {
        case 200...299: return success(head)
        case 304:
            return .stream(status: 304, fields: GoogleAnswerFields.passed(head.fields, tellsChecksum: false))
        case 300...399:
            return .failure(
                StoreFailure(S3Error(.backendRedirected), cause: .redirect(region: nil)),
                fields: FieldBlock()
            )
        default: return refusal(head)
        }
    }

    // MARK: - Refusals

    private func refusal(_ head: ResponseHead) -> S3Answer {
        let fields = GoogleAnswerFields.passedWithError(head.fields)
        let retryAfter = head.fields.first("retry-after").flatMap { decimal($0) }
        if head.status == 401 {
            // Who says nothing is told to say something; it is no fault of a credential that there is none.
            let failure =
                backend.credential.isAnonymous
                ? StoreFailure(S3Error(.accessDenied), cause: .request)
                : StoreFailure(S3Error(.backendAuthFailed), cause: .credential)
            return .failure(failure, fields: FieldBlock())
        }
        let isBare = request.operation == .headObject || request.operation == .headBucket || head.framing == .none
        guard !isBare else {
            if head.status == 404, request.operation == .deleteObject {
                return .stream(status: 204, fields: FieldBlock())
            }
            return .failure(
                StoreFailure(status: head.status, address: request.address, retryAfter: retryAfter),
                fields: fields
            )
        }
        return .collect(limit: Self.errorLimit) { body in
            failure(body, status: head.status, fields: fields, retryAfter: retryAfter)
        }
    }

    private func failure(_ body: [UInt8], status: Int, fields: FieldBlock, retryAfter: Int?) -> S3CompleteAnswer {
        let failure = StoreFailure(
            status: status,
            document: body,
            address: request.address,
            retryAfter: retryAfter,
            secrets: secrets
        )
        // S3 has deleted what is not there; Google says that it wasn't.
        if request.operation == .deleteObject, failure.code == S3Error.Code.noSuchKey.name {
            return .document(status: 204, fields: FieldBlock(), body: [])
        }
        let kept = status < 400 || failure.cause != .request ? FieldBlock() : fields
        return .failure(failure, fields: kept)
    }

    /// What names the store and our account there.
    private var secrets: [String] {
        var secrets = [backend.endpoint.authority, String(decoding: backend.prefix, as: UTF8.self)]
        if request.bucket?.string != backend.bucketName { secrets.append(backend.bucketName) }
        if let signer = backend.credential.urlSigner { secrets.append(signer.identity) }
        return secrets
    }

    // MARK: - Successes

    private func success(_ head: ResponseHead) -> S3Answer {
        // A range's checksum is not the object's.
        let fields = GoogleAnswerFields.passed(head.fields, tellsChecksum: tellsChecksum && head.status != 206)
        switch request.operation {
        case .getObject, .headObject:
            guard !GoogleAnswerFields.isTranscoded(head) else { return Self.unusable }
            return .stream(status: head.status, fields: overridden(fields))
        case .putObject, .postObject, .uploadPart:
            return .stream(status: 200, fields: fields)
        case .deleteObject, .abortMultipartUpload:
            return .stream(status: 204, fields: FieldBlock())
        case .headBucket:
            var fields = FieldBlock()
            fields.append("x-amz-bucket-region", region)
            return .stream(status: 200, fields: fields)
        case .listObjects, .listObjectsV2, .listMultipartUploads, .listParts, .deleteObjects:
            return collect(Self.listingLimit)
        default:
            return collect(Self.resultLimit)
        }
    }

    private static var unusable: S3Answer {
        .failure(StoreFailure(S3Error(.backendBadAnswer), cause: .store), fields: FieldBlock())
    }

    /// Google has no regions that clients could sign for: they hear of ours.
    private var region: String { view.region == "*" ? "us-east-1" : view.region }

    /// The fields with `response-...` of the query: done here, since Google knows but two of them.
    private func overridden(_ fields: FieldBlock) -> FieldBlock {
        let overrides = Self.overrides.compactMap { override in
            request.query.first(override.parameter).flatMap { $0.isEmpty ? nil : (override.field, $0) }
        }
        guard !overrides.isEmpty else { return fields }
        var told = FieldBlock(reservingBytes: fields.bytes.count + 256, fields: fields.entries.count + overrides.count)
        for entry in fields.entries where !overrides.contains(where: { fields.isNamed(entry, $0.0) }) {
            told.append(entry, of: fields, lowercasing: .nothing)
        }
        for (name, value) in overrides { told.append(name, value) }
        return told
    }

    private static let overrides: [(parameter: StaticString, field: StaticString)] = [
        ("response-content-type", "content-type"), ("response-content-language", "content-language"),
        ("response-expires", "expires"), ("response-cache-control", "cache-control"),
        ("response-content-disposition", "content-disposition"),
        ("response-content-encoding", "content-encoding"),
    ]

    private func collect(_ limit: Int) -> S3Answer {
        .collect(limit: limit) { body in
            let body = Array(body.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 })
            guard let document = try? XMLReader.parse(body, forbidden: .replaced, maxElements: 200_000) else {
                return Self.unreadable
            }
            guard document.name != "Error" else {
                return failure(body, status: 200, fields: FieldBlock(), retryAfter: nil)
            }
            guard let told = told(document) else { return Self.unreadable }
            var fields = FieldBlock()
            fields.append("content-type", "application/xml")
            return .document(status: 200, fields: fields, body: told)
        }
    }

    private static var unreadable: S3CompleteAnswer {
        .failure(StoreFailure(S3Error(.backendBadAnswer), cause: .store), fields: FieldBlock())
    }

    // MARK: - Documents

    private func told(_ document: XMLNode) -> [UInt8]? {
        switch request.operation {
        case .listObjects, .listObjectsV2: listing(document, root: "ListBucketResult")
        case .listMultipartUploads: listing(document, root: "ListMultipartUploadsResult")
        case .listParts: parts(document)
        case .createMultipartUpload: begun(document)
        case .completeMultipartUpload: completed(document)
        case .copyObject: copied(document)
        case .deleteObjects: deleted(document)
        case .getBucketLocation: UploadResults.location(region: region)
        default: nil
        }
    }

    private func listing(_ document: XMLNode, root: String) -> [UInt8]? {
        guard document.name == root, let bucket = request.bucket else { return nil }
        let known = document.mapChildren { child in
            child.name == "Contents" ? child.mapChildren { Self.ownNames.contains($0.name) ? nil : $0 } : child
        }
        return ListingRewrite(
            backend: backend,
            hidden: backend.hidden,
            request: request,
            bucket: bucket,
            listing: known.inS3Namespace
        ).rewritten()?.document()
    }

    /// What entries have that no client of S3 knows.
    private static let ownNames: Set<String> = ["Generation", "MetaGeneration"]

    private func parts(_ document: XMLNode) -> [UInt8]? {
        guard document.name == "ListPartsResult", let bucket = request.bucket, let key = request.key else { return nil }
        return document.inS3Namespace.mapChildren { child in
            switch child.name {
            case "Bucket": child.withText(bucket.string)
            case "Key": child.withText(key.string)
            default: child
            }
        }.document()
    }

    private func begun(_ document: XMLNode) -> [UInt8]? {
        guard document.name == "InitiateMultipartUploadResult", let id = document.value("UploadId"), !id.isEmpty,
            let bucket = request.bucket, let key = request.key
        else { return nil }
        return UploadResults.initiated(bucket: bucket, key: key, uploadID: id)
    }

    private func completed(_ document: XMLNode) -> [UInt8]? {
        guard document.name == "CompleteMultipartUploadResult", let etag = document.value("ETag"),
            let bucket = request.bucket, let key = request.key
        else { return nil }
        let path = PercentEncoding.encode(key.bytes, keepSlash: .encode)
        return UploadResults.completed(
            location: view.publicURL + "/" + bucket.string + "/" + String(decoding: path, as: UTF8.self),
            bucket: bucket,
            key: key,
            etag: etag
        )
    }

    private func copied(_ document: XMLNode) -> [UInt8]? {
        guard document.name == "CopyObjectResult", let etag = document.value("ETag"),
            let modified = document.value("LastModified").flatMap({ Timestamp.parseISO8601($0.utf8) })
        else { return nil }
        return UploadResults.copied(etag: etag, modified: modified)
    }

    private func deleted(_ document: XMLNode) -> [UInt8]? {
        guard let result = DeleteResult(parsing: document.document()) else { return nil }
        var told = DeleteResult(failures: kept)
        for entry in result.deleted {
            if let key = backend.shownKey(entry.key.bytes) { told.deleted.append(DeleteResult.Deleted(key: key)) }
        }
        for failure in result.failures {
            guard let key = backend.shownKey(failure.key.bytes) else { continue }
            if failure.code == S3Error.Code.noSuchKey.name {
                told.deleted.append(DeleteResult.Deleted(key: key))
            } else {
                told.failures.append(DeleteResult.Failure(key: key, code: failure.code, message: failure.message))
            }
        }
        return told.document()
    }
}

extension XMLNode {
    /// The same under S3's own namespace: Google names an older one.
    fileprivate var inS3Namespace: XMLNode {
        XMLNode(name: name, text: text, attributes: ["xmlns": XMLNode.s3Namespace.description], children: children)
    }
}
