import Backends
import HTTP1
import S3API
import Signatures
import WireFormats

/// The two ends of a copy that Gatehouse carries: the requests to either store, and what their answers mean.
struct CopyEnds: Sendable {
    /// The longest document of a store that is read on the way.
    static let documentLimit = 1 << 20

    let admitted: Admitted
    let asking: Asking
    let source: Bucket
    let destination: Bucket
    let copied: CopySource
    let fields: CopyFields
    /// What the caller wants computed besides.
    let wanted: ChecksumAlgorithm?

    /// Nil where the request is no copy.
    init?(_ admitted: Admitted, _ asking: Asking) throws(Refusal) {
        guard let source = admitted.source, let destination = admitted.bucket,
            let copied = admitted.request.copySource
        else { return nil }
        self.admitted = admitted
        self.asking = asking
        self.source = source
        self.destination = destination
        self.copied = copied
        do {
            fields = try CopyFields(asking.head, admitted.request.query)
            wanted = try Self.wanted(fields.first("x-amz-checksum-algorithm"))
        } catch {
            throw .request(error)
        }
    }

    private static func wanted(_ name: ArraySlice<UInt8>?) throws(S3Error) -> ChecksumAlgorithm? {
        guard let name else { return nil }
        guard let algorithm = ChecksumAlgorithm(name: name) else {
            throw S3Error(.invalidRequest, "Value for x-amz-checksum-algorithm header is invalid.")
        }
        return algorithm
    }

    /// Whether both ends are one object at one store, by whichever names.
    var areOne: Bool {
        guard source.backend.endpoint == destination.backend.endpoint,
            source.backend.bucketName == destination.backend.bucketName, let key = admitted.request.key
        else { return false }
        return copied.versionID == nil
            && source.backend.prefix + copied.key.bytes == destination.backend.prefix + key.bytes
    }

    /// Whether tags go along: not where either store has none.
    var carriesTags: Bool {
        fields.tagging == .copy && source.kind.carries(.getObjectTagging)
            && destination.kind.carries(.putObjectTagging)
    }

    // MARK: - Requests

    /// A request about the source.
    /// - Parameter own: fields beside those that every request to the source needs.
    func reading(
        _ operation: S3Operation,
        _ own: FieldBlock = FieldBlock(),
        at now: Instant
    ) throws(S3Error) -> Exchange {
        var block = own
        fields.appendSourceAccess(to: &block)
        return try source.backend.exchange(
            for: sourceRequest(operation),
            head: head(operation == .headObject ? .head : .get, block),
            body: .none,
            copyingFrom: nil,
            view: asking.snapshot.server.view,
            at: now
        )
    }

    private func sourceRequest(_ operation: S3Operation) -> S3Request {
        var query = Query()
        if operation == .getObjectTagging { query.append("tagging".utf8, []) }
        if let versionID = copied.versionID { query.append("versionId".utf8, versionID) }
        return S3Request(
            operation: operation,
            address: .object(copied.bucket, copied.key),
            query: query,
            actions: copied.actions,
            versionID: copied.versionID
        )
    }

    /// A request about the new object.
    func writing(
        _ operation: S3Operation,
        _ method: HTTPMethod,
        query: Query = Query(),
        _ own: FieldBlock = FieldBlock(),
        body: OutgoingBody = .none,
        at now: Instant
    ) throws(S3Error) -> Exchange {
        var block = own
        fields.appendAccess(to: &block)
        return try destination.backend.exchange(
            for: destinationRequest(operation, query),
            head: head(method, block),
            body: body,
            copyingFrom: nil,
            view: asking.snapshot.server.view,
            at: now
        )
    }

    private func destinationRequest(_ operation: S3Operation, _ query: Query) -> S3Request {
        S3Request(
            operation: operation,
            address: admitted.request.address,
            query: query,
            actions: operation.actions
        )
    }

    private func head(_ method: HTTPMethod, _ fields: FieldBlock) -> RequestHead {
        RequestHead(method: method, path: asking.head.path, fields: fields, host: asking.head.host)
    }

    // MARK: - Answers

    /// What a store said: something that goes on, or the end of the copy.
    enum Said {
        case success(FieldBlock, [UInt8])
        case refusal(Reply)
        /// Nothing yet: it is asked something else first.
        case ask(Exchange)
    }

    /// Asks the destination, as often as it takes, and goes on with what it said.
    func ask(
        _ exchange: Exchange,
        for purpose: StoreQuestion.Purpose = .copying,
        replay: Replay,
        next: @escaping @Sendable (FieldBlock, [UInt8], StoreReply) -> TransferStep,
        refused: @escaping @Sendable (Reply, StoreReply) -> TransferStep,
        failed: @escaping @Sendable (TransferFailure) -> TransferStep
    ) -> TransferStep {
        var question = StoreQuestion(
            upstream: destination.upstream,
            request: exchange.request,
            replay: replay,
            limit: CopyEnds.documentLimit,
            next: { reply in
                switch said(reply, to: exchange) {
                case .success(let fields, let body): next(fields, body, reply)
                case .refusal(let refusal): refused(refusal, reply)
                case .ask(let another):
                    ask(another, for: purpose, replay: replay, next: next, refused: refused, failed: failed)
                }
            },
            failed: failed
        )
        question.body = exchange.document
        question.purpose = purpose
        return .ask(question)
    }

    /// What a store's answer means.
    func said(_ reply: StoreReply, to exchange: Exchange) -> Said {
        StoreAnswer(admitted, asking, destination.upstream).read(exchange.answer(reply.head), reply.body)
    }

    /// What the source's refusal means to somebody who copies. A success goes on.
    func sourceSaid(_ reply: StoreReply, to exchange: Exchange) -> Said {
        switch reply.head.status {
        case 304, 412: return .refusal(refusal(S3Error(.preconditionFailed)))
        case 404 where copied.versionID != nil && reply.body.isEmpty:
            return .refusal(refusal(S3Error(.noSuchVersion)))
        case 405:
            let what = "The source of a copy request may not specifically refer to a delete marker by version id."
            return .refusal(refusal(S3Error(.invalidRequest, what)))
        case 416: return .refusal(refusal(CopySourceRange.outsideSource))
        default:
            return said(reply, to: exchange)
        }
    }

    static let sourceTooLarge = S3Error(
        .invalidRequest,
        "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120"
    )
    static let sourceChanged = S3Error(.operationAborted, "The source changed while it was being copied.")

    func refusal(_ error: S3Error) -> Reply {
        let answer = asking.errors
        var reply = answer.reply(error, requestID: asking.requestID)
        reply.document = answer.asDocument.reply(error, requestID: asking.requestID).body
        return reply
    }

    func finish(_ error: S3Error) -> TransferStep { .finish(refusal(error)) }

    /// The step, or the end of the copy where a request can't be made.
    func step(_ make: () throws(S3Error) -> TransferStep) -> TransferStep {
        do {
            return try make()
        } catch {
            return finish(error)
        }
    }

    /// What comes of bytes that were put: the end of the copy.
    ///
    /// - Parameters:
    ///   - versionID: the source's.
    ///   - document: of the copy, by its ETag and the fields of the store's answer.
    func end(
        _ reply: StoreReply,
        of writing: Exchange,
        sourceVersion versionID: [UInt8]?,
        document: (_ etag: String, _ told: FieldBlock) -> [UInt8]
    ) -> TransferStep {
        switch said(reply, to: writing) {
        case .refusal(let refusal): return .finish(refusal)
        case .ask: return finish(S3Error(.internalError))
        case .success(let told, _):
            guard let etag = told.string("etag") else { return finish(S3Error(.backendBadAnswer)) }
            return success(document(etag, told), told: told, sourceVersion: versionID)
        }
    }

    /// The document of a copy that was made.
    ///
    /// - Parameters:
    ///   - told: the fields of the store's answer.
    ///   - versionID: the source's.
    func success(_ document: [UInt8], told: FieldBlock, sourceVersion versionID: [UInt8]?) -> TransferStep {
        var reply = Reply.xml(document)
        if let versionID { reply.fields.append("x-amz-copy-source-version-id", versionID) }
        for entry in told.entries
        where told.hasPrefix(entry, "x-amz-server-side-encryption") || told.isNamed(entry, "x-amz-version-id")
            || told.isNamed(entry, "x-amz-expiration") || told.isNamed(entry, "x-amz-request-charged")
        {
            reply.fields.append(entry, of: told, lowercasing: .name)
        }
        return .finish(reply)
    }
}
