import GRDB
import NIOCore
import S3API
import WireFormats

/// A part as the client names it when it completes an upload.
struct NamedPart: Sendable {
    let number: Int
    /// Without quotation marks.
    let etag: [UInt8]
    let checksum: ObjectChecksum?

    init(number: Int, etag: [UInt8], checksum: ObjectChecksum? = nil) {
        self.number = number
        self.etag = etag
        self.checksum = checksum
    }
}

/// Multipart uploads (S3 User Guide, "Uploading and copying objects using multipart upload"). Parts are files of
/// their own and stay so: completing an upload writes rows, however large the object is.
extension ObjectStore {
    /// S3's limits.
    static let partNumbers = 1...10_000

    func createUpload(
        _ bucket: BucketName,
        _ key: ObjectKey,
        fields: StoredFields,
        algorithm: ChecksumAlgorithm?,
        composition: ChecksumComposition?
    ) async throws -> StoredUpload {
        let upload = StoredUpload(
            id: newContentID().fileName,
            key: key,
            created: now(),
            fields: fields,
            algorithm: algorithm,
            composition: composition ?? algorithm?.usualComposition
        )
        try await write { try UploadTable.insert($0, bucket: BucketTable.number($0, bucket), upload) }
        return upload
    }

    /// - Throws: `NoSuchBucket`, `NoSuchUpload`.
    func upload(_ bucket: BucketName, _ key: ObjectKey, _ id: String) async throws -> StoredUpload {
        try await read { try UploadTable.find($0, bucket: BucketTable.number($0, bucket), key: key, id: id) }
    }

    /// Receives a part, in the place of an earlier one of its number.
    func putPart<Body: AsyncSequence>(
        _ bucket: BucketName,
        _ key: ObjectKey,
        upload id: String,
        number: Int,
        _ body: Body,
        _ claims: BodyClaims
    ) async throws -> StoredPart where Body.Element == ByteBuffer {
        let upload = try await upload(bucket, key, id)
        var claims = claims
        claims.computing = upload.algorithm ?? .usual
        if let sent = claims.checksum?.algorithm, let expected = upload.algorithm, sent != expected {
            throw S3Error(.invalidRequest, "The upload was created with the checksum \(expected.rawValue).")
        }
        let received = try await receive(body, claims)
        let part = StoredPart(
            number: number,
            content: received.id,
            size: received.size,
            md5: received.md5,
            modified: now(),
            checksum: received.checksum
        )
        let replaced = try await commit([received]) {
            try await self.write { database in
                // Completed or aborted while the part arrived: it must not be left without its upload.
                _ = try UploadTable.find(database, bucket: BucketTable.number(database, bucket), key: key, id: id)
                return try UploadTable.replacePart(database, upload: id, with: part)
            }
        }
        retire(replaced.map { [$0] } ?? [])
        return part
    }

    /// Makes a part out of an object, or of a range that lies within it.
    func copyPart(
        from source: ObjectSource,
        _ range: CopySourceRange?,
        to bucket: BucketName,
        _ key: ObjectKey,
        upload id: String,
        number: Int
    ) async throws -> (StoredPart, source: StoredObject) {
        let selection = range.map { Selection.range(.between($0.first, $0.last)) } ?? .whole
        let found = try await findSource(source, selection)
        let claims = BodyClaims(length: Int64(found.reader.range.count))
        guard range.map({ $0.length == claims.length }) ?? true else { throw CopySourceRange.outsideSource }
        let part = try await putPart(bucket, key, upload: id, number: number, found.reader.chunks(), claims)
        return (part, found.object)
    }

    func parts(
        _ bucket: BucketName,
        _ key: ObjectKey,
        upload id: String,
        after marker: Int,
        limit: Int
    ) async throws -> (StoredUpload, parts: [StoredPart], isTruncated: Bool) {
        try await read { database in
            let upload = try UploadTable.find(
                database,
                bucket: BucketTable.number(database, bucket),
                key: key,
                id: id
            )
            let found = try UploadTable.parts(database, upload: id, after: marker, limit: limit + 1)
            return (upload, Array(found.prefix(limit)), found.count > limit)
        }
    }

    /// Uploads under way, by key and then by id, after the key `question.after` and, of its uploads, after `id`.
    func uploads(_ bucket: BucketName, _ question: ListingQuestion, afterID id: String?) async throws -> UploadPage {
        try await read { database in
            try UploadTable.page(database, bucket: BucketTable.number(database, bucket), question, afterID: id)
        }
    }

    /// Gives up an upload; its parts go.
    func abort(_ bucket: BucketName, _ key: ObjectKey, upload id: String) async throws {
        let retired = try await write { database in
            _ = try UploadTable.find(database, bucket: BucketTable.number(database, bucket), key: key, id: id)
            let parts = try UploadTable.parts(database, upload: id, after: 0, limit: Int.max)
            try UploadTable.delete(database, id: id)
            try GarbageTable.insert(database, parts.map(\.content))
            return parts.map { RetiredContent(content: $0.content, files: [$0.content]) }
        }
        retire(retired)
    }

    /// Makes the object out of the parts named, in one transaction.
    /// - Parameter claimed: what the client expects of the whole.
    /// - Throws: `NoSuchUpload`, `InvalidPart`, `InvalidPartOrder`, `EntityTooSmall`, `BadDigest`,
    ///   `PreconditionFailed`.
    func complete(
        _ bucket: BucketName,
        _ key: ObjectKey,
        upload id: String,
        _ named: [NamedPart],
        claimed: ClaimedWhole = ClaimedWhole(),
        if conditions: Conditions
    ) async throws -> StoredObject {
        guard !named.isEmpty else { throw S3Error(.malformedXML) }
        for (part, next) in zip(named, named.dropFirst()) where part.number >= next.number {
            throw S3Error(.invalidPartOrder)
        }
        let content = newContentID()
        let instant = now()
        let (object, retired) = try await write { [minimumPartSize] database in
            let state = try BucketTable.state(database, bucket)
            let history = History(database, state, key)
            let upload = try UploadTable.find(database, bucket: state.number, key: key, id: id)
            try Self.require(conditions, of: history)
            let received = try UploadTable.parts(database, upload: id, after: 0, limit: Int.max)
            let chosen = try Self.choose(named, from: received, minimumSize: minimumPartSize)
            let new = try Self.assemble(upload, chosen, content: content, at: instant, claimed: claimed)
            var start: Int64 = 0
            var segments: [Segment] = []
            for part in chosen {
                segments.append(
                    Segment(file: part.content, start: start, length: part.size, digest: part.checksum?.digest)
                )
                start += part.size
            }
            var retired: [RetiredContent] = []
            let used = Set(chosen.map(\.content))
            for part in received where !used.contains(part.content) {
                retired.append(RetiredContent(content: part.content, files: [part.content]))
            }
            try GarbageTable.insert(database, retired.flatMap(\.files))
            try UploadTable.delete(database, id: id)
            let (object, replaced) = try history.put(new, segments: segments)
            return (object, retired + (replaced.map { [$0] } ?? []))
        }
        retire(retired)
        return object
    }

    /// The received parts that were named, each with the ETag and checksum it was named with.
    private static func choose(
        _ named: [NamedPart],
        from received: [StoredPart],
        minimumSize: Int64
    ) throws(S3Error) -> [StoredPart] {
        var chosen: [StoredPart] = []
        chosen.reserveCapacity(named.count)
        var rest = received[...]
        for name in named {
            rest = rest.drop { $0.number < name.number }
            guard let part = rest.first, part.number == name.number, name.etag.elementsEqual(part.etag.utf8) else {
                throw S3Error(.invalidPart)
            }
            if let checksum = name.checksum, checksum != part.checksum { throw S3Error(.invalidPart) }
            chosen.append(part)
        }
        for part in chosen.dropLast() where part.size < minimumSize { throw S3Error(.entityTooSmall) }
        return chosen
    }

    private static func assemble(
        _ upload: StoredUpload,
        _ parts: [StoredPart],
        content: ContentID,
        at instant: Instant,
        claimed: ClaimedWhole
    ) throws(S3Error) -> StoredObject {
        var fields = upload.fields
        let size = parts.reduce(0) { $0 + $1.size }
        let checksum = try checksum(upload, parts, claimed: claimed)
        if let expected = claimed.size, expected != size {
            throw S3Error(
                .invalidRequest,
                "The provided 'x-amz-mp-object-size' header does not match what was computed"
            )
        }
        if let checksum {
            fields.append(checksum.algorithm.header, checksum.text)
            fields.append("x-amz-checksum-type", checksum.composition.rawValue)
        }
        return StoredObject(
            content: content,
            isSegmented: true,
            size: size,
            etag: multipartETag(parts.map(\.md5)),
            modified: instant,
            fields: fields
        )
    }

    /// The checksum of the whole, as the upload declared it. Without a declaration it is over all the bytes, where
    /// the parts have one kind that can be combined, as they have unless clients chose another for some of them.
    private static func checksum(
        _ upload: StoredUpload,
        _ parts: [StoredPart],
        claimed: ClaimedWhole
    ) throws(S3Error) -> (algorithm: ChecksumAlgorithm, composition: ChecksumComposition, text: String)? {
        guard let algorithm = upload.algorithm ?? parts.first?.checksum?.algorithm else { return nil }
        let composition = upload.algorithm == nil ? .fullObject : upload.composition ?? algorithm.usualComposition
        if let asked = claimed.composition, asked != composition {
            throw S3Error(
                .invalidRequest,
                "The upload was created using the \(composition.rawValue) checksum mode. The complete request must use "
                    + "the same checksum mode."
            )
        }
        var digests: [(digest: [UInt8], size: Int64)] = []
        for part in parts {
            guard let checksum = part.checksum, checksum.algorithm == algorithm else {
                guard upload.algorithm == nil, claimed.checksum == nil else { throw S3Error(.invalidPart) }
                return nil
            }
            digests.append((checksum.digest, part.size))
        }
        guard let whole = ObjectChecksum.combining(digests, algorithm: algorithm, as: composition) else {
            guard upload.algorithm == nil, claimed.checksum == nil else { throw S3Error(.invalidRequest) }
            return nil
        }
        if let checksum = claimed.checksum {
            guard checksum.algorithm == algorithm else {
                throw S3Error(.invalidRequest, "The upload has the checksum \(algorithm.rawValue).")
            }
            guard checksum.text == whole else { throw S3Error(.badDigest) }
        }
        return (algorithm, composition, whole)
    }
}

/// What the client says of the object that completing an upload makes.
struct ClaimedWhole: Sendable {
    /// As written in its header.
    var checksum: (algorithm: ChecksumAlgorithm, text: String)?
    var composition: ChecksumComposition?
    /// Bytes.
    var size: Int64?
}
