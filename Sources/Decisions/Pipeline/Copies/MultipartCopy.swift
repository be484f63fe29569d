import Backends
import HTTP1
import S3API
import Signatures
import WireFormats

/// A long object copied as a multipart upload at its destination: begun, one part after another, completed; taken back
/// wherever it fails.
struct MultipartCopy: Sendable {
    private let ends: CopyEnds
    private let object: CopiedObject
    private let tags: [UInt8]?
    private let checks: CopyChecks

    init(_ ends: CopyEnds, _ object: CopiedObject, tags: [UInt8]?) {
        self.ends = ends
        self.object = object
        self.tags = tags
        checks = CopyChecks(object.checksum, wanted: ends.wanted)
    }

    func begin(at now: Instant) throws(S3Error) -> TransferStep {
        var fields = FieldBlock()
        ends.fields.appendDescription(of: object, tags: tags, to: &fields)
        var query = Query()
        query.append("uploads".utf8, [])
        return ends.ask(
            try ends.writing(.createMultipartUpload, .post, query: query, fields, at: now),
            replay: .never,
            next: { _, document, reply in
                guard let root = try? XMLReader.parse(document, maxElements: 100),
                    let uploadID = root.value("UploadId"), !uploadID.isEmpty
                else { return ends.finish(S3Error(.backendBadAnswer)) }
                return part(Upload(id: Array(uploadID.utf8), checksums: checks.begun), at: reply.now)
            },
            refused: { refusal, _ in .finish(refusal) },
            failed: { ends.finish($0.error) }
        )
    }

    /// An upload that exists at the destination, with the parts that it has.
    private struct Upload: Sendable {
        let id: [UInt8]
        var etags: [String] = []
        var length: Int64 = 0
        /// Of all the bytes so far.
        var checksums: [Checksum]

        var query: Query {
            var query = Query()
            query.append("uploadId".utf8, id)
            return query
        }
    }

    // MARK: - Parts

    private func part(_ upload: Upload, at now: Instant) -> TransferStep {
        attempt(upload, at: now) { () throws(S3Error) in
            guard upload.length < object.length else { return try completion(upload, at: now) }
            let range = CopySourceRange(
                first: upload.length,
                last: min(upload.length + ObjectCopy.partLength, object.length) - 1
            )
            var fields = FieldBlock()
            if let etag = object.etag { fields.append("if-match", etag) }
            fields.append("range", range.range)
            let reading = try ends.reading(.getObject, fields, at: now)
            return .carry(
                Carriage(
                    upstream: ends.source.upstream,
                    request: reading.request,
                    limit: CopyEnds.documentLimit,
                    begin: { head, now in
                        guard head.isOf(range, ofLength: object.length) else { return sourceChanged(upload, reading) }
                        do throws(S3Error) {
                            return .deliver(try delivery(of: range, upload, at: now))
                        } catch {
                            return .leave { abort(upload, ends.refusal(error), at: $0.now) }
                        }
                    },
                    failed: { abort(upload, ends.refusal($0.error), at: $0.now) }
                )
            )
        }
    }

    private func sourceChanged(_ upload: Upload, _ reading: Exchange) -> CarriageStart {
        .leave { reply in
            switch ends.sourceSaid(reply, to: reading) {
            case .refusal(let refusal) where reply.head.status != 412: abort(upload, refusal, at: reply.now)
            case .refusal, .success, .ask: abort(upload, ends.refusal(CopyEnds.sourceChanged), at: reply.now)
            }
        }
    }

    private func delivery(
        of range: CopySourceRange,
        _ upload: Upload,
        at now: Instant
    ) throws(S3Error) -> Delivery {
        var query = upload.query
        query.append("partNumber".utf8, String(upload.etags.count + 1).utf8)
        let writing = try ends.writing(
            .uploadPart,
            .put,
            query: query,
            body: .stream(length: range.length, hash: .unsigned),
            at: now
        )
        return Delivery(
            upstream: ends.destination.upstream,
            request: writing.request,
            length: range.length,
            replay: .allowed,
            checksums: upload.checksums,
            agrees: range.last + 1 == object.length ? checks.agrees : nil,
            limit: CopyEnds.documentLimit,
            next: { reply, checksums in
                switch ends.said(reply, to: writing) {
                case .refusal(let refusal): return abort(upload, refusal, at: reply.now)
                case .ask: return abort(upload, ends.refusal(S3Error(.internalError)), at: reply.now)
                case .success(let told, _):
                    guard let etag = told.string("etag") else {
                        return abort(upload, ends.refusal(S3Error(.backendBadAnswer)), at: reply.now)
                    }
                    var upload = upload
                    upload.etags.append(etag)
                    upload.length += range.length
                    upload.checksums = checksums
                    return part(upload, at: reply.now)
                }
            }
        )
    }

    // MARK: - The end

    private func completion(_ upload: Upload, at now: Instant) throws(S3Error) -> TransferStep {
        var fields = FieldBlock()
        ends.fields.appendConditions(to: &fields)
        let parts = upload.etags.enumerated().map { index, etag in
            XMLNode(
                name: "Part",
                children: [XMLNode(name: "PartNumber", text: String(index + 1)), XMLNode(name: "ETag", text: etag)]
            )
        }
        let document = XMLNode(name: "CompleteMultipartUpload", children: parts).document()
        return ends.ask(
            try ends.writing(
                .completeMultipartUpload,
                .post,
                query: upload.query,
                fields,
                body: .document(document),
                at: now
            ),
            replay: .never,
            next: { told, document, reply in
                guard let etag = (try? XMLReader.parse(document, maxElements: 100))?.value("ETag") else {
                    return ends.finish(S3Error(.backendBadAnswer))
                }
                let result = UploadResults.copied(
                    etag: etag,
                    modified: reply.now,
                    checksum: checks.named(by: told, upload.checksums)
                )
                return ends.success(result, told: told, sourceVersion: object.versionID)
            },
            refused: { refusal, reply in abort(upload, refusal, at: reply.now) },
            failed: { abort(upload, ends.refusal($0.error), at: $0.now) }
        )
    }

    /// Takes the upload back, then ends with `reply`, whatever the store says to that.
    private func abort(_ upload: Upload, _ reply: Reply, at now: Instant) -> TransferStep {
        ends.step { () throws(S3Error) in
            ends.ask(
                try ends.writing(.abortMultipartUpload, .delete, query: upload.query, at: now),
                for: .cleanup,
                replay: .allowed,
                next: { _, _, _ in .finish(reply) },
                refused: { _, _ in .finish(reply) },
                failed: { _ in .finish(reply) }
            )
        }
    }

    private func attempt(
        _ upload: Upload,
        at now: Instant,
        _ make: () throws(S3Error) -> TransferStep
    ) -> TransferStep {
        do throws(S3Error) {
            return try make()
        } catch {
            return abort(upload, ends.refusal(error), at: now)
        }
    }
}

extension ResponseHead {
    /// Whether this is the answer to a GET of that range of an object so long: of these bytes and no others.
    func isOf(_ range: CopySourceRange, ofLength length: Int64?) -> Bool {
        guard framing.mayBe(range.length) else { return false }
        if status == 200 { return range.first == 0 && range.length == length }
        guard status == 206, let told = fields.first("content-range") else { return false }
        let wanted = "bytes \(range.first)-\(range.last)/"
        guard told.starts(with: wanted.utf8) else { return false }
        return length.map { told.dropFirst(wanted.utf8.count).elementsEqual(String($0).utf8) } ?? true
    }
}
