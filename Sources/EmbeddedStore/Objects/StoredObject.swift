import S3API
import WireFormats

/// An object as the index knows it.
struct StoredObject: Sendable {
    let content: ContentID
    /// Its bytes are several files, listed in the table `segment`; otherwise one, named by `content`.
    let isSegmented: Bool
    let size: Int64
    /// Without quotation marks.
    let etag: String
    let modified: Instant
    var fields: StoredFields
    /// It has a version id of its own; otherwise it is its key's null version.
    var isNamed = false
    /// Greater than those of its key's earlier versions.
    var sequence: Int64 = 0
    /// What clients call the version; nil where the bucket has never been versioned.
    var versionID: String?

    /// Its name among its key's versions.
    var version: VersionName { isNamed ? .named(content) : .null }

    /// Nil: `STANDARD`.
    var storageClass: String? {
        fields.first("x-amz-storage-class").map { String(decoding: $0, as: UTF8.self) }
    }

    /// Its checksum, and what that is over.
    var checksum: (algorithm: ChecksumAlgorithm, value: String, type: String?)? {
        for algorithm in ChecksumAlgorithm.allCases {
            guard let value = fields.first(algorithm.header) else { continue }
            let type = fields.first("x-amz-checksum-type").map { String(decoding: $0, as: UTF8.self) }
            return (algorithm, String(decoding: value, as: UTF8.self), type)
        }
        return nil
    }
}

/// A version of a key that hides the others: what deleting leaves in a versioned bucket.
struct DeleteMarker: Hashable, Sendable {
    /// Names the version; there is no file.
    let content: ContentID
    let modified: Instant
    let isNamed: Bool
    let sequence: Int64

    var version: VersionName { isNamed ? .named(content) : .null }
}

/// How the versions of a key are told apart (S3 User Guide, "Retaining multiple versions of objects").
enum VersionName: Hashable, Sendable {
    /// The one that was written while the bucket was not versioned, or versioning was suspended: at most one of a key.
    case null
    case named(ContentID)

    /// As clients write it.
    /// - Throws: `InvalidArgument` for what the store has never given.
    init(_ text: some Collection<UInt8>) throws(S3Error) {
        if text.elementsEqual("null".utf8) {
            self = .null
        } else if text.count == 2 * ContentID.length, let bytes = Hex.decode(text), let content = ContentID(bytes) {
            self = .named(content)
        } else {
            throw S3Error(.invalidArgument, "Invalid version id specified")
        }
    }

    var text: String {
        switch self {
        case .null: "null"
        case .named(let content): content.fileName
        }
    }
}

/// The headers kept with an object and given back with it: content headers, `x-amz-meta-*`, checksums, tags, storage
/// class. Names in lower case.
struct StoredFields: Hashable, Sendable {
    struct Item: Hashable, Sendable {
        let name: [UInt8]
        let value: [UInt8]
    }

    private(set) var items: [Item] = []

    init() {}

    mutating func append(_ name: some Sequence<UInt8>, _ value: some Sequence<UInt8>) {
        items.append(Item(name: Array(name), value: Array(value)))
    }

    mutating func append(_ name: StaticString, _ value: String) {
        name.withUTF8Buffer { append($0, value.utf8) }
    }

    /// The value under a name given in lower case.
    func first(_ name: StaticString) -> [UInt8]? {
        name.withUTF8Buffer { wanted in items.first { $0.name.elementsEqual(wanted) }?.value }
    }

    /// Keeps `value` under the name, in the place of whatever was there; nil: nothing.
    mutating func set(_ name: StaticString, _ value: [UInt8]?) {
        name.withUTF8Buffer { wanted in items.removeAll { $0.name.elementsEqual(wanted) } }
        if let value { name.withUTF8Buffer { append($0, value) } }
    }

    mutating func removeAll(where predicate: (Item) -> Bool) { items.removeAll(where: predicate) }

    /// As kept in the index: `name:value` lines. Neither part can hold a line feed: HTTP does not allow it.
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for item in items {
            bytes += item.name
            bytes.append(UInt8(ascii: ":"))
            bytes += item.value
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }

    init(decoding bytes: some Collection<UInt8>) {
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            append(line[..<colon], line[line.index(after: colon)...])
        }
    }
}
