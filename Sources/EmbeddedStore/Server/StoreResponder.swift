import GRDB
import HTTP1
import Logging
import NIOCore
import NIOPosix
import S3API
import Signatures
import WireFormats

/// One S3 request against an ``ObjectStore``: verify, classify, perform, word the answer.
struct StoreResponder: Sendable {
    let store: ObjectStore
    let authenticator: Authenticator
    let region: String
    let logger: Logger

    /// A request that was admitted, with what its operation reads.
    struct Exchange<Body: AsyncSequence & Sendable>: Sendable where Body.Element == ByteBuffer {
        let request: S3Request
        let reading: RequestReading
        let payload: PayloadHash
        let body: Body

        /// The version that the request names; nil: what the key shows.
        /// - Throws: `InvalidArgument` for an id that the store has never given.
        func version() throws(S3Error) -> VersionName? {
            guard let id = request.versionID else { return nil }
            return try VersionName(id)
        }
    }

    /// Everything in the store belongs to whoever holds its credential.
    static let owner = "gatehouse"

    /// Answers a request.
    func answer<Body: AsyncSequence & Sendable>(
        _ head: RequestHead,
        _ body: Body,
        requestID: RequestID
    ) async -> StoreAnswer where Body.Element == ByteBuffer {
        var answer: StoreAnswer
        do {
            answer = head.method == .options ? try await preflight(head) : try await perform(head, body)
        } catch {
            answer = refusal(refusalCode(for: error), head, requestID: requestID)
            if let size = (error as? UnsatisfiableRange)?.size {
                // How long the object is (RFC 9110, section 14.4).
                answer.fields.append("content-range", "bytes */\(size)")
            }
            if let found = error as? MarkerFound { answer.append(found) }
        }
        if head.method != .options, head.fields.first("origin") != nil,
            let bucket = try? S3Address.locate(host: head.host, path: head.path, domains: []).address.bucket
        {
            await appendCORS(to: &answer.fields, head, of: bucket)
        }
        answer.fields.append("x-amz-request-id", requestID.bytes)
        answer.fields.append("date", Timestamp.http(store.now()))
        return answer
    }

    private func perform<Body: AsyncSequence & Sendable>(
        _ head: RequestHead,
        _ body: Body
    ) async throws -> StoreAnswer where Body.Element == ByteBuffer {
        let query: Query
        do {
            query = try Query(parsing: head.query ?? [])
        } catch {
            throw S3Error(.invalidURI)
        }
        let payload = try authenticator.authenticate(head, query, now: store.now())
        let (address, _) = try S3Address.locate(host: head.host, path: head.path, domains: [])
        let request = try S3Classifier.classify(head, address, query)
        let reading = RequestReading(head: head, query: query)
        try reading.refuseUnsupported(request.operation)
        let exchange = Exchange(request: request, reading: reading, payload: payload, body: body)
        switch address {
        case .service: return try await listBuckets(exchange)
        case .bucket(let bucket): return try await perform(exchange, on: bucket)
        case .object(let bucket, let key): return try await perform(exchange, on: bucket, key)
        }
    }

    private func perform<Body>(_ exchange: Exchange<Body>, on bucket: BucketName) async throws -> StoreAnswer {
        switch exchange.request.operation {
        case .headBucket: return try await headBucket(bucket)
        case .getBucketLocation: return try await location(of: bucket)
        case .createBucket: return try await createBucket(bucket, exchange)
        case .deleteBucket:
            try await store.deleteBucket(bucket)
            return StoreAnswer(204)
        case .listObjects: return try await listObjects(bucket, exchange)
        case .listObjectsV2: return try await listObjectsV2(bucket, exchange)
        case .listObjectVersions: return try await listVersions(bucket, exchange)
        case .listMultipartUploads: return try await listUploads(bucket, exchange)
        case .deleteObjects: return try await deleteObjects(bucket, exchange)
        case .getBucketVersioning: return try await getVersioning(of: bucket)
        case .putBucketVersioning: return try await putVersioning(of: bucket, exchange)
        case .getBucketTagging: return try await getTags(of: bucket)
        case .putBucketTagging: return try await putTags(of: bucket, exchange)
        case .deleteBucketTagging: return try await deleteTags(of: bucket)
        case .getBucketCORS: return try await getCORS(of: bucket)
        case .putBucketCORS: return try await putCORS(of: bucket, exchange)
        case .deleteBucketCORS: return try await deleteCORS(of: bucket)
        case .getBucketACL: return try await getACL(of: bucket)
        case .putBucketACL: return try await putACL(of: bucket, exchange)
        default: throw S3Error(.notImplemented)
        }
    }

    private func perform<Body>(
        _ exchange: Exchange<Body>,
        on bucket: BucketName,
        _ key: ObjectKey
    ) async throws -> StoreAnswer {
        switch exchange.request.operation {
        case .getObject, .headObject: return try await getObject(bucket, key, exchange)
        case .putObject: return try await putObject(bucket, key, exchange)
        case .copyObject: return try await copyObject(bucket, key, exchange)
        case .deleteObject: return try await deleteObject(bucket, key, exchange)
        case .createMultipartUpload: return try await createUpload(bucket, key, exchange)
        case .uploadPart: return try await uploadPart(bucket, key, exchange)
        case .uploadPartCopy: return try await copyPart(bucket, key, exchange)
        case .listParts: return try await listParts(bucket, key, exchange)
        case .completeMultipartUpload: return try await completeUpload(bucket, key, exchange)
        case .abortMultipartUpload:
            try await store.abort(bucket, key, upload: try uploadID(exchange))
            return StoreAnswer(204)
        case .getObjectTagging: return try await getTags(bucket, key, exchange)
        case .putObjectTagging: return try await putTags(bucket, key, exchange)
        case .deleteObjectTagging: return try await deleteTags(bucket, key, exchange)
        case .getObjectACL: return try await getACL(bucket, key, exchange)
        case .putObjectACL: return try await putACL(bucket, key, exchange)
        case .getObjectAttributes: return try await getAttributes(bucket, key, exchange)
        default: throw S3Error(.notImplemented)
        }
    }

    /// A failure in S3's terms. The store's own are logged, without naming the request.
    private func refusalCode(for error: any Error) -> S3Error {
        switch error {
        case let error as S3Error:
            return error
        case let found as MarkerFound:
            return S3Error(found.isNamed ? .methodNotAllowed : .noSuchKey)
        case is UnsatisfiableRange:
            return S3Error(.invalidRange)
        case let failure as FileFailure where failure.isFull:
            logger.error("the embedded store has no space left")
            return S3Error(.serviceUnavailable, "The embedded store has no space left.")
        case is FileFailure, is IndexFailure, is DatabaseError:
            logger.error("the embedded store failed", metadata: ["error": "\(error)"])
            return S3Error(.internalError)
        case is CancellationError, is NIOThreadPoolError.ThreadPoolInactive:
            return S3Error(.serviceUnavailable)
        default:
            logger.debug("a request broke off", metadata: ["error": "\(error)"])
            return S3Error(.incompleteBody)
        }
    }

    private func refusal(_ error: S3Error, _ head: RequestHead, requestID: RequestID) -> StoreAnswer {
        var answer = StoreAnswer(error.status)
        if case .head = head.method {
            answer.body = .announced(0)
            return answer
        }
        let resource = (try? PercentEncoding.decode(head.path)) ?? head.path
        answer.body = .bytes(ErrorDocument.xml(error, resource: resource, requestID: requestID.description))
        answer.fields.append("content-type", "application/xml")
        return answer
    }

    /// Reads a document whole and checks it against its claims.
    /// - Throws: `MaxMessageLengthExceeded`, `XAmzContentSHA256Mismatch`, `BadDigest`.
    func collect<Body>(_ exchange: Exchange<Body>) async throws -> [UInt8] {
        guard case .collect(let limit) = exchange.request.operation.bodyHandling else { return [] }
        var bytes: [UInt8] = []
        for try await buffer in exchange.body {
            guard bytes.count + buffer.readableBytes <= limit else { throw S3Error(.maxMessageLengthExceeded) }
            bytes.append(contentsOf: buffer.readableBytesView)
        }
        let reading = exchange.reading
        if case .length(let length) = reading.head.framing, length != Int64(bytes.count) {
            throw S3Error(.incompleteBody)
        }
        if let digest = try reading.digest(exchange.payload), digest != sha256(of: bytes) {
            throw S3Error(.contentSHA256Mismatch)
        }
        if let digest = try reading.md5(), digest != md5(of: bytes) { throw S3Error(.badDigest) }
        return bytes
    }
}

/// The range asked for has no byte of the object.
struct UnsatisfiableRange: Error {
    let size: Int64
}
