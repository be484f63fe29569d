import Crypto
public import HTTP1
public import S3API
import Signatures
public import WireFormats

/// A request that nobody sent us, with its body: what Gatehouse asks of a store on its own account.
public struct OwnRequest: Sendable {
    public let head: OutgoingRequest
    public let body: [UInt8]

    /// - Parameter head: whole and signed.
    public init(head: OutgoingRequest, body: [UInt8]) {
        self.head = head
        self.body = body
    }
}

/// What has to be under a key for something to be done there.
public enum Occupancy: Hashable, Sendable {
    case any
    case absent
    /// With its quotes.
    case etag(String)
}

extension S3Backend {
    /// HeadObject, with the checksums that the store keeps.
    public func headObject(_ key: ObjectKey, at now: Instant) throws(S3Error) -> OwnRequest {
        var fields = FieldBlock()
        if checksums.areUnderstood { fields.append("x-amz-checksum-mode", "ENABLED") }
        return try own(.head, key, fields: fields, at: now)
    }

    /// DeleteObject, of one version where that is known, of what has that ETag where a condition says so.
    public func deleteObject(
        _ key: ObjectKey,
        versionID: String?,
        if occupancy: Occupancy,
        at now: Instant
    ) throws(S3Error) -> OwnRequest {
        var query = Query()
        if let versionID { query.append("versionId".utf8, versionID.utf8) }
        return try own(.delete, key, query, fields: Self.conditions(occupancy), at: now)
    }

    /// CopyObject within the bucket, with metadata and type as they are.
    ///
    /// - Parameters:
    ///   - etag: what the source has to be, with its quotes.
    ///   - occupancy: what has to be under `destination`.
    public func copyObject(
        _ source: ObjectKey,
        etag: String,
        to destination: ObjectKey,
        if occupancy: Occupancy,
        at now: Instant
    ) throws(S3Error) -> OwnRequest {
        var fields = Self.conditions(occupancy)
        var place: [UInt8] = [UInt8(ascii: "/")]
        PercentEncoding.append(bucketName.utf8, to: &place, keepSlash: .encode)
        place.append(UInt8(ascii: "/"))
        PercentEncoding.append(try stored(source).bytes, to: &place, keepSlash: .keep)
        fields.append("x-amz-copy-source", place)
        fields.append("x-amz-copy-source-if-match", etag)
        return try own(.put, destination, fields: fields, at: now)
    }

    /// - Parameter fields: of the object to be: content type, user metadata.
    public func createMultipartUpload(
        _ key: ObjectKey,
        fields: FieldBlock,
        at now: Instant
    ) throws(S3Error) -> OwnRequest {
        var query = Query()
        query.append("uploads".utf8, [])
        return try own(.post, key, query, fields: fields, at: now)
    }

    /// - Parameter parts: in the order of their numbers.
    public func completeMultipartUpload(
        _ key: ObjectKey,
        uploadID: String,
        parts: [(number: Int, etag: String)],
        if occupancy: Occupancy,
        at now: Instant
    ) throws(S3Error) -> OwnRequest {
        var document = XMLWriter()
        document.open("CompleteMultipartUpload", xmlns: "http://s3.amazonaws.com/doc/2006-03-01/")
        for part in parts {
            document.open("Part")
            document.element("PartNumber", part.number)
            document.element("ETag", part.etag)
            document.close("Part")
        }
        document.close("CompleteMultipartUpload")
        let fields = Self.conditions(occupancy)
        return try own(.post, key, Self.upload(uploadID), fields: fields, body: document.bytes, at: now)
    }

    public func abortMultipartUpload(
        _ key: ObjectKey,
        uploadID: String,
        at now: Instant
    ) throws(S3Error) -> OwnRequest {
        try own(.delete, key, Self.upload(uploadID), at: now)
    }

    /// A page of ListParts.
    public func listParts(
        _ key: ObjectKey,
        uploadID: String,
        after marker: Int,
        at now: Instant
    ) throws(S3Error) -> OwnRequest {
        var query = Self.upload(uploadID)
        query.append("max-parts".utf8, "1000".utf8)
        if marker > 0 { query.append("part-number-marker".utf8, String(marker).utf8) }
        return try own(.get, key, query, at: now)
    }

    /// The client's key for one of the store, such as its events name; nil where it lies outside the prefix.
    public func shownKey(_ stored: [UInt8]) -> ObjectKey? {
        guard let shown = shown(stored), !shown.isEmpty, shown.count <= ObjectKey.maximumLength else { return nil }
        return ObjectKey(shown)
    }

    // MARK: - Parts of requests

    private static func upload(_ id: String) -> Query {
        var query = Query()
        query.append("uploadId".utf8, id.utf8)
        return query
    }

    private static func conditions(_ occupancy: Occupancy) -> FieldBlock {
        var fields = FieldBlock()
        switch occupancy {
        case .any: break
        case .absent: fields.append("if-none-match", "*")
        case .etag(let etag): fields.append("if-match", etag)
        }
        return fields
    }

    private func own(
        _ method: HTTPMethod,
        _ key: ObjectKey,
        _ query: Query = Query(),
        fields: FieldBlock = FieldBlock(),
        body: [UInt8] = [],
        at now: Instant
    ) throws(S3Error) -> OwnRequest {
        var path = keyRoot
        PercentEncoding.append(try stored(key).bytes.dropFirst(prefix.count), to: &path, keepSlash: .keep)
        var text: [UInt8] = []
        query.appendCanonical(to: &text)
        var outgoing = OutgoingRequest(method: method, path: path, query: text)
        outgoing.fields.append("host", host)
        for entry in fields.entries { outgoing.fields.append(entry, of: fields, lowercasing: .name) }
        if method == .put || method == .post { outgoing.fields.append("content-length", String(body.count)) }
        let hash: PayloadHash = body.isEmpty ? .empty : .sha256(Array(SHA256.hash(data: body)))
        signer?.sign(&outgoing, payload: hash, at: now)
        return OwnRequest(head: outgoing, body: body)
    }
}
