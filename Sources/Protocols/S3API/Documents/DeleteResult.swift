import WireFormats

/// The answer to DeleteObjects: what was deleted and what was not (S3 API reference, DeleteObjects).
public struct DeleteResult: Sendable {
    public struct Deleted: Hashable, Sendable {
        public let key: ObjectKey
        public var versionID: String?
        public var deleteMarker: Bool
        public var deleteMarkerVersionID: String?

        public init(
            key: ObjectKey,
            versionID: String? = nil,
            deleteMarker: Bool = false,
            deleteMarkerVersionID: String? = nil
        ) {
            self.key = key
            self.versionID = versionID
            self.deleteMarker = deleteMarker
            self.deleteMarkerVersionID = deleteMarkerVersionID
        }
    }

    public struct Failure: Hashable, Sendable {
        public let key: ObjectKey
        public var versionID: String?
        public let code: String
        public let message: String

        public init(key: ObjectKey, versionID: String? = nil, code: String, message: String) {
            self.key = key
            self.versionID = versionID
            self.code = code
            self.message = message
        }

        public init(key: ObjectKey, versionID: String? = nil, _ error: S3Error) {
            self.init(key: key, versionID: versionID, code: error.code.name, message: error.message)
        }
    }

    public var deleted: [Deleted]
    public var failures: [Failure]

    public init(deleted: [Deleted] = [], failures: [Failure] = []) {
        self.deleted = deleted
        self.failures = failures
    }

    /// A store's answer; nil where it is none. Keys are the store's.
    public init?(parsing bytes: [UInt8]) {
        guard let root = try? XMLReader.parse(bytes, forbidden: .replaced, maxElements: 100_000),
            root.name == "DeleteResult"
        else {
            return nil
        }
        deleted = root.children(named: "Deleted").compactMap { node in
            guard let key = node.child("Key")?.text else { return nil }
            return Deleted(
                key: ObjectKey(key),
                versionID: node.value("VersionId"),
                deleteMarker: node.value("DeleteMarker") == "true",
                deleteMarkerVersionID: node.value("DeleteMarkerVersionId")
            )
        }
        failures = root.children(named: "Error").compactMap { node in
            guard let key = node.child("Key")?.text else { return nil }
            return Failure(
                key: ObjectKey(key),
                versionID: node.value("VersionId"),
                code: node.value("Code") ?? S3Error.Code.internalError.name,
                message: node.value("Message") ?? ""
            )
        }
    }

    public func document() -> [UInt8] {
        var writer = XMLWriter(reservingBytes: 256 + (deleted.count + failures.count) * 128)
        writer.open("DeleteResult", xmlns: XMLNode.s3Namespace)
        for entry in deleted {
            writer.open("Deleted")
            writer.element("Key", entry.key.bytes)
            if let versionID = entry.versionID { writer.element("VersionId", versionID) }
            if entry.deleteMarker { writer.element("DeleteMarker", true) }
            if let marker = entry.deleteMarkerVersionID { writer.element("DeleteMarkerVersionId", marker) }
            writer.close("Deleted")
        }
        for failure in failures {
            writer.open("Error")
            writer.element("Key", failure.key.bytes)
            if let versionID = failure.versionID { writer.element("VersionId", versionID) }
            writer.element("Code", failure.code)
            writer.element("Message", failure.message)
            writer.close("Error")
        }
        writer.close("DeleteResult")
        return writer.bytes
    }
}
