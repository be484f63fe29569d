public import WireFormats

/// One page of ListParts as an answer (S3 API reference, ListParts).
public struct PartListing: Sendable {
    public struct Part: Sendable {
        public let number: Int
        public let size: Int64
        /// In quotation marks.
        public let etag: String
        public let modified: Instant
        /// An element's name and its base64 value.
        public let checksum: (element: StaticString, value: String)?

        public init(
            number: Int,
            size: Int64,
            etag: String,
            modified: Instant,
            checksum: (element: StaticString, value: String)? = nil
        ) {
            self.number = number
            self.size = size
            self.etag = etag
            self.modified = modified
            self.checksum = checksum
        }
    }

    public let bucket: BucketName
    public let key: ObjectKey
    public let uploadID: String
    public let marker: Int
    public let maxParts: Int
    public let isTruncated: Bool
    public let parts: [Part]
    /// `CRC32` ..., where the upload has one.
    public let checksumAlgorithm: String?
    /// `COMPOSITE` or `FULL_OBJECT`.
    public let checksumType: String?

    public init(
        bucket: BucketName,
        key: ObjectKey,
        uploadID: String,
        marker: Int,
        maxParts: Int,
        isTruncated: Bool,
        parts: [Part],
        checksumAlgorithm: String? = nil,
        checksumType: String? = nil
    ) {
        self.bucket = bucket
        self.key = key
        self.uploadID = uploadID
        self.marker = marker
        self.maxParts = maxParts
        self.isTruncated = isTruncated
        self.parts = parts
        self.checksumAlgorithm = checksumAlgorithm
        self.checksumType = checksumType
    }

    public func document() -> [UInt8] {
        var writer = XMLWriter(reservingBytes: 512 + parts.count * 192)
        writer.open("ListPartsResult", xmlns: XMLNode.s3Namespace)
        writer.element("Bucket", bucket.string)
        writer.element("Key", key.bytes)
        writer.element("UploadId", uploadID)
        writer.element("PartNumberMarker", marker)
        if isTruncated, let last = parts.last { writer.element("NextPartNumberMarker", last.number) }
        writer.element("MaxParts", maxParts)
        writer.element("IsTruncated", isTruncated)
        if let checksumAlgorithm { writer.element("ChecksumAlgorithm", checksumAlgorithm) }
        if let checksumType { writer.element("ChecksumType", checksumType) }
        for part in parts {
            writer.open("Part")
            writer.element("PartNumber", part.number)
            writer.element("LastModified", Timestamp.iso8601Milliseconds(part.modified))
            writer.element("ETag", part.etag)
            writer.element("Size", part.size)
            if let checksum = part.checksum { writer.element(checksum.element, checksum.value) }
            writer.close("Part")
        }
        writer.element("StorageClass", "STANDARD")
        writer.close("ListPartsResult")
        return writer.bytes
    }
}
