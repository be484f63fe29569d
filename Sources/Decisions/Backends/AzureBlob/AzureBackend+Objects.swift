import HTTP1
import S3API
import Signatures
import WireFormats

// MARK: - Reading

extension AzureTurn {
    /// Get Blob, or Get Blob Properties.
    func reading() throws(S3Error) -> Exchange {
        let path = try backend.path(try key())
        if let part = request.query.first("partNumber") { return try readingPart(part, path) }
        guard request.operation == .getObject, let range = sent.first("range") else { return try read(path, nil) }
        switch AzureRange(range) {
        case .from(let text): return try read(path, text)
        // What is no range of one piece is none, as at S3.
        case nil: return try read(path, nil)
        case .last(let count): return try readingEnd(count, path)
        }
    }

    /// - Parameter range: `bytes=first-last` or `bytes=first-`.
    private func read(_ path: [UInt8], _ range: String?, pinned etag: String? = nil) throws(S3Error) -> Exchange {
        var fields = FieldBlock()
        try appendConditions(to: &fields, pinned: etag)
        if let range { fields.append("x-ms-range", range) }
        return Exchange(signed(method, path, fields: fields), .none) { [self] head in
            answer(head) { head in .stream(status: head.status, fields: overridden(told(head))) }
        }
    }

    /// Azure counts from the beginning only: how long the blob is has to be asked.
    private func readingEnd(_ count: Int64, _ path: [UInt8]) throws(S3Error) -> Exchange {
        var fields = FieldBlock()
        try appendConditions(to: &fields)
        let asking = signed(.head, path, fields: fields)
        return Exchange(asking, .none) { [self] head in
            answer(head) { head in
                guard let length = head.fields.string("content-length").flatMap({ Int64($0) }),
                    let etag = head.fields.string("etag")
                else { return .failure(StoreFailure(S3Error(.backendBadAnswer), cause: .store), fields: FieldBlock()) }
                return .collect(limit: 0) { _ in
                    guard count > 0, length > 0 else { return .failure(S3Error(.invalidRange)) }
                    return asked { () throws(S3Error) in
                        try read(path, "bytes=\(max(0, length - count))-", pinned: etag)
                    }
                }
            }
        }
    }

    /// A part of a blob that was put together from blocks: the list of them says where it lies.
    private func readingPart(_ number: [UInt8], _ path: [UInt8]) throws(S3Error) -> Exchange {
        guard request.operation == .getObject else {
            throw S3Error(.notImplemented, "Azure tells nothing of a single part but its bytes.")
        }
        guard let number = decimal(number), (1...10_000).contains(number) else {
            throw S3Error(.invalidArgument, "Part number must be an integer between 1 and 10000, inclusive")
        }
        let asking = signed(.get, path, [("blocklisttype", "committed"), ("comp", "blocklist")])
        return Exchange(asking, .none) { [self] head in
            answer(head) { head in
                let etag = head.fields.string("etag")
                return .collect(limit: Self.longAnswer) { body in
                    guard let blocks = AzureBlockList(parsing: body)?.committed else {
                        return .failure(S3Error(.backendBadAnswer), cause: .store)
                    }
                    guard number <= max(blocks.count, 1) else { return .failure(S3Error(.invalidRange)) }
                    guard !blocks.isEmpty else {
                        return asked { () throws(S3Error) in try read(path, nil, pinned: etag) }
                    }
                    guard let range = Self.range(of: number, in: blocks) else {
                        return .failure(S3Error(.backendBadAnswer), cause: .store)
                    }
                    return asked { () throws(S3Error) in try read(path, range, pinned: etag) }
                }
            }
        }
    }

    /// Where the block of that number lies; nil where no blob could have blocks of such lengths.
    private static func range(of number: Int, in blocks: [AzureBlockList.Block]) -> String? {
        var first: Int64 = 0
        for block in blocks.prefix(number - 1) {
            guard block.size > 0, block.size <= Int64.max - first else { return nil }
            first += block.size
        }
        let size = blocks[number - 1].size
        guard size > 0, size <= Int64.max - first else { return nil }
        return "bytes=\(first)-\(first + size - 1)"
    }

    /// The next exchange, or why there is none.
    func asked(_ make: () throws(S3Error) -> Exchange) -> S3CompleteAnswer {
        do throws(S3Error) {
            return .ask(try make())
        } catch {
            return .failure(error)
        }
    }

    /// - Parameter etag: what the blob has to be besides; a condition of the client's on its ETag has been judged then.
    func appendConditions(to fields: inout FieldBlock, pinned etag: String? = nil) throws(S3Error) {
        if let etag {
            fields.append("if-match", etag)
            return
        }
        for name in ["if-match", "if-none-match"] as [StaticString] {
            guard let value = sent.first(name) else { continue }
            guard let etag = AzureETag.stored(value) else {
                throw S3Error(.notImplemented, "Azure takes one ETag in \(name), or *.")
            }
            fields.append(name, etag)
        }
        for name in ["if-modified-since", "if-unmodified-since"] as [StaticString] {
            if let value = sent.first(name) { fields.append(name, value) }
        }
    }

    // MARK: - What answers tell

    /// The store's fields in S3's terms.
    func told(_ head: ResponseHead) -> FieldBlock {
        var told = FieldBlock(reservingBytes: head.fields.bytes.count, fields: head.fields.entries.count)
        let fields = head.fields
        for entry in fields.entries {
            if fields.hasPrefix(entry, "x-ms-meta-") {
                let name = fields.name(entry).dropFirst("x-ms-meta-".utf8.count)
                guard let shown = AzureMetadata.shown(name: name) else { continue }
                told.append("x-amz-meta-".utf8 + shown, fields.value(entry))
            } else if Self.passed.contains(where: { fields.isNamed(entry, $0) }) {
                told.append(entry, of: fields, lowercasing: .name)
            }
        }
        if let expires = fields.first(AzureMetadata.expires) { told.append("expires", expires) }
        if let etag = fields.string("etag") {
            let parts = fields.first(AzureMetadata.parts).flatMap { AzureMetadata.count($0) }
            told.append("etag", AzureETag.shown(etag, parts: parts))
        }
        return told
    }

    private static let passed: [StaticString] = [
        "accept-ranges", "cache-control", "content-disposition", "content-encoding", "content-language",
        "content-range",
        "content-type", "date", "last-modified",
    ]

    /// With what the client wants said instead (S3 API reference, "GetObject").
    private func overridden(_ fields: FieldBlock) -> FieldBlock {
        var result = fields
        for (parameter, name) in Self.overrides {
            guard let value = request.query.first(parameter) else { continue }
            var others = FieldBlock(reservingBytes: result.bytes.count, fields: result.entries.count + 1)
            for entry in result.entries where !result.isNamed(entry, name) {
                others.append(entry, of: result, lowercasing: .nothing)
            }
            others.append(name, value)
            result = others
        }
        return result
    }

    private static let overrides: [(StaticString, StaticString)] = [
        ("response-cache-control", "cache-control"), ("response-content-disposition", "content-disposition"),
        ("response-content-encoding", "content-encoding"), ("response-content-language", "content-language"),
        ("response-content-type", "content-type"), ("response-expires", "expires"),
    ]
}

/// A range as Azure takes it, or that it doesn't take.
enum AzureRange {
    /// `bytes=first-last`, `bytes=first-`
    case from(String)
    /// The last so many bytes.
    case last(Int64)

    /// Nil for what is no range of one piece.
    init?(_ value: ArraySlice<UInt8>) {
        let unit = "bytes=".utf8
        guard value.starts(with: unit) else { return nil }
        let ends = value.dropFirst(unit.count).split(
            separator: UInt8(ascii: "-"),
            maxSplits: 2,
            omittingEmptySubsequences: false
        )
        let digits = { (text: ArraySlice<UInt8>) in
            text.count <= 18 && text.allSatisfy { $0 &- UInt8(ascii: "0") < 10 }
        }
        guard ends.count == 2, digits(ends[0]), digits(ends[1]), !ends[0].isEmpty || !ends[1].isEmpty else {
            return nil
        }
        if ends[0].isEmpty {
            self = .last(Int64(String(decoding: ends[1], as: UTF8.self)) ?? 0)
            return
        }
        if let first = Int64(String(decoding: ends[0], as: UTF8.self)),
            let last = Int64(String(decoding: ends[1], as: UTF8.self)), last < first
        {
            return nil
        }
        self = .from(String(decoding: value, as: UTF8.self))
    }
}

// MARK: - Writing

extension AzureTurn {
    /// The longest that Put Blob takes.
    static let largestBlob: Int64 = 5000 << 20

    /// Put Blob.
    func putting(_ body: OutgoingBody) throws(S3Error) -> Exchange {
        guard case .stream(let length, _) = body else { throw S3Error(.internalError) }
        guard length <= Self.largestBlob else { throw S3Error(.entityTooLarge) }
        var fields = FieldBlock()
        fields.append("x-ms-blob-type", "BlockBlob")
        try appendDescription(to: &fields)
        try appendConditions(to: &fields)
        if let digest = sent.first("content-md5") { fields.append("content-md5", digest) }
        let asking = signed(.put, try backend.path(try key()), fields: fields, length: length)
        return Exchange(asking, .carried) { [self] head in
            answer(head) { head in
                var fields = FieldBlock()
                if let etag = head.fields.string("etag") { fields.append("etag", AzureETag.shown(etag, parts: nil)) }
                return .stream(status: 200, fields: fields)
            }
        }
    }

    /// What the client says of its object.
    func appendDescription(to fields: inout FieldBlock) throws(S3Error) {
        for (theirs, ours) in Self.descriptions {
            if let value = sent.first(theirs) { fields.append(ours, value) }
        }
        if let encoding = sent.contentEncoding { fields.append("x-ms-blob-content-encoding", encoding) }
        if let expires = sent.first("expires") { fields.append(AzureMetadata.expires, expires) }
        for (name, value) in sent.userMetadata {
            guard !name.isEmpty else { throw S3Error(.invalidArgument, "A metadata field has no name.") }
            fields.append("x-ms-meta-".utf8 + AzureMetadata.stored(name: name), AzureMetadata.stored(value: value))
        }
    }

    private static let descriptions: [(StaticString, StaticString)] = [
        ("content-type", "x-ms-blob-content-type"), ("content-language", "x-ms-blob-content-language"),
        ("content-disposition", "x-ms-blob-content-disposition"), ("cache-control", "x-ms-blob-cache-control"),
    ]
}

// MARK: - Deleting

extension AzureTurn {
    func deleting() throws(S3Error) -> Exchange {
        var fields = FieldBlock()
        try appendConditions(to: &fields)
        return Exchange(try deletion(of: try key(), fields), .none) { [self] head in
            if StoreFailure.isMissingBlob(head) { return deleted }
            return answer(head) { _ in deleted }
        }
    }

    /// Nothing there is as good as deleted.
    private var deleted: S3Answer {
        .collect(limit: Self.shortAnswer) { _ in .document(status: 204, fields: FieldBlock(), body: []) }
    }

    private func deletion(of key: ObjectKey, _ fields: FieldBlock) throws(S3Error) -> OutgoingRequest {
        var fields = fields
        fields.append("x-ms-delete-snapshots", "include")
        return signed(.delete, try backend.path(key), fields: fields)
    }

    /// One after another, each said in the end.
    func deleting(_ entries: [DeleteRequest.Entry]) throws(S3Error) -> Exchange {
        guard let exchange = try next(of: entries[...], DeleteResult()).exchange else { throw S3Error(.malformedXML) }
        return exchange
    }

    private enum Deletion {
        case ask(Exchange)
        case done(DeleteResult)

        var exchange: Exchange? { if case .ask(let exchange) = self { exchange } else { nil } }
    }

    private func next(of entries: ArraySlice<DeleteRequest.Entry>, _ result: DeleteResult) throws(S3Error) -> Deletion {
        var (rest, result) = (entries, result)
        while let entry = rest.popFirst() {
            do throws(S3Error) {
                let others = rest
                let sofar = result
                return .ask(
                    Exchange(try deletion(of: entry), .none) { [self] head in
                        deleted(entry, head, sofar, others)
                    }
                )
            } catch {
                result.failures.append(DeleteResult.Failure(key: entry.key, versionID: entry.versionID, error))
                guard rest.isEmpty, result.deleted.isEmpty, result.failures.count == entries.count else { continue }
                // None could be asked about.
                throw error
            }
        }
        return .done(result)
    }

    private func deletion(of entry: DeleteRequest.Entry) throws(S3Error) -> OutgoingRequest {
        guard entry.versionID == nil, entry.conditions.keys.allSatisfy({ $0 == .etag }) else {
            throw S3Error(.notImplemented)
        }
        var fields = FieldBlock()
        if let etag = entry.conditions[.etag] {
            guard let stored = AzureETag.stored(Array(etag.utf8)[...]) else { throw S3Error(.invalidArgument) }
            fields.append("if-match", stored)
        }
        return try deletion(of: entry.key, fields)
    }

    private func deleted(
        _ entry: DeleteRequest.Entry,
        _ head: ResponseHead,
        _ result: DeleteResult,
        _ rest: ArraySlice<DeleteRequest.Entry>
    ) -> S3Answer {
        var result = result
        if (200...299).contains(head.status) || StoreFailure.isMissingBlob(head) {
            result.deleted.append(DeleteResult.Deleted(key: entry.key))
        } else {
            let failure = StoreFailure(azure: head, address: .object(bucket, entry.key))
            // That will not be otherwise for the next.
            guard failure.cause == .request, failure.code != S3Error.Code.noSuchBucket.name else {
                return .failure(failure, fields: FieldBlock())
            }
            result.failures.append(
                DeleteResult.Failure(key: entry.key, code: failure.code, message: failure.message)
            )
        }
        let sofar = result
        return .collect(limit: Self.shortAnswer) { [self] _ in
            do throws(S3Error) {
                switch try next(of: rest, sofar) {
                case .ask(let exchange): return .ask(exchange)
                case .done(let result): return .xml(result.document())
                }
            } catch {
                return .failure(error)
            }
        }
    }
}
