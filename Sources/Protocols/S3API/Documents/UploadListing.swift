public import WireFormats

/// One page of ListMultipartUploads as an answer (S3 API reference, ListMultipartUploads).
public struct UploadListing: Sendable {
    public struct Upload: Sendable {
        public let key: [UInt8]
        public let id: String
        public let initiated: Instant
        public let storageClass: String

        public init(key: [UInt8], id: String, initiated: Instant, storageClass: String = "STANDARD") {
            self.key = key
            self.id = id
            self.initiated = initiated
            self.storageClass = storageClass
        }
    }

    public let bucket: BucketName
    public let prefix: [UInt8]
    public let delimiter: [UInt8]?
    public let keyMarker: [UInt8]
    public let uploadIDMarker: [UInt8]
    public let maxUploads: Int
    public let encoding: ListingEncoding
    /// Nil where the page is the last.
    public let next: (keyMarker: [UInt8], uploadIDMarker: String)?
    public let uploads: [Upload]
    public let commonPrefixes: [[UInt8]]

    public init(
        bucket: BucketName,
        prefix: [UInt8],
        delimiter: [UInt8]?,
        keyMarker: [UInt8],
        uploadIDMarker: [UInt8],
        maxUploads: Int,
        encoding: ListingEncoding,
        next: (keyMarker: [UInt8], uploadIDMarker: String)?,
        uploads: [Upload],
        commonPrefixes: [[UInt8]]
    ) {
        self.bucket = bucket
        self.prefix = prefix
        self.delimiter = delimiter
        self.keyMarker = keyMarker
        self.uploadIDMarker = uploadIDMarker
        self.maxUploads = maxUploads
        self.encoding = encoding
        self.next = next
        self.uploads = uploads
        self.commonPrefixes = commonPrefixes
    }

    public func document() -> [UInt8] {
        var writer = XMLWriter(reservingBytes: 512 + uploads.count * 256)
        writer.open("ListMultipartUploadsResult", xmlns: XMLNode.s3Namespace)
        writer.element("Bucket", bucket.string)
        writer.listed("KeyMarker", keyMarker, encoding)
        writer.element("UploadIdMarker", uploadIDMarker)
        if let next {
            writer.listed("NextKeyMarker", next.keyMarker, encoding)
            writer.element("NextUploadIdMarker", next.uploadIDMarker)
        }
        writer.listed("Prefix", prefix, encoding)
        if let delimiter { writer.listed("Delimiter", delimiter, encoding) }
        if encoding == .url { writer.element("EncodingType", "url") }
        writer.element("MaxUploads", maxUploads)
        writer.element("IsTruncated", next != nil)
        for upload in uploads {
            writer.open("Upload")
            writer.listed("Key", upload.key, encoding)
            writer.element("UploadId", upload.id)
            writer.element("StorageClass", upload.storageClass)
            writer.element("Initiated", Timestamp.iso8601Milliseconds(upload.initiated))
            writer.close("Upload")
        }
        for prefix in commonPrefixes {
            writer.open("CommonPrefixes")
            writer.listed("Prefix", prefix, encoding)
            writer.close("CommonPrefixes")
        }
        writer.close("ListMultipartUploadsResult")
        return writer.bytes
    }
}
