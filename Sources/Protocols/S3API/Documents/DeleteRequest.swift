import WireFormats

/// The document of DeleteObjects: up to a thousand objects to delete (S3 API reference, DeleteObjects).
public struct DeleteRequest: Sendable {
    public struct Entry: Hashable, Sendable {
        public let key: ObjectKey
        public let versionID: String?
        /// What must hold of the object for it to be deleted: the store's to judge.
        public let conditions: [Condition: String]

        public init(key: ObjectKey, versionID: String? = nil, conditions: [Condition: String] = [:]) {
            self.key = key
            self.versionID = versionID
            self.conditions = conditions
        }

        /// What the caller needs on this key.
        public var actions: ActionSet {
            ActionSet(versionID == nil ? [.deleteObject] : [.deleteObject, .deleteObjectVersion])
        }
    }

    /// A condition on one object, by the element that states it.
    public enum Condition: String, CaseIterable, Sendable {
        case etag = "ETag"
        case lastModifiedTime = "LastModifiedTime"
        case size = "Size"

        fileprivate var element: StaticString {
            switch self {
            case .etag: "ETag"
            case .lastModifiedTime: "LastModifiedTime"
            case .size: "Size"
            }
        }
    }

    public static let maxEntries = 1000

    /// Only failures are reported.
    public let quiet: Bool
    public let entries: [Entry]

    public init(entries: [Entry], quiet: Bool) {
        self.entries = entries
        self.quiet = quiet
    }

    /// - Throws: `MalformedXML` for what is no such document, holds no entry or more than a thousand, or an element
    ///   that is not known; what a key's own check throws.
    public init(parsing bytes: [UInt8], rules: KeyRules = .standard) throws(S3Error) {
        let root = try readRequestDocument(bytes, root: "Delete")
        var quiet = false
        var entries: [Entry] = []
        for child in root.children {
            switch child.name {
            case "Quiet": quiet = child.text.trimmingXMLSpace == "true"
            case "Object":
                guard entries.count < Self.maxEntries else { throw S3Error(.malformedXML) }
                entries.append(try Self.entry(child, rules: rules))
            default: throw S3Error(.malformedXML)
            }
        }
        guard !entries.isEmpty else { throw S3Error(.malformedXML) }
        self.quiet = quiet
        self.entries = entries
    }

    private static func entry(_ node: XMLNode, rules: KeyRules) throws(S3Error) -> Entry {
        var key: ObjectKey?
        var versionID: String?
        var conditions: [Condition: String] = [:]
        for child in node.children {
            switch child.name {
            case "Key":
                guard key == nil, !child.text.isEmpty else { throw S3Error(.malformedXML) }
                key = try ObjectKey(validating: Array(child.text.utf8), rules: rules)
            case "VersionId":
                guard versionID == nil else { throw S3Error(.malformedXML) }
                versionID = child.text.trimmingXMLSpace
                guard let id = versionID, id.utf8.count <= 1024, !hasDotSegment(Array(id.utf8)[...]) else {
                    throw S3Error(.invalidArgument, "Invalid version id specified")
                }
            default:
                // One that says nothing is none, and whoever sent it relies on it.
                let value = child.text.trimmingXMLSpace
                guard let condition = Condition(rawValue: child.name), child.children.isEmpty, !value.isEmpty,
                    conditions.updateValue(value, forKey: condition) == nil
                else { throw S3Error(.malformedXML) }
            }
        }
        guard let key else { throw S3Error(.malformedXML) }
        return Entry(key: key, versionID: versionID.flatMap { $0.isEmpty ? nil : $0 }, conditions: conditions)
    }

    /// The request as a document.
    public func document() -> [UInt8] {
        var writer = XMLWriter(reservingBytes: 256 + entries.count * 96)
        writer.open("Delete", xmlns: XMLNode.s3Namespace)
        for entry in entries {
            writer.open("Object")
            writer.element("Key", entry.key.bytes)
            if let versionID = entry.versionID { writer.element("VersionId", versionID) }
            for condition in Condition.allCases {
                if let value = entry.conditions[condition] { writer.element(condition.element, value) }
            }
            writer.close("Object")
        }
        if quiet { writer.element("Quiet", true) }
        writer.close("Delete")
        return writer.bytes
    }
}
