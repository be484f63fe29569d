import Backends
import Crypto
import HTTP1
import S3API
import Signatures
import WireFormats

/// Turns an admitted request into what is to be done.
struct Planner: Sendable {
    let admitted: Admitted
    let asking: Asking

    init(_ admitted: Admitted, _ asking: Asking) {
        self.admitted = admitted
        self.asking = asking
    }

    private var request: S3Request { admitted.request }

    func plan() throws(Refusal) -> Plan {
        guard let bucket = admitted.bucket else { return BucketListing(admitted, asking).plan() }
        try guardTier(bucket)
        try guardPayloadForm()
        switch request.operation.bodyHandling {
        case .none:
            return .forward(try forward(to: bucket, outgoing: .none, body: .none))
        case .stream:
            return .forward(try stream(to: bucket))
        case .collect(let limit):
            if case .length(let length) = asking.head.framing, length > Int64(limit) {
                throw .request(S3Error(.maxMessageLengthExceeded))
            }
            return .collect(limit: limit) { body in replying { () throws(Refusal) in try document(body, to: bucket) } }
        }
    }

    // MARK: - What is not carried

    private func guardTier(_ bucket: Bucket) throws(Refusal) {
        let operation = request.operation
        guard bucket.kind.carries(operation) else { throw .request(S3Error(.notImplemented)) }
        guard operation.kind == .configure else { return }
        if operation == .createBucket || operation == .deleteBucket {
            guard bucket.isOfOpenAccount else {
                throw .request(S3Error(.notImplemented, "Buckets of this account are made in the configuration."))
            }
        } else if operation != .createBucket, !bucket.ownsBackendBucket {
            throw .request(
                S3Error(.notImplemented, "This bucket is a part of one; what concerns the whole can't be configured.")
            )
        }
    }

    private func guardPayloadForm() throws(Refusal) {
        switch admitted.payload {
        case .streaming:
            throw .request(
                S3Error(
                    .notImplemented,
                    "aws-chunked bodies are not accepted; send UNSIGNED-PAYLOAD or the body's hash."
                )
            )
        case .sha256 where asking.head.framing == .none || asking.head.framing == .length(0):
            guard admitted.payload == .empty else { throw .request(S3Error(.contentSHA256Mismatch)) }
        case .sha256, .unsigned: break
        }
    }

    // MARK: - Bodies that flow

    private func stream(to bucket: Bucket) throws(Refusal) -> Forward {
        guard case .length(let length) = asking.head.framing else { throw .request(S3Error(.missingContentLength)) }
        guard length <= asking.snapshot.server.maxObjectSize else { throw .request(S3Error(.entityTooLarge)) }
        var checks: [BodyCheck] = []
        if case .sha256(let signed) = admitted.payload, !bucket.storeVerifiesPayload {
            checks.append(BodyCheck(signedSHA256: signed))
        }
        let verifier = checks.isEmpty ? nil : BodyVerifier(.plain, length: length, checks: checks)
        return try forward(
            to: bucket,
            outgoing: .stream(length: length, hash: admitted.payload),
            body: length == 0 ? .bytes([]) : .stream(verifier)
        )
    }

    // MARK: - Documents

    private func document(_ body: [UInt8], to bucket: Bucket) throws(Refusal) -> Plan {
        if case .sha256(let signed) = admitted.payload, Array(SHA256.hash(data: body)) != signed {
            throw .request(S3Error(.contentSHA256Mismatch))
        }
        if request.operation == .deleteObjects { return try DeleteBatch(body, admitted, asking).plan(bucket, self) }
        do {
            try request.operation.checkDocument(body)
        } catch {
            throw .request(error)
        }
        if request.operation == .createBucket {
            // The store's own region, whichever the client named.
            let own = bucket.backend.createBucketDocument()
            return .forward(
                try forward(to: bucket, outgoing: own.isEmpty ? .none : .rewritten(own), body: .bytes(own))
            )
        }
        if request.operation == .completeMultipartUpload,
            asking.snapshot.server.maxObjectSize < CompletionSize.largestObject
        {
            return try CompletionSize(body, self, to: bucket).plan()
        }
        return .forward(try forward(to: bucket, outgoing: .document(body), body: .bytes(body)))
    }

    // MARK: - Forwarding

    func forward(
        to bucket: Bucket,
        outgoing: OutgoingBody,
        body: ForwardedBody,
        answer: (@Sendable (ResponseHead) -> Answer)? = nil
    ) throws(Refusal) -> Forward {
        if let source = admitted.source, !bucket.backend.canCopy(from: source.backend) {
            throw .request(S3Error(.notImplemented, "Copies between different stores are not supported."))
        }
        do {
            let signed = try bucket.backend.request(
                for: request,
                head: asking.head,
                body: outgoing,
                copyingFrom: admitted.source?.backend,
                at: asking.now
            )
            return Forward(
                admitted: admitted,
                upstream: bucket.upstream,
                request: signed,
                body: body,
                replay: isRepeatable ? .allowed : .never,
                answer: answer ?? { StoreAnswer(admitted, asking, bucket.backend).answer($0) }
            )
        } catch {
            throw .request(error)
        }
    }

    /// Whether sending the request twice does no more than sending it once.
    private var isRepeatable: Bool {
        switch request.operation {
        case .completeMultipartUpload, .createMultipartUpload: false
        default:
            request.operation.kind == .read || request.operation.kind == .list
                || (asking.head.fields.first("if-match") == nil && asking.head.fields.first("if-none-match") == nil)
        }
    }

    /// A plan, or the answer to what stands against it.
    func replying(_ make: () throws(Refusal) -> Plan) -> Plan {
        do {
            return try make()
        } catch {
            return .reply(asking.reply(error.error))
        }
    }
}
