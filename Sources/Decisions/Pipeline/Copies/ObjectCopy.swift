import Backends
import HTTP1
import S3API
import Signatures
import WireFormats

/// CopyObject between two stores (S3 API reference, CopyObject). The source is described first, then read with that
/// description's ETag as a condition, so that no copy is made of two states of it. What is longer than one part becomes a
/// multipart upload, its parts one after another; whatever goes wrong after it was begun takes it back.
///
/// Tags go along under the rights that the copy needs anyway, as they do where a store copies by itself.
struct ObjectCopy: Sendable {
    /// S3's own limit: beyond, clients copy in parts.
    static let largestSource: Int64 = 5 << 30
    /// Longer sources are copied in parts of this length.
    static let partLength: Int64 = 64 << 20

    private let ends: CopyEnds

    init(_ ends: CopyEnds) { self.ends = ends }

    func transfer() throws(Refusal) -> Transfer {
        guard !ends.areOne || ends.fields.changesAnything else {
            throw .request(
                S3Error(
                    .invalidRequest,
                    "This copy request is illegal because it is trying to copy an object to itself without changing "
                        + "the object's metadata, storage class, website redirect location or encryption attributes."
                )
            )
        }
        do throws(S3Error) {
            return Transfer(admitted: ends.admitted, to: ends.destination, first: try description(at: ends.asking.now))
        } catch {
            throw .request(error)
        }
    }

    // MARK: - The source

    private func description(at now: Instant) throws(S3Error) -> TransferStep {
        var fields = FieldBlock()
        ends.fields.appendSourceConditions(to: &fields)
        fields.append("x-amz-checksum-mode", "ENABLED")
        let reading = try ends.reading(.headObject, fields, at: now)
        return .ask(
            StoreQuestion(
                upstream: ends.source.upstream,
                request: reading.request,
                replay: .allowed,
                limit: 0,
                next: { reply in
                    switch ends.sourceSaid(reply, to: reading) {
                    case .refusal(let refusal): .finish(refusal)
                    case .success: described(reply, reading)
                    case .ask: ends.finish(S3Error(.internalError))
                    }
                },
                failed: { ends.finish($0.error) }
            )
        )
    }

    private func described(_ reply: StoreReply, _ reading: Exchange) -> TransferStep {
        guard let object = CopiedObject(reply.head, saying: reading.answer(reply.head)) else {
            return ends.finish(S3Error(.backendBadAnswer))
        }
        guard object.length <= Self.largestSource else { return ends.finish(CopyEnds.sourceTooLarge) }
        guard object.length <= ends.asking.snapshot.server.maxObjectSize else {
            return ends.finish(S3Error(.entityTooLarge))
        }
        return ends.step { () throws(S3Error) in
            guard ends.carriesTags, let count = object.tagCount, count > 0 else {
                return try content(of: object, tags: nil, at: reply.now)
            }
            return try tags(of: object, at: reply.now)
        }
    }

    private func tags(of object: CopiedObject, at now: Instant) throws(S3Error) -> TransferStep {
        let reading = try ends.reading(.getObjectTagging, at: now)
        return .ask(
            StoreQuestion(
                upstream: ends.source.upstream,
                request: reading.request,
                replay: .allowed,
                limit: CopyEnds.documentLimit,
                next: { reply in
                    switch ends.sourceSaid(reply, to: reading) {
                    case .refusal(let refusal): return .finish(refusal)
                    case .ask: return ends.finish(S3Error(.internalError))
                    case .success(_, let document):
                        guard let tags = Self.tagSet(document) else {
                            return ends.finish(S3Error(.backendBadAnswer))
                        }
                        return ends.step { () throws(S3Error) in try content(of: object, tags: tags, at: reply.now) }
                    }
                },
                failed: { ends.finish($0.error) }
            )
        )
    }

    /// A Tagging document as the value of `x-amz-tagging`.
    private static func tagSet(_ document: [UInt8]) -> [UInt8]? {
        guard let root = try? XMLReader.parse(document, maxElements: 1000), root.name == "Tagging",
            let set = root.child("TagSet")
        else { return nil }
        var query = Query()
        for tag in set.children(named: "Tag") {
            guard let key = tag.child("Key"), let value = tag.child("Value") else { return nil }
            query.append(key.text.utf8, value.text.utf8)
        }
        var text: [UInt8] = []
        query.appendCanonical(to: &text)
        return text
    }

    // MARK: - The content

    private func content(of object: CopiedObject, tags: [UInt8]?, at now: Instant) throws(S3Error) -> TransferStep {
        guard object.length > Self.partLength, object.etag != nil else {
            return try whole(object, tags: tags, at: now)
        }
        return try MultipartCopy(ends, object, tags: tags).begin(at: now)
    }

    private func whole(_ object: CopiedObject, tags: [UInt8]?, at now: Instant) throws(S3Error) -> TransferStep {
        var condition = FieldBlock()
        if let etag = object.etag { condition.append("if-match", etag) }
        let checks = CopyChecks(object.checksum, wanted: ends.wanted)
        let reading = try ends.reading(.getObject, condition, at: now)
        return .carry(
            Carriage(
                upstream: ends.source.upstream,
                request: reading.request,
                limit: CopyEnds.documentLimit,
                begin: { head, now in
                    guard head.status == 200 else { return sourceChanged(reading) }
                    guard head.framing.mayBe(object.length) else { return sourceChanged(reading) }
                    do throws(S3Error) {
                        return .deliver(try delivery(of: object, tags: tags, checks, at: now))
                    } catch {
                        return .leave { _ in ends.finish(error) }
                    }
                },
                failed: { ends.finish($0.error) }
            )
        )
    }

    private func sourceChanged(_ reading: Exchange) -> CarriageStart {
        .leave { reply in
            switch ends.sourceSaid(reply, to: reading) {
            case .refusal(let refusal) where reply.head.status != 412: .finish(refusal)
            case .refusal, .success, .ask: ends.finish(CopyEnds.sourceChanged)
            }
        }
    }

    private func delivery(
        of object: CopiedObject,
        tags: [UInt8]?,
        _ checks: CopyChecks,
        at now: Instant
    ) throws(S3Error) -> Delivery {
        var fields = FieldBlock()
        ends.fields.appendDescription(of: object, tags: tags, to: &fields)
        ends.fields.appendConditions(to: &fields)
        checks.appendClaim(to: &fields)
        let writing = try ends.writing(
            .putObject,
            .put,
            fields,
            body: .stream(length: object.length, hash: object.length == 0 ? .empty : .unsigned),
            at: now
        )
        // The bytes are on their way already: nothing can be looked up before they are put.
        guard writing.request.method == .put else {
            throw S3Error(.notImplemented, "If-Match can't be asked of this store by a copy from another one.")
        }
        return Delivery(
            upstream: ends.destination.upstream,
            request: writing.request,
            length: object.length,
            replay: ends.fields.isConditional ? .never : .allowed,
            checksums: checks.begun,
            agrees: checks.agrees,
            limit: CopyEnds.documentLimit,
            next: { reply, checksums in
                ends.end(reply, of: writing, sourceVersion: object.versionID) { etag, told in
                    UploadResults.copied(
                        etag: etag,
                        modified: reply.now,
                        checksum: checks.named(by: told, checksums)
                    )
                }
            }
        )
    }
}

extension BodyFraming {
    /// Whether a body so framed can have that many bytes.
    func mayBe(_ length: Int64) -> Bool {
        switch self {
        case .none: length == 0
        case .length(let told): told == length
        case .chunked, .untilClose: true
        }
    }
}
