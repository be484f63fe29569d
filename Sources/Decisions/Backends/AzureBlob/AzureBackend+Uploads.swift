import HTTP1
import S3API
import WireFormats

/// Uploads in parts: Put Block and Put Block List, and a state that says which there are.
extension AzureTurn {
    /// The longest that Put Block takes.
    static let largestBlock: Int64 = 4000 << 20

    private func upload() throws(S3Error) -> AzureUpload {
        try AzureUpload(named: request.query.first("uploadId"))
    }

    private func partNumber() throws(S3Error) -> Int {
        guard let number = request.query.first("partNumber").flatMap({ decimal($0) }), (1...10_000).contains(number)
        else { throw S3Error(.invalidArgument, "Part number must be an integer between 1 and 10000, inclusive") }
        return number
    }

    // MARK: - Beginning

    func beginning() throws(S3Error) -> Exchange {
        let key = try key()
        let upload = AzureUpload(of: key, at: now)
        // Nothing is uploaded to where it could not be.
        _ = try backend.path(key)
        var fields = FieldBlock()
        fields.append("x-ms-blob-type", "BlockBlob")
        fields.append("if-none-match", "*")
        try appendDescription(to: &fields)
        fields.append(AzureMetadata.key, Base64URL.encode(key.bytes))
        let asking = signed(.put, try backend.rawPath(upload.state(of: key)), fields: fields, length: 0)
        return Exchange(asking, .none) { [self] head in
            answer(head) { _ in
                .xml(
                    UploadResults.initiated(bucket: bucket, key: key, uploadID: upload.name)
                )
            }
        }
    }

    // MARK: - Parts

    func puttingPart(_ body: OutgoingBody) throws(S3Error) -> Exchange {
        guard case .stream(let length, _) = body else { throw S3Error(.internalError) }
        guard length <= Self.largestBlock else { throw S3Error(.entityTooLarge) }
        guard length > 0 else { throw S3Error(.invalidRequest, "Azure takes no empty part.") }
        let upload = try upload()
        let part = AzureUpload.Part(try partNumber(), of: upload, at: now)
        var fields = FieldBlock()
        if let digest = sent.first("content-md5") { fields.append("content-md5", digest) }
        let asking = signed(
            .put,
            try backend.path(try key()),
            [("blockid", part.block(of: upload)), ("comp", "block")],
            fields: fields,
            length: length
        )
        return Exchange(asking, .carried) { [self] head in
            answer(head) { _ in
                var fields = FieldBlock()
                fields.append("etag", part.etag)
                return .stream(status: 200, fields: fields)
            }
        }
    }

    func copyingPart(from source: AzureBackend?) throws(S3Error) -> Exchange {
        let upload = try upload()
        let part = AzureUpload.Part(try partNumber(), of: upload, at: now)
        var fields = FieldBlock()
        try appendSource(source, to: &fields)
        if let range = sent.first("x-amz-copy-source-range") {
            fields.append("x-ms-source-range", try CopySourceRange(parsing: range).range)
        }
        let asking = signed(
            .put,
            try backend.path(try key()),
            [("blockid", part.block(of: upload)), ("comp", "block")],
            fields: fields,
            length: 0
        )
        return Exchange(asking, .none) { [self] head in
            answer(head) { _ in .xml(UploadResults.copiedPart(etag: part.etag, modified: now)) }
        }
    }

    // MARK: - The end

    /// The state is read, the blocks are committed under what it says, then it is removed.
    func completing(_ document: [UInt8]) throws(S3Error) -> Exchange {
        let upload = try upload()
        let key = try key()
        var blocks: [String] = []
        for part in try CompletionRequest(parsing: document).parts {
            guard let named = AzureUpload.Part(part.number, etag: part.etag) else { throw S3Error(.invalidPart) }
            blocks.append(named.block(of: upload))
        }
        let (list, count) = (Self.blockList(blocks), blocks.count)
        let state = try backend.rawPath(upload.state(of: key))
        return try asking(state) { [self] head in
            .collect(limit: 0) { _ in
                asked { () throws(S3Error) in try commit(list, of: count, described: head, to: key, then: state) }
            }
        }
    }

    /// Whether an upload is there, and what was said of it.
    private func asking(
        _ state: [UInt8],
        then: @escaping @Sendable (ResponseHead) -> S3Answer
    ) throws(S3Error) -> Exchange {
        Exchange(signed(.head, state), .none) { [self] head in
            if StoreFailure.isMissingBlob(head) {
                return .failure(StoreFailure(S3Error(.noSuchUpload), cause: .request), fields: FieldBlock())
            }
            return answer(head, then)
        }
    }

    private static func blockList(_ blocks: [String]) -> [UInt8] {
        var writer = XMLWriter(reservingBytes: 128 + blocks.count * 80)
        writer.open("BlockList")
        for block in blocks { writer.element("Uncommitted", block) }
        writer.close("BlockList")
        return writer.bytes
    }

    private func commit(
        _ list: [UInt8],
        of parts: Int,
        described state: ResponseHead,
        to key: ObjectKey,
        then path: [UInt8]
    ) throws(S3Error) -> Exchange {
        var fields = FieldBlock()
        for (told, given) in Self.kept {
            if let value = state.fields.first(told) { fields.append(given, value) }
        }
        for entry in state.fields.entries
        where state.fields.hasPrefix(entry, "x-ms-meta-") && !state.fields.isNamed(entry, AzureMetadata.key) {
            fields.append(entry, of: state.fields, lowercasing: .name)
        }
        fields.append(AzureMetadata.parts, String(parts))
        try appendConditions(to: &fields)
        let asking = signed(
            .put,
            try backend.path(key),
            [("comp", "blocklist")],
            fields: fields,
            length: Int64(list.count)
        )
        return Exchange(asking, .document(list)) { [self] head in
            answer(head) { head in
                guard let etag = head.fields.string("etag") else {
                    return .failure(StoreFailure(S3Error(.backendBadAnswer), cause: .store), fields: FieldBlock())
                }
                let done = completed(key, AzureETag.shown(etag, parts: parts))
                return .collect(limit: Self.shortAnswer) { _ in
                    .ask(Exchange(signed(.delete, path), .none) { _ in .xml(done) })
                }
            }
        }
    }

    private static let kept: [(StaticString, StaticString)] = [
        ("content-type", "x-ms-blob-content-type"), ("content-language", "x-ms-blob-content-language"),
        ("content-disposition", "x-ms-blob-content-disposition"), ("cache-control", "x-ms-blob-cache-control"),
        ("content-encoding", "x-ms-blob-content-encoding"),
    ]

    private func completed(_ key: ObjectKey, _ etag: String) -> [UInt8] {
        let place = String(decoding: PercentEncoding.encode(key.bytes), as: UTF8.self)
        return UploadResults.completed(
            location: "\(view.publicURL)/\(bucket.string)/\(place)",
            bucket: bucket,
            key: key,
            etag: etag
        )
    }

    /// Blocks that were not committed go by themselves, after a week.
    func aborting() throws(S3Error) -> Exchange {
        let state = try backend.rawPath(try upload().state(of: try key()))
        return Exchange(signed(.delete, state), .none) { [self] head in
            if StoreFailure.isMissingBlob(head) {
                return .failure(StoreFailure(S3Error(.noSuchUpload), cause: .request), fields: FieldBlock())
            }
            return answer(head) { _ in
                .collect(limit: Self.shortAnswer) { _ in .document(status: 204, fields: FieldBlock(), body: []) }
            }
        }
    }

    // MARK: - Lists

    func listingParts() throws(S3Error) -> Exchange {
        let upload = try upload()
        let key = try key()
        return try asking(try backend.rawPath(upload.state(of: key))) { [self] _ in
            .collect(limit: 0) { _ in asked { () throws(S3Error) in try blocks(of: upload, key) } }
        }
    }

    private func blocks(of upload: AzureUpload, _ key: ObjectKey) throws(S3Error) -> Exchange {
        let asking = signed(
            .get,
            try backend.path(key),
            [("blocklisttype", "uncommitted"), ("comp", "blocklist")]
        )
        return Exchange(asking, .none) { [self] head in
            // Nothing was put yet.
            if StoreFailure.isMissingBlob(head) { return .xml(partListing([], of: upload, key)) }
            return answer(head) { _ in
                .collect(limit: Self.longAnswer) { body in
                    guard let list = AzureBlockList(parsing: body) else {
                        return .failure(S3Error(.backendBadAnswer), cause: .store)
                    }
                    return .xml(partListing(list.uncommitted, of: upload, key))
                }
            }
        }
    }

    /// Of several blocks for one number the last that was begun is the part.
    private func partListing(_ blocks: [AzureBlockList.Block], of upload: AzureUpload, _ key: ObjectKey) -> [UInt8] {
        var latest: [Int: PartListing.Part] = [:]
        for block in blocks {
            guard let part = AzureUpload.Part(block: block.name, of: upload) else { continue }
            if let other = latest[part.number], part.begun < other.modified { continue }
            latest[part.number] = PartListing.Part(
                number: part.number,
                size: block.size,
                etag: part.etag,
                modified: part.begun
            )
        }
        let marker = request.query.first("part-number-marker").flatMap { decimal($0) } ?? 0
        let limit = min(request.query.first("max-parts").flatMap { decimal($0) } ?? 1000, 1000)
        let rest = latest.values.filter { $0.number > marker }.sorted { $0.number < $1.number }
        return PartListing(
            bucket: bucket,
            key: key,
            uploadID: upload.name,
            marker: marker,
            maxParts: limit,
            isTruncated: rest.count > limit && limit > 0,
            parts: Array(rest.prefix(limit))
        ).document()
    }

    /// How many pages of a thousand states are read; more uploads than that are not listed.
    private static let mostStatePages = 50

    func listingUploads() throws(S3Error) -> Exchange { states(after: nil, [], pages: 1) }

    private func states(after marker: String?, _ found: [UploadListing.Upload], pages: Int) -> Exchange {
        var parameters: [(StaticString, String)] = [
            ("comp", "list"), ("include", "metadata"), ("maxresults", "1000"), ("restype", "container"),
            ("prefix", String(decoding: backend.prefix + AzureUpload.folder, as: UTF8.self)),
        ]
        if let marker { parameters.append(("marker", marker)) }
        return Exchange(signed(.get, backend.root, parameters), .none) { [self] head in
            answer(head) { _ in
                .collect(limit: Self.longAnswer) { body in
                    guard let page = AzureListing(parsing: body) else {
                        return .failure(S3Error(.backendBadAnswer), cause: .store)
                    }
                    let all = found + page.blobs.compactMap(unfinished)
                    guard let next = page.next else { return .xml(uploadListing(all)) }
                    guard pages < Self.mostStatePages else {
                        return .failure(S3Error(.slowDown, "There are more unfinished uploads than can be listed."))
                    }
                    return .ask(states(after: next, all, pages: pages + 1))
                }
            }
        }
    }

    private func unfinished(_ blob: AzureListing.Blob) -> UploadListing.Upload? {
        guard let state = backend.shown(blob.name), let upload = AzureUpload(inState: state), let key = blob.key,
            upload.state(of: ObjectKey(key)) == state, !isHidden(key)
        else { return nil }
        return UploadListing.Upload(key: key, id: upload.name, initiated: blob.modified)
    }

    private func uploadListing(_ uploads: [UploadListing.Upload]) -> [UInt8] {
        AzureUploadPage(request, bucket, uploads).listing.document()
    }
}

/// A page of unfinished uploads, cut from all of them: the store knows neither their keys nor their order.
private struct AzureUploadPage {
    let listing: UploadListing

    init(_ request: S3Request, _ bucket: BucketName, _ all: [UploadListing.Upload]) {
        let query = request.query
        let prefix = request.listedPrefix ?? []
        let delimiter = request.listedDelimiter ?? []
        let keyMarker = query.first("key-marker") ?? []
        let idMarker = query.first("upload-id-marker") ?? []
        let limit = min(query.first("max-uploads").flatMap { decimal($0) } ?? 1000, 1000)
        let sorted = all.filter { upload in
            guard upload.key.starts(with: prefix) else { return false }
            guard !keyMarker.isEmpty else { return true }
            if keyMarker == upload.key {
                return !idMarker.isEmpty && idMarker.lexicographicallyPrecedes(upload.id.utf8)
            }
            return keyMarker.lexicographicallyPrecedes(upload.key)
        }.sorted(by: Self.precedes)
        var uploads: [UploadListing.Upload] = []
        var prefixes: [[UInt8]] = []
        var next: (keyMarker: [UInt8], uploadIDMarker: String)?
        var last: (keyMarker: [UInt8], uploadIDMarker: String) = ([], "")
        for upload in sorted {
            let folded = Self.folded(upload.key, prefix, delimiter)
            // A marker that is a common prefix stands for all that it begins.
            if let folded, folded == keyMarker || folded == prefixes.last { continue }
            guard uploads.count + prefixes.count < limit else {
                if limit > 0 { next = last }
                break
            }
            if let folded {
                prefixes.append(folded)
                last = (folded, "")
            } else {
                uploads.append(upload)
                last = (upload.key, upload.id)
            }
        }
        listing = UploadListing(
            bucket: bucket,
            prefix: prefix,
            delimiter: request.listedDelimiter,
            keyMarker: keyMarker,
            uploadIDMarker: idMarker,
            maxUploads: limit,
            encoding: ListingEncoding(query.first("encoding-type")),
            next: next,
            uploads: uploads,
            commonPrefixes: prefixes
        )
    }

    private static func precedes(_ one: UploadListing.Upload, _ other: UploadListing.Upload) -> Bool {
        one.key == other.key ? one.id < other.id : one.key.lexicographicallyPrecedes(other.key)
    }

    /// The common prefix that a key is folded into; nil: none.
    private static func folded(_ key: [UInt8], _ prefix: [UInt8], _ delimiter: [UInt8]) -> [UInt8]? {
        guard !delimiter.isEmpty else { return nil }
        let rest = key.dropFirst(prefix.count)
        guard rest.count >= delimiter.count else { return nil }
        for start in rest.startIndex...(rest.endIndex - delimiter.count)
        where rest[start..<(start + delimiter.count)].elementsEqual(delimiter) {
            return Array(key[..<(start + delimiter.count)])
        }
        return nil
    }
}
