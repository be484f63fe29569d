import Backends
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

    var request: S3Request { admitted.request }

    func plan() throws(Refusal) -> Plan {
        guard let bucket = admitted.bucket else { return try BucketListing(admitted, asking).plan() }
        guard request.operation != .postObject else {
            throw .request(
                S3Error(.preconditionFailed, "Bucket POST must be of the enclosure-type multipart/form-data.")
            )
        }
        try guardCarried(bucket)
        try guardPayloadForm()
        if let transfer = try transfer(to: bucket) { return .transfer(transfer) }
        switch request.operation.bodyHandling {
        case .none:
            return .forward(try forward(to: bucket, outgoing: .none))
        case .stream:
            return try stream(to: bucket)
        case .collect(let limit):
            if case .length(let length) = asking.head.framing, length > Int64(limit) {
                throw .request(S3Error(.maxMessageLengthExceeded))
            }
            return .collect(limit: limit) { body in replying { () throws(Refusal) in try document(body, to: bucket) } }
        }
    }

    // MARK: - What is not carried

    func guardCarried(_ bucket: Bucket) throws(Refusal) {
        try guardTier(bucket)
        try guardCustomerKey(bucket)
    }

    private func guardTier(_ bucket: Bucket) throws(Refusal) {
        let operation = request.operation
        guard bucket.kind.carries(operation) else { throw .request(S3Error(.notImplemented)) }
        guard operation.kind == .configure else { return }
        if operation == .createBucket || operation == .deleteBucket {
            guard bucket.isOfOpenAccount else {
                // A name that the configuration gave away, and no other than the configuration takes back.
                throw .request(operation == .createBucket ? asking.snapshot.noBucketIsMade : .bucketsAreConfigured)
            }
        } else if !bucket.ownsBackendBucket {
            throw .request(
                S3Error(.notImplemented, "This bucket is a part of one; what concerns the whole can't be configured.")
            )
        }
    }

    /// S3 takes a customer's key over TLS alone, and sees only the connection from here: a key that came in the open is
    /// not lent that connection's secrecy. A store that is itself reached in the open decides for itself.
    private func guardCustomerKey(_ bucket: Bucket) throws(Refusal) {
        guard request.hasCustomerKey, !asking.origin.isSecure, bucket.backend.endpoint.transport == .tls else { return }
        throw .request(S3Error(.invalidRequest, "Requests with a customer-provided key must be made over TLS."))
    }

    private func guardPayloadForm() throws(Refusal) {
        switch admitted.payload {
        case .chunked:
            guard request.operation.bodyHandling == .stream else {
                throw .request(
                    S3Error(
                        .notImplemented,
                        "This operation takes no aws-chunked body; send UNSIGNED-PAYLOAD or the body's hash."
                    )
                )
            }
        case .sha256 where asking.head.framing.isEmpty:
            guard admitted.payload == .empty else { throw .request(S3Error(.contentSHA256Mismatch)) }
        case .sha256, .unsigned: break
        }
    }

    // MARK: - Copies

    /// A copy that the store can't make by itself.
    private func transfer(to bucket: Bucket) throws(Refusal) -> Transfer? {
        guard let source = admitted.source, !copiesItself(from: source, to: bucket),
            let ends = try CopyEnds(admitted, asking)
        else { return nil }
        try guardCustomerKey(source)
        return request.operation == .uploadPartCopy
            ? try PartCopy(ends).transfer() : try ObjectCopy(ends).transfer()
    }

    private func copiesItself(from source: Bucket, to bucket: Bucket) -> Bool {
        bucket.backend.canCopy(from: source.backend)
            && (request.operation != .uploadPartCopy || bucket.backend.copiesParts)
    }

    // MARK: - Documents

    /// What the head says of the body.
    func promises() throws(Refusal) -> BodyPromises {
        do {
            return try BodyPromises(asking.head, request, payload: admitted.payload)
        } catch {
            throw .request(error)
        }
    }

    private func document(_ body: [UInt8], to bucket: Bucket) throws(Refusal) -> Plan {
        let promises = try self.promises()
        do {
            try BodyCheck.check(body, promises.checks(hashing: .here))
        } catch {
            throw .request(error)
        }
        if request.operation == .deleteObjects {
            return try DeleteBatch.plan(body, admitted, asking, bucket, self)
        }
        let replacement: [UInt8]?
        do {
            try request.operation.checkDocument(body)
            replacement = try self.replacement(for: body, at: bucket.backend)
        } catch {
            throw .request(error)
        }
        if let replacement {
            return .forward(try forward(to: bucket, outgoing: .rewritten(replacement)))
        }
        if request.operation == .completeMultipartUpload,
            asking.snapshot.server.maxObjectSize < CompletionSize.largestObject
        {
            return try CompletionSize(body, self, to: bucket).plan()
        }
        if request.operation == .completeMultipartUpload { return .forward(try completion(body, to: bucket)) }
        return .forward(try forward(to: bucket, outgoing: .document(body)))
    }

    /// The document in the store's own terms; nil where the client's can go as it is.
    private func replacement(for body: [UInt8], at backend: any Backend) throws(S3Error) -> [UInt8]? {
        guard let backend = backend as? S3Backend else { return nil }
        return switch (request.operation, request.bucket) {
        // The store's own region, whichever the client named.
        case (.createBucket, _): backend.createBucketDocument()
        case (.putBucketPolicy, .some(let bucket)): try backend.policyDocument(body, of: bucket)
        default: nil
        }
    }

    /// The completion of an upload: without the parts' checksums where the store was not told of them either.
    func completion(_ body: [UInt8], to bucket: Bucket) throws(Refusal) -> Forward {
        guard !bucket.backend.checksums.areUnderstood else {
            return try forward(to: bucket, outgoing: .document(body))
        }
        let bare: [UInt8]
        do {
            bare = try CompletionRequest.withoutChecksums(body)
        } catch {
            throw .request(error)
        }
        return try forward(to: bucket, outgoing: .rewritten(bare))
    }

    // MARK: - Forwarding

    /// - Parameters:
    ///   - body: the bytes that are carried, where some are.
    ///   - isConditional: the document that goes out depends on what is there.
    ///   - finish: what becomes of a document that was read whole; nil: the answer as it is.
    func forward(
        to bucket: Bucket,
        outgoing: OutgoingBody,
        body: ForwardedBody = .none,
        isConditional: Bool = false,
        finish: (@Sendable (_ document: [UInt8]) -> Plan)? = nil
    ) throws(Refusal) -> Forward {
        do {
            let exchange = try bucket.backend.exchange(
                for: request,
                head: asking.head,
                body: outgoing,
                copyingFrom: admitted.source?.backend,
                view: asking.snapshot.server.view,
                at: asking.now
            )
            let replay = isConditional ? .never : Replay(of: request.operation, under: asking.head.fields)
            let answer = StoreAnswer(
                admitted,
                asking,
                bucket.upstream,
                replay: replay,
                carrying: body,
                finish: finish
            )
            return Forward(
                admitted: admitted,
                upstream: bucket.upstream,
                exchange: exchange,
                carrying: body,
                replay: replay,
                answer: { answer.answer($0) }
            )
        } catch {
            throw .request(error)
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
