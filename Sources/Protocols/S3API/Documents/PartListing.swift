package import WireFormats

/// One page of ListParts as an answer (S3 API reference, ListParts).
package struct PartListing: Sendable {
    package struct Part: Sendable {
        package let number: Int
        package let size: Int64
        /// In quotation marks.
        package let etag: String
        package let modified: Instant
        /// An element's name and its base64 value.
        package let checksum: (element: StaticString, value: String)?

        package init(
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

    package let bucket: BucketName
    package let key: ObjectKey
    package let uploadID: String
    package let marker: Int
    package let maxParts: Int
    package let isTruncated: Bool
    package let parts: [Part]
    /// `CRC32` ..., where the upload has one.
    package let checksumAlgorithm: String?
    /// `COMPOSITE` or `FULL_OBJECT`.
    package let checksumType: String?

    package init(
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

    package func document() -> [UInt8] {
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
