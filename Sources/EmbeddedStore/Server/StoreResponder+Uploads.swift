import HTTP1
import NIOCore
import S3API
import WireFormats

/// The operations of multipart uploads.
extension StoreResponder {
    func uploadID<Body>(_ exchange: Exchange<Body>) throws(S3Error) -> String {
        guard let id = exchange.request.query.first("uploadId") else { throw S3Error(.noSuchUpload) }
        return String(decoding: id, as: UTF8.self)
    }

    private func partNumber<Body>(_ exchange: Exchange<Body>) throws(S3Error) -> Int {
        try RequestReading.number(
            exchange.request.query.first("partNumber") ?? [],
            "partNumber",
            in: ObjectStore.partNumbers
        )
    }

    func createUpload<Body>(
        _ bucket: BucketName,
        _ key: ObjectKey,
        _ exchange: Exchange<Body>
    ) async throws -> StoreAnswer {
        let (algorithm, composition) = try exchange.reading.uploadChecksum()
        let upload = try await store.createUpload(
            bucket,
            key,
            fields: try exchange.reading.storedFields(),
            algorithm: algorithm,
            composition: composition
        )
        var answer = StoreAnswer(
            document: UploadResults.initiated(bucket: bucket, key: key, uploadID: upload.id)
        )
        if let algorithm = upload.algorithm {
            answer.fields.append("x-amz-checksum-algorithm", algorithm.rawValue)
        }
        if let composition = upload.composition { answer.fields.append("x-amz-checksum-type", composition.rawValue) }
        return answer
    }

    func uploadPart<Body>(
        _ bucket: BucketName,
        _ key: ObjectKey,
        _ exchange: Exchange<Body>
    ) async throws -> StoreAnswer {
        let part = try await store.putPart(
            bucket,
            key,
            upload: try uploadID(exchange),
            number: try partNumber(exchange),
            exchange.body,
            try exchange.reading.claims(exchange.payload)
        )
        var answer = StoreAnswer(200)
        answer.fields.append("etag", "\"\(part.etag)\"")
        if let checksum = part.checksum { answer.fields.append(checksum.algorithm.header, checksum.base64) }
        return answer
    }

    func copyPart<Body>(
        _ bucket: BucketName,
        _ key: ObjectKey,
        _ exchange: Exchange<Body>
    ) async throws -> StoreAnswer {
        let reading = exchange.reading
        guard let source = exchange.request.copySource else { throw S3Error(.invalidRequest) }
        var range: CopySourceRange?
        if let text = reading.head.fields.first("x-amz-copy-source-range") {
            range = try CopySourceRange(parsing: text)
        }
        let (part, original) = try await store.copyPart(
            from: try exchange.source(source),
            range,
            to: bucket,
            key,
            upload: try uploadID(exchange),
            number: try partNumber(exchange)
        )
        var answer = StoreAnswer(
            document: UploadResults.copiedPart(
                etag: "\"\(part.etag)\"",
                modified: part.modified,
                checksum: part.checksum.map(Self.element)
            )
        )
        if let id = original.versionID { answer.fields.append("x-amz-copy-source-version-id", id) }
        return answer
    }

    private static func element(_ checksum: ObjectChecksum) -> (element: StaticString, value: String) {
        (element: checksum.algorithm.element, value: checksum.base64)
    }

    func listParts<Body>(
        _ bucket: BucketName,
        _ key: ObjectKey,
        _ exchange: Exchange<Body>
    ) async throws -> StoreAnswer {
        let limit = exchange.reading.limit("max-parts")
        let marker = exchange.request.query.first("part-number-marker").flatMap { decimal($0) } ?? 0
        let (upload, parts, isTruncated) = try await store.parts(
            bucket,
            key,
            upload: try uploadID(exchange),
            after: marker,
            limit: limit
        )
        let listing = PartListing(
            bucket: bucket,
            key: key,
            uploadID: upload.id,
            marker: marker,
            maxParts: limit,
            isTruncated: isTruncated,
            parts: parts.map { part in
                PartListing.Part(
                    number: part.number,
                    size: part.size,
                    etag: "\"\(part.etag)\"",
                    modified: part.modified,
                    checksum: part.checksum.map(Self.element)
                )
            },
            checksumAlgorithm: upload.algorithm?.rawValue,
            checksumType: upload.composition?.rawValue
        )
        return StoreAnswer(document: listing.document())
    }

    /// Uploads in the order of keys and ids.
    func listUploads<Body>(_ bucket: BucketName, _ exchange: Exchange<Body>) async throws -> StoreAnswer {
        let query = exchange.request.query
        let limit = exchange.reading.limit("max-uploads")
        let prefix = query.first("prefix") ?? []
        let delimiter = query.first("delimiter")
        let keyMarker = query.first("key-marker") ?? []
        // Without a key an id says nothing.
        let idMarker = keyMarker.isEmpty ? [] : query.first("upload-id-marker") ?? []
        let page = try await store.uploads(
            bucket,
            ListingQuestion(prefix: prefix, delimiter: delimiter ?? [], after: keyMarker, limit: limit),
            afterID: idMarker.isEmpty ? nil : String(decoding: idMarker, as: UTF8.self)
        )
        var uploads: [UploadListing.Upload] = []
        var commonPrefixes: [[UInt8]] = []
        var last: (keyMarker: [UInt8], uploadIDMarker: String)?
        for entry in page.entries {
            switch entry {
            case .upload(let upload):
                let storageClass = upload.fields.first("x-amz-storage-class")
                    .map { String(decoding: $0, as: UTF8.self) }
                uploads.append(
                    UploadListing.Upload(
                        key: upload.key.bytes,
                        id: upload.id,
                        initiated: upload.created,
                        storageClass: storageClass ?? "STANDARD"
                    )
                )
                last = (upload.key.bytes, upload.id)
            case .commonPrefix(let prefix):
                commonPrefixes.append(prefix)
                last = (prefix, "")
            }
        }
        let listing = UploadListing(
            bucket: bucket,
            prefix: prefix,
            delimiter: delimiter,
            keyMarker: keyMarker,
            uploadIDMarker: idMarker,
            maxUploads: limit,
            encoding: ListingEncoding(query.first("encoding-type")),
            next: page.isTruncated ? last : nil,
            uploads: uploads,
            commonPrefixes: commonPrefixes
        )
        return StoreAnswer(document: listing.document())
    }

    func completeUpload<Body>(
        _ bucket: BucketName,
        _ key: ObjectKey,
        _ exchange: Exchange<Body>
    ) async throws -> StoreAnswer {
        let document = try CompletionRequest(parsing: try await collect(exchange))
        var parts: [NamedPart] = []
        parts.reserveCapacity(document.parts.count)
        for part in document.parts {
            parts.append(
                NamedPart(
                    number: part.number,
                    etag: ETagCondition.unquoted(part.etag.utf8),
                    checksum: try Self.checksum(of: part)
                )
            )
        }
        let object = try await store.complete(
            bucket,
            key,
            upload: try uploadID(exchange),
            parts,
            claimed: try exchange.reading.claimedWhole(),
            if: exchange.reading.conditions
        )
        var answer = StoreAnswer(
            document: UploadResults.completed(
                location: "/\(bucket.string)/" + String(decoding: PercentEncoding.encode(key.bytes), as: UTF8.self),
                bucket: bucket,
                key: key,
                etag: "\"\(object.etag)\"",
                checksum: object.checksum.map { (element: $0.algorithm.element, value: $0.value) },
                checksumType: object.checksum?.type
            )
        )
        answer.appendVersion(object.versionID)
        return answer
    }

    private static func checksum(of part: CompletionRequest.Part) throws(S3Error) -> ObjectChecksum? {
        for algorithm in ChecksumAlgorithm.allCases {
            guard let text = part.checksums[algorithm.element.description] else { continue }
            guard let digest = Base64.decode(text.utf8), digest.count == algorithm.digestLength else {
                throw S3Error(.invalidPart)
            }
            return ObjectChecksum(algorithm: algorithm, digest: digest)
        }
        return nil
    }
}
