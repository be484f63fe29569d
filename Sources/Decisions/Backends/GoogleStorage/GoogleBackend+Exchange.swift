public import HTTP1
public import S3API
import Signatures
public import WireFormats

extension GoogleBackend {
    public func exchange(
        for request: S3Request,
        head: RequestHead,
        body: OutgoingBody,
        copyingFrom source: (any Backend)?,
        view: ClientView,
        at now: Instant
    ) throws(S3Error) -> Exchange {
        guard request.versionID == nil, request.copySource?.versionID == nil else {
            throw S3Error(.notImplemented, "Versions are not reached at Google Cloud Storage.")
        }
        let translated = try GoogleFields(request, head.fields, body: body)
        let reader = GoogleAnswerReader(
            request: request,
            backend: self,
            view: view,
            tellsChecksum: translated.tellsChecksum
        )
        switch request.operation {
        case .getObject, .headObject:
            guard request.query.first("partNumber") == nil else {
                throw S3Error(.notImplemented, "Google Cloud Storage does not keep where an object's parts began.")
            }
            return try plain(head.method, request, fields: translated.fields, reader, at: now)
        case .headBucket:
            return try plain(.head, request, reader, at: now)
        case .getBucketLocation:
            return try plain(.get, request, query: Self.query("location"), reader, at: now)
        case .listObjects, .listObjectsV2, .listMultipartUploads:
            return try plain(.get, request, query: try listingQuery(for: request, hiding: hidden), reader, at: now)
        case .listParts:
            let query = Self.query(of: request, ["uploadId", "max-parts", "part-number-marker"])
            return try plain(.get, request, query: query, reader, at: now)
        case .putObject, .postObject, .uploadPart:
            return try conditional(request, on: translated.ifMatch, reader, at: now) {
                [self, translated] generation throws(S3Error) in
                try upload(request, body, translated.fields.adding(generation: generation), reader, at: now)
            }
        case .copyObject:
            guard let source = (source ?? self) as? GoogleBackend, let copied = request.copySource else {
                throw S3Error(.notImplemented)
            }
            var fields = translated.fields
            fields.append("x-goog-copy-source", try source.path(of: copied.key))
            return try conditional(request, on: translated.ifMatch, reader, at: now) {
                [self, fields] generation throws(S3Error) in
                try plain(.put, request, fields: fields.adding(generation: generation), reader, length: 0, at: now)
            }
        case .deleteObject:
            return try conditional(request, on: translated.ifMatch, reader, at: now) {
                [self, translated] generation throws(S3Error) in
                let fields = translated.fields.adding(generation: generation)
                return try plain(.delete, request, fields: fields, reader, at: now)
            }
        case .deleteObjects:
            return try deletion(request, body, reader, at: now)
        case .createMultipartUpload:
            return try plain(
                .post,
                request,
                query: Self.query("uploads"),
                fields: translated.fields,
                reader,
                length: 0,
                at: now
            )
        case .completeMultipartUpload:
            return try completion(request, body, reader, at: now)
        case .abortMultipartUpload:
            return try plain(.delete, request, query: Self.query(of: request, ["uploadId"]), reader, at: now)
        default:
            throw S3Error(.notImplemented, "Google Cloud Storage has no like of this operation.")
        }
    }

    // MARK: - Kinds of exchanges

    /// A request without a body; `length` 0 says so where the method makes one expect a body.
    private func plain(
        _ method: HTTPMethod,
        _ request: S3Request,
        query: Query = Query(),
        fields: FieldBlock = FieldBlock(),
        _ reader: GoogleAnswerReader,
        length: Int64? = nil,
        at now: Instant
    ) throws(S3Error) -> Exchange {
        Exchange(
            try self.request(
                method,
                path: try path(of: request.address),
                query: query,
                fields: fields,
                length: length,
                at: now
            ),
            .none
        ) { reader.answer($0) }
    }

    private func upload(
        _ request: S3Request,
        _ body: OutgoingBody,
        _ fields: FieldBlock,
        _ reader: GoogleAnswerReader,
        at now: Instant
    ) throws(S3Error) -> Exchange {
        let length: Int64
        let hash: PayloadHash
        let carried: Exchange.Body
        switch body {
        case .none: (length, hash, carried) = (0, .empty, .none)
        case .stream(let bytes, .chunked): (length, hash, carried) = (bytes, .unsigned, .carried)
        case .stream(let bytes, let known): (length, hash, carried) = (bytes, known, .carried)
        case .computed(let bytes, _): (length, hash, carried) = (bytes, .unsigned, .carried)
        case .checked(let bytes, _, _): (length, hash, carried) = (Int64(bytes), .unsigned, .carried)
        case .trailing, .document, .rewritten, .deletion: throw S3Error(.internalError)
        }
        return Exchange(
            try self.request(
                .put,
                path: try path(of: request.address),
                query: Self.query(of: request, ["partNumber", "uploadId"]),
                fields: fields,
                length: length,
                hash: hash,
                at: now
            ),
            carried
        ) { reader.answer($0) }
    }

    /// Something that is done where the object's ETag is one of these: its generation is looked up, and the change is
    /// made under the condition that it is still that one.
    private func conditional(
        _ request: S3Request,
        on etags: [UInt8]?,
        _ reader: GoogleAnswerReader,
        at now: Instant,
        then change: @escaping @Sendable (_ generation: [UInt8]?) throws(S3Error) -> Exchange
    ) throws(S3Error) -> Exchange {
        guard let etags else { return try change(nil) }
        let looking = try self.request(.head, path: try path(of: request.address), at: now)
        return Exchange(looking, .none) { head in
            guard head.status == 200 else {
                // A deletion of what is not there has been done.
                if head.status == 404, request.operation == .deleteObject {
                    return .stream(status: 204, fields: FieldBlock())
                }
                return reader.answer(head)
            }
            guard let generation = head.fields.first("x-goog-generation"), let etag = head.fields.first("etag") else {
                return .failure(StoreFailure(S3Error(.backendBadAnswer), cause: .store), fields: FieldBlock())
            }
            guard isNamed(etag, by: etags) else {
                return .failure(StoreFailure(S3Error(.preconditionFailed), cause: .request), fields: FieldBlock())
            }
            do throws(S3Error) {
                let next = try change(Array(generation))
                return .collect(limit: 0) { _ in .ask(next) }
            } catch {
                return .failure(StoreFailure(error, cause: .request), fields: FieldBlock())
            }
        }
    }

    /// Up to a thousand keys at once (Cloud Storage documentation, "Delete multiple objects"). Conditions on single
    /// objects are not known there: those objects stay, and the answer says so.
    private func deletion(
        _ request: S3Request,
        _ body: OutgoingBody,
        _ reader: GoogleAnswerReader,
        at now: Instant
    ) throws(S3Error) -> Exchange {
        guard case .deletion(let entries) = body else { throw S3Error(.internalError) }
        let refusal = S3Error(.notImplemented, "Versions and conditions are not known at Google Cloud Storage here.")
        var sent: [DeleteRequest.Entry] = []
        var kept: [DeleteResult.Failure] = []
        for entry in entries {
            if entry.versionID == nil, entry.conditions.isEmpty {
                sent.append(DeleteRequest.Entry(key: try stored(entry.key)))
            } else {
                kept.append(DeleteResult.Failure(key: entry.key, versionID: entry.versionID, refusal))
            }
        }
        guard !sent.isEmpty else { throw refusal }
        let document = DeleteRequest(entries: sent, quiet: false).document()
        let outgoing = try self.request(posting: document, to: root, query: Self.query("delete"), at: now)
        var reader = reader
        reader.kept = kept
        return Exchange(outgoing, .document(document)) { [reader] in reader.answer($0) }
    }

    private func completion(
        _ request: S3Request,
        _ body: OutgoingBody,
        _ reader: GoogleAnswerReader,
        at now: Instant
    ) throws(S3Error) -> Exchange {
        let document: [UInt8]
        switch body {
        case .document(let bytes), .rewritten(let bytes): document = bytes
        default: throw S3Error(.internalError)
        }
        let outgoing = try self.request(
            posting: document,
            to: try path(of: request.address),
            query: Self.query(of: request, ["uploadId"]),
            at: now
        )
        return Exchange(outgoing, .document(document)) { reader.answer($0) }
    }

    // MARK: - Queries

    private static func query(_ subresource: StaticString) -> Query {
        var query = Query()
        query.append(subresource.description.utf8, [])
        return query
    }

    /// These parameters of the client's, where it gave them.
    private static func query(of request: S3Request, _ names: [StaticString]) -> Query {
        var query = Query()
        for name in names {
            if let value = request.query.first(name) { query.append(name.description.utf8, value) }
        }
        return query
    }
}

/// Whether an ETag is one of the list of `If-Match`, which may be `*`; quotes are the client's to give or to leave out.
private func isNamed(_ etag: ArraySlice<UInt8>, by list: [UInt8]) -> Bool {
    let bare = { (text: ArraySlice<UInt8>) in
        let trimmed = text.drop { $0 == 0x20 || $0 == 0x09 }.reversed().drop { $0 == 0x20 || $0 == 0x09 }.reversed()
        let quote = UInt8(ascii: "\"")
        guard trimmed.count >= 2, trimmed.first == quote, trimmed.last == quote else { return Array(trimmed) }
        return Array(trimmed.dropFirst().dropLast())
    }
    return list.split(separator: UInt8(ascii: ",")).contains { entry in
        let entry = bare(entry)
        return entry == [UInt8(ascii: "*")] || entry == bare(etag)
    }
}

extension FieldBlock {
    fileprivate func adding(generation: [UInt8]?) -> FieldBlock {
        guard let generation else { return self }
        var fields = self
        fields.append("x-goog-if-generation-match", generation)
        return fields
    }
}
