public import WireFormats

/// One page of ListObjectVersions as an answer (S3 API reference, ListObjectVersions).
public struct VersionListing: Sendable {
    /// What a version is: an object, or what a deletion left.
    public enum Kind: Sendable {
        /// `etag` in quotation marks.
        case object(size: Int64, etag: String, storageClass: String)
        case deleteMarker
    }

    public struct Version: Sendable {
        public let key: [UInt8]
        public let id: String
        public let isLatest: Bool
        public let modified: Instant
        public let kind: Kind

        public init(key: [UInt8], id: String, isLatest: Bool, modified: Instant, kind: Kind) {
            self.key = key
            self.id = id
            self.isLatest = isLatest
            self.modified = modified
            self.kind = kind
        }
    }

    /// Where the next page begins; without an id after a common prefix.
    public struct Place: Sendable {
        public let key: [UInt8]
        public let versionID: String?

        public init(key: [UInt8], versionID: String?) {
            self.key = key
            self.versionID = versionID
        }
    }

    public let bucket: BucketName
    public let prefix: [UInt8]
    public let delimiter: [UInt8]?
    public let keyMarker: [UInt8]
    public let versionIDMarker: [UInt8]
    public let maxKeys: Int
    public let encoding: ListingEncoding
    /// Nil where the page is the last.
    public let next: Place?
    public let versions: [Version]
    public let commonPrefixes: [[UInt8]]
    /// Identity of the owner of everything.
    public let owner: String

    public init(
        bucket: BucketName,
        prefix: [UInt8],
        delimiter: [UInt8]?,
        keyMarker: [UInt8],
        versionIDMarker: [UInt8],
        maxKeys: Int,
        encoding: ListingEncoding,
        next: Place?,
        versions: [Version],
        commonPrefixes: [[UInt8]],
        owner: String
    ) {
        self.bucket = bucket
        self.prefix = prefix
        self.delimiter = delimiter
        self.keyMarker = keyMarker
        self.versionIDMarker = versionIDMarker
        self.maxKeys = maxKeys
        self.encoding = encoding
        self.next = next
        self.versions = versions
        self.commonPrefixes = commonPrefixes
        self.owner = owner
    }

    public func document() -> [UInt8] {
        var writer = XMLWriter(reservingBytes: 512 + versions.count * 320)
        writer.open("ListVersionsResult", xmlns: XMLNode.s3Namespace)
        writer.element("Name", bucket.string)
        writer.listed("Prefix", prefix, encoding)
        if let delimiter { writer.listed("Delimiter", delimiter, encoding) }
        writer.listed("KeyMarker", keyMarker, encoding)
        writer.element("VersionIdMarker", versionIDMarker)
        writer.element("MaxKeys", maxKeys)
        if encoding == .url { writer.element("EncodingType", "url") }
        writer.element("IsTruncated", next != nil)
        if let next {
            writer.listed("NextKeyMarker", next.key, encoding)
            if let id = next.versionID { writer.element("NextVersionIdMarker", id) }
        }
        for version in versions { write(version, to: &writer) }
        for prefix in commonPrefixes {
            writer.open("CommonPrefixes")
            writer.listed("Prefix", prefix, encoding)
            writer.close("CommonPrefixes")
        }
        writer.close("ListVersionsResult")
        return writer.bytes
    }

    private func write(_ version: Version, to writer: inout XMLWriter) {
        let root: StaticString
        switch version.kind {
        case .object: root = "Version"
        case .deleteMarker: root = "DeleteMarker"
        }
        writer.open(root)
        writer.listed("Key", version.key, encoding)
        writer.element("VersionId", version.id)
        writer.element("IsLatest", version.isLatest)
        writer.element("LastModified", Timestamp.iso8601Milliseconds(version.modified))
        if case .object(let size, let etag, let storageClass) = version.kind {
            writer.element("ETag", etag)
            writer.element("Size", size)
            writer.element("StorageClass", storageClass)
        }
        writer.open("Owner")
        writer.element("ID", owner)
        writer.element("DisplayName", owner)
        writer.close("Owner")
        writer.close(root)
    }
}
