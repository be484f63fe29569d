import Backends
import HTTP1
import S3API
import Signatures
import WireFormats

/// UploadPartCopy between two stores (S3 API reference, UploadPartCopy): the source, or a range of it, is read under the
/// request's conditions and becomes a part of an upload at the destination.
struct PartCopy: Sendable {
    private let ends: CopyEnds
    private let range: CopySourceRange?

    init(_ ends: CopyEnds) throws(Refusal) {
        self.ends = ends
        do throws(S3Error) {
            if let text = ends.fields.first("x-amz-copy-source-range") {
                range = try CopySourceRange(parsing: text)
            } else {
                range = nil
            }
        } catch {
            throw .request(error)
        }
        guard range.map({ $0.length <= ObjectCopy.largestSource }) ?? true else {
            throw .request(CopyEnds.sourceTooLarge)
        }
    }

    func transfer() throws(Refusal) -> Transfer {
        var fields = FieldBlock()
        ends.fields.appendSourceConditions(to: &fields)
        if let range { fields.append("range", range.range) }
        if range == nil { fields.append("x-amz-checksum-mode", "ENABLED") }
        do throws(S3Error) {
            let reading = try ends.reading(.getObject, fields, at: ends.asking.now)
            return Transfer(
                admitted: ends.admitted,
                to: ends.destination,
                first: .carry(
                    Carriage(
                        upstream: ends.source.upstream,
                        request: reading.request,
                        limit: CopyEnds.documentLimit,
                        begin: { head, now in begin(head, of: reading, at: now) },
                        failed: { ends.finish($0.error) }
                    )
                )
            )
        } catch {
            throw .request(error)
        }
    }

    private func begin(_ head: ResponseHead, of reading: Exchange, at now: Instant) -> CarriageStart {
        guard (200...299).contains(head.status) else { return left(reading) }
        let object = CopiedObject(head, saying: reading.answer(head))
        // A store that answers with less than the range, or with everything, was asked for what is not there.
        if let range, !head.isOf(range, ofLength: head.status == 200 ? object?.length : nil) {
            return .leave { _ in ends.finish(CopySourceRange.outsideSource) }
        }
        guard let length = range?.length ?? object?.length else {
            return .leave { _ in ends.finish(S3Error(.backendBadAnswer)) }
        }
        guard length <= ObjectCopy.largestSource else { return .leave { _ in ends.finish(CopyEnds.sourceTooLarge) } }
        guard length <= ends.asking.snapshot.server.maxObjectSize else {
            return .leave { _ in ends.finish(S3Error(.entityTooLarge)) }
        }
        do throws(S3Error) {
            return .deliver(try delivery(object, length, at: now))
        } catch {
            return .leave { _ in ends.finish(error) }
        }
    }

    private func left(_ reading: Exchange) -> CarriageStart {
        .leave { reply in
            switch ends.sourceSaid(reply, to: reading) {
            case .refusal(let refusal): .finish(refusal)
            case .success, .ask: ends.finish(S3Error(.backendBadAnswer))
            }
        }
    }

    private func delivery(_ object: CopiedObject?, _ length: Int64, at now: Instant) throws(S3Error) -> Delivery {
        // A checksum of the whole says nothing of a range of it.
        let checks = CopyChecks(range == nil ? object?.checksum : nil, wanted: nil)
        var query = Query()
        query.append("partNumber".utf8, ends.admitted.request.query.first("partNumber") ?? [])
        query.append("uploadId".utf8, ends.admitted.request.query.first("uploadId") ?? [])
        let versionID = object?.versionID
        let writing = try ends.writing(
            .uploadPart,
            .put,
            query: query,
            body: .stream(length: length, hash: length == 0 ? .empty : .unsigned),
            at: now
        )
        return Delivery(
            upstream: ends.destination.upstream,
            request: writing.request,
            length: length,
            replay: .allowed,
            checksums: checks.begun,
            agrees: checks.agrees,
            limit: CopyEnds.documentLimit,
            next: { reply, checksums in
                ends.end(reply, of: writing, sourceVersion: versionID) { etag, told in
                    UploadResults.copiedPart(etag: etag, modified: reply.now, checksum: checks.named(by: told, []))
                }
            }
        )
    }
}
