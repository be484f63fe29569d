public import WireFormats

/// The answer to ListBuckets: what a caller may list, by name (S3 API reference, ListBuckets).
public struct BucketList: Sendable {
    public struct Entry: Hashable, Sendable {
        public let name: String
        /// The epoch where it is not known: clients insist on a date.
        public let created: Instant

        public init(name: String, created: Instant = Instant(secondsSince1970: 0)) {
            self.name = name
            self.created = created
        }
    }

    public var entries: [Entry]
    /// Identity and display name of the one who asks.
    public var owner: String
    /// What the request asked for beyond all buckets, said back to it.
    public var prefix: String?
    /// Where the next page begins; nil: this was the last.
    public var continuationToken: String?
    /// Of every bucket, where the request asked for more than names; nil: unsaid.
    public var region: String?

    public init(
        entries: [Entry],
        owner: String,
        prefix: String? = nil,
        continuationToken: String? = nil,
        region: String? = nil
    ) {
        self.entries = entries
        self.owner = owner
        self.prefix = prefix
        self.continuationToken = continuationToken
        self.region = region
    }

    /// A store's own answer, nil where it is none.
    public init?(parsing bytes: [UInt8]) {
        guard let root = try? XMLReader.parse(bytes, maxElements: 200_000), root.name == "ListAllMyBucketsResult",
            let buckets = root.child("Buckets")
        else { return nil }
        owner = root.child("Owner")?.value("ID") ?? ""
        entries = buckets.children(named: "Bucket").compactMap { bucket in
            guard let name = bucket.value("Name") else { return nil }
            let created = bucket.value("CreationDate").flatMap { Timestamp.parseISO8601($0.utf8) }
            return Entry(name: name, created: created ?? Instant(secondsSince1970: 0))
        }
    }

    /// The next entry in a store's paged answer, nil where the page was the last.
    public static func continuationToken(in bytes: [UInt8]) -> String? {
        (try? XMLReader.parse(bytes, maxElements: 200_000))?.value("ContinuationToken")
    }

    public func document() -> [UInt8] {
        var writer = XMLWriter(reservingBytes: 256 + entries.count * 128)
        writer.open("ListAllMyBucketsResult", xmlns: XMLNode.s3Namespace)
        writer.open("Owner")
        writer.element("ID", owner)
        writer.element("DisplayName", owner)
        writer.close("Owner")
        writer.open("Buckets")
        for entry in entries {
            writer.open("Bucket")
            writer.element("Name", entry.name)
            writer.element("CreationDate", Timestamp.iso8601Milliseconds(entry.created))
            if let region { writer.element("BucketRegion", region) }
            writer.close("Bucket")
        }
        writer.close("Buckets")
        if let continuationToken { writer.element("ContinuationToken", continuationToken) }
        if let prefix { writer.element("Prefix", prefix) }
        writer.close("ListAllMyBucketsResult")
        return writer.bytes
    }
}
