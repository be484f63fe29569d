import WireFormats

/// How a listing writes keys, prefixes, markers and delimiters: as they are, or (`encoding-type=url`) percent-encoded,
/// so that XML can hold every byte (S3 API reference, ListObjectsV2).
public enum ListingEncoding: Hashable, Sendable {
    case plain
    case url

    /// As asked in the query.
    public init(_ query: [UInt8]?) {
        self = query.map { $0.elementsEqual("url".utf8) } == true ? .url : .plain
    }

    public func encode(_ name: [UInt8]) -> [UInt8] {
        switch self {
        case .plain: name
        case .url: PercentEncoding.encode(name, keepSlash: .keep)
        }
    }

    /// What the text of an element stands for. Stores disagree whether a space is `+` or `%20`: a plus sign itself is
    /// always `%2B`. Text that is not what it should be stands for itself.
    public func decode(_ text: String) -> [UInt8] {
        switch self {
        case .plain: return Array(text.utf8)
        case .url:
            let spaced = text.utf8.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }
            return (try? PercentEncoding.decode(spaced)) ?? Array(text.utf8)
        }
    }
}

extension XMLWriter {
    mutating func listed(_ element: StaticString, _ name: [UInt8], _ encoding: ListingEncoding) {
        self.element(element, encoding.encode(name))
    }
}
