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
    let fields: StoredFields
}

/// The headers kept with an object and given back with it: content headers, `x-amz-meta-*`, checksums. Names in
/// lower case.
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
