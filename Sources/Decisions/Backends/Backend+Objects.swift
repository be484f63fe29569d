import Crypto
public import HTTP1
public import S3API
import Signatures
public import WireFormats

/// What has to be under a key for something to be done there.
public enum Occupancy: Hashable, Sendable {
    case any
    case absent
    /// With its quotes.
    case etag(String)
}

/// What Gatehouse asks of a store on its own account, about objects of one bucket.
extension Backend {
    /// HeadObject, with the checksums that the store keeps.
    public func headObject(_ object: StoredObject, at now: Instant) throws(S3Error) -> Exchange {
        var fields = FieldBlock()
        fields.append("x-amz-checksum-mode", "ENABLED")
        return try own(.headObject, .head, object, fields: fields, at: now)
    }

    /// PutObject of an empty object.
    public func putEmptyObject(
        _ object: StoredObject,
        if occupancy: Occupancy,
        at now: Instant
    ) throws(S3Error) -> Exchange {
        let body = OutgoingBody.stream(length: 0, hash: .empty)
        return try own(.putObject, .put, object, fields: conditions(occupancy), body: body, at: now)
    }

    /// GetObject, of what has that ETag: one exchange.
    public func getObject(_ object: StoredObject, etag: String, at now: Instant) throws(S3Error) -> Exchange {
        try own(.getObject, .get, object, fields: conditions(.etag(etag)), at: now)
    }

    /// DeleteObject, of one version where that is known.
    public func deleteObject(
        _ object: StoredObject,
        versionID: String?,
        at now: Instant
    ) throws(S3Error) -> Exchange {
        var query = Query()
        if let versionID { query.append("versionId".utf8, versionID.utf8) }
        return try own(.deleteObject, .delete, object, query, at: now)
    }

    /// CopyObject within the bucket.
    ///
    /// - Parameters:
    ///   - etag: what the source has to be, with its quotes.
    ///   - description: what the copy has besides its bytes, content type and user metadata; nil: what the source has.
    ///   - occupancy: what has to be under `destination`.
    public func copyObject(
        _ source: ObjectKey,
        etag: String,
        to destination: StoredObject,
        describedBy description: FieldBlock? = nil,
        if occupancy: Occupancy,
        at now: Instant
    ) throws(S3Error) -> Exchange {
        var fields = conditions(occupancy)
        fields.append("x-amz-copy-source-if-match", etag)
        if let description {
            fields.append("x-amz-metadata-directive", "REPLACE")
            for entry in description.entries { fields.append(entry, of: description, lowercasing: .nothing) }
        }
        return try own(
            .copyObject,
            .put,
            destination,
            fields: fields,
            copySource: CopySource(bucket: destination.bucket, key: source),
            at: now
        )
    }

    /// - Parameter fields: of the object to be: content type, user metadata.
    public func createMultipartUpload(
        _ object: StoredObject,
        fields: FieldBlock,
        at now: Instant
    ) throws(S3Error) -> Exchange {
        var query = Query()
        query.append("uploads".utf8, [])
        return try own(.createMultipartUpload, .post, object, query, fields: fields, at: now)
    }

    /// - Parameter parts: in the order of their numbers.
    public func completeMultipartUpload(
        _ object: StoredObject,
        uploadID: String,
        parts: [(number: Int, etag: String)],
        if occupancy: Occupancy,
        at now: Instant
    ) throws(S3Error) -> Exchange {
        var document = XMLWriter()
        document.open("CompleteMultipartUpload", xmlns: "http://s3.amazonaws.com/doc/2006-03-01/")
        for part in parts {
            document.open("Part")
            document.element("PartNumber", part.number)
            document.element("ETag", part.etag)
            document.close("Part")
        }
        document.close("CompleteMultipartUpload")
        return try own(
            .completeMultipartUpload,
            .post,
            object,
            upload(uploadID),
            fields: conditions(occupancy),
            body: .document(document.bytes),
            at: now
        )
    }

    public func abortMultipartUpload(
        _ object: StoredObject,
        uploadID: String,
        at now: Instant
    ) throws(S3Error) -> Exchange {
        try own(.abortMultipartUpload, .delete, object, upload(uploadID), at: now)
    }

    /// A page of ListParts.
    public func listParts(
        _ object: StoredObject,
        uploadID: String,
        after marker: Int,
        at now: Instant
    ) throws(S3Error) -> Exchange {
        var query = upload(uploadID)
        query.append("max-parts".utf8, "1000".utf8)
        if marker > 0 { query.append("part-number-marker".utf8, String(marker).utf8) }
        return try own(.listParts, .get, object, query, at: now)
    }

    // MARK: - Parts of requests

    private func upload(_ id: String) -> Query {
        var query = Query()
        query.append("uploadId".utf8, id.utf8)
        return query
    }

    private func conditions(_ occupancy: Occupancy) -> FieldBlock {
        var fields = FieldBlock()
        switch occupancy {
        case .any: break
        case .absent: fields.append("if-none-match", "*")
        case .etag(let etag): fields.append("if-match", etag)
        }
        return fields
    }

    private func own(
        _ operation: S3Operation,
        _ method: HTTPMethod,
        _ object: StoredObject,
        _ query: Query = Query(),
        fields: FieldBlock = FieldBlock(),
        body: OutgoingBody = .none,
        copySource: CopySource? = nil,
        at now: Instant
    ) throws(S3Error) -> Exchange {
        try exchange(
            for: S3Request(
                operation: operation,
                address: .object(object.bucket, object.key),
                query: query,
                actions: operation.actions,
                copySource: copySource
            ),
            head: RequestHead(method: method, path: [UInt8(ascii: "/")], fields: fields, host: []),
            body: body,
            copyingFrom: self,
            view: ClientView(region: "*", publicURL: ""),
            at: now
        )
    }
}

/// An object by the names that clients have for it.
public struct StoredObject: Hashable, Sendable {
    public let bucket: BucketName
    public let key: ObjectKey

    public init(_ bucket: BucketName, _ key: ObjectKey) {
        self.bucket = bucket
        self.key = key
    }
}
