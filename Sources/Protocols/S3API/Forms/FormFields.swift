import HTTP1

/// The fields of a form in their order, by names in lower case, each once.
public struct FormFields: Sendable {
    public struct Field: Hashable, Sendable {
        /// In lower case.
        public let name: String
        public let value: [UInt8]
    }

    public private(set) var all: [Field] = []
    private var places: [String: Int] = [:]
    /// The last segment of the file's name; empty where it has none.
    public internal(set) var filename: [UInt8] = []

    public init() {}

    public var count: Int { all.count }

    /// - Throws: `InvalidArgument` for a field that is there already: the first and the last reader of it would differ.
    public mutating func add(_ name: String, _ value: [UInt8]) throws(S3Error) {
        guard places.updateValue(all.count, forKey: name) == nil else {
            throw S3Error(.invalidArgument, "POST requires exactly one value of each field; \(name) is given twice.")
        }
        all.append(Field(name: name, value: value))
    }

    /// The value as it was sent.
    public func raw(_ name: String) -> [UInt8]? { places[name].map { all[$0].value } }

    /// The value with the file's name in place of `${filename}`.
    public subscript(_ name: String) -> [UInt8]? { raw(name).map(expanded) }

    /// Every field with the file's name put in, but those that the signature is made of.
    public var expanded: [Field] {
        all.map { field in
            Self.verbatim.contains(field.name) ? field : Field(name: field.name, value: expanded(field.value))
        }
    }

    private static let verbatim: Set<String> = ["policy", "signature", "awsaccesskeyid", "x-amz-signature"]

    /// S3 User Guide, "Browser-based uploads using POST": `${filename}`, wherever it stands, once.
    private func expanded(_ value: [UInt8]) -> [UInt8] {
        let variable = Array("${filename}".utf8)
        var result: [UInt8] = []
        var rest = value[...]
        while let dollar = rest.firstIndex(of: UInt8(ascii: "$")) {
            result += rest[..<dollar]
            rest = rest[dollar...]
            if rest.starts(with: variable) {
                result += filename
                rest = rest.dropFirst(variable.count)
            } else {
                result.append(UInt8(ascii: "$"))
                rest = rest.dropFirst()
            }
        }
        return result + rest
    }

    /// Some browsers send whole paths, of either kind.
    static func lastSegment(of filename: [UInt8]) -> [UInt8] {
        let slash = filename.lastIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
        return slash.map { Array(filename[($0 + 1)...]) } ?? filename
    }
}
