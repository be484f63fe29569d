public import WireFormats

/// One page of ListObjects or ListObjectsV2 as an answer (S3 API reference, of those names).
public struct ObjectListing: Sendable {
    public struct Object: Sendable {
        public let key: [UInt8]
        public let size: Int64
        /// In quotation marks.
        public let etag: String
        public let modified: Instant
        public let storageClass: String
        /// Identity of the owner, where it was asked for.
        public let owner: String?

        public init(
            key: [UInt8],
            size: Int64,
            etag: String,
            modified: Instant,
            storageClass: String = "STANDARD",
            owner: String? = nil
        ) {
            self.key = key
            self.size = size
            self.etag = etag
            self.modified = modified
            self.storageClass = storageClass
            self.owner = owner
        }
    }

    /// What differs between the two versions of the operation.
    public enum Paging: Sendable {
        case v1(marker: [UInt8], next: [UInt8]?)
        case v2(continuationToken: [UInt8]?, startAfter: [UInt8]?, next: String?)
    }

    public let bucket: BucketName
    public let prefix: [UInt8]
    public let delimiter: [UInt8]?
    public let maxKeys: Int
    public let encoding: ListingEncoding
    public let paging: Paging
    public let isTruncated: Bool
    public let objects: [Object]
    public let commonPrefixes: [[UInt8]]

    public init(
        bucket: BucketName,
        prefix: [UInt8],
        delimiter: [UInt8]?,
        maxKeys: Int,
        encoding: ListingEncoding,
        paging: Paging,
        isTruncated: Bool,
        objects: [Object],
        commonPrefixes: [[UInt8]]
    ) {
        self.bucket = bucket
        self.prefix = prefix
        self.delimiter = delimiter
        self.maxKeys = maxKeys
        self.encoding = encoding
        self.paging = paging
        self.isTruncated = isTruncated
        self.objects = objects
        self.commonPrefixes = commonPrefixes
    }

    public func document() -> [UInt8] {
        var writer = XMLWriter(reservingBytes: 512 + objects.count * 256)
        writer.open("ListBucketResult", xmlns: XMLNode.s3Namespace)
        writer.element("Name", bucket.string)
        writer.listed("Prefix", prefix, encoding)
        if let delimiter { writer.listed("Delimiter", delimiter, encoding) }
        writer.element("MaxKeys", maxKeys)
        if encoding == .url { writer.element("EncodingType", "url") }
        writer.element("IsTruncated", isTruncated)
        switch paging {
        case .v1(let marker, let next):
            writer.listed("Marker", marker, encoding)
            if let next { writer.listed("NextMarker", next, encoding) }
        case .v2(let token, let startAfter, let next):
            writer.element("KeyCount", objects.count + commonPrefixes.count)
            if let token { writer.element("ContinuationToken", token) }
            if let startAfter { writer.listed("StartAfter", startAfter, encoding) }
            if let next { writer.element("NextContinuationToken", next) }
        }
        for object in objects { write(object, to: &writer) }
        for prefix in commonPrefixes {
            writer.open("CommonPrefixes")
            writer.listed("Prefix", prefix, encoding)
            writer.close("CommonPrefixes")
        }
        writer.close("ListBucketResult")
        return writer.bytes
    }

    private func write(_ object: Object, to writer: inout XMLWriter) {
        writer.open("Contents")
        writer.listed("Key", object.key, encoding)
        writer.element("LastModified", Timestamp.iso8601Milliseconds(object.modified))
        writer.element("ETag", object.etag)
        writer.element("Size", object.size)
        if let owner = object.owner {
            writer.open("Owner")
            writer.element("ID", owner)
            writer.element("DisplayName", owner)
            writer.close("Owner")
        }
        writer.element("StorageClass", object.storageClass)
        writer.close("Contents")
    }
}
