/// Where a value stands in a configuration file: `buckets[0].backend_options.endpoint`.
///
/// Elements of arrays of tables and of plain arrays are counted from zero, per file.
package struct KeyPath: Hashable, Sendable {
    package enum Component: Hashable, Sendable {
        case key(String)
        case index(Int)
    }

    package var components: [Component]

    package static let root = KeyPath([])

    package init(_ components: [Component]) {
        self.components = components
    }

    package func appending(_ key: String) -> KeyPath {
        KeyPath(components + [.key(key)])
    }

    package func appending(_ index: Int) -> KeyPath {
        KeyPath(components + [.index(index)])
    }
}

extension KeyPath: CustomStringConvertible {
    /// The path as one would say it: bare keys with dots, indices in brackets, other keys quoted.
    package var description: String {
        var text = ""
        for component in components {
            switch component {
            case .key(let key):
                if !text.isEmpty { text += "." }
                text += Self.isBare(key) ? key : "\"" + key + "\""
            case .index(let index):
                text += "[\(index)]"
            }
        }
        return text
    }

    /// Whether TOML lets a key stand without quotes (TOML 1.0, "Keys").
    static func isBare(_ key: String) -> Bool {
        !key.isEmpty
            && key.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
    }
}
