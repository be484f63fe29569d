public import HTTP1
import WireFormats

/// The answer of GetObjectAttributes: what was asked for of an object, without its bytes
/// (S3 API reference, GetObjectAttributes).
public struct ObjectAttributes: Sendable {
    /// What can be asked for, as the header `x-amz-object-attributes` names it.
    public enum Attribute: String, CaseIterable, Sendable {
        case etag = "ETag"
        case checksum = "Checksum"
        case objectParts = "ObjectParts"
        case storageClass = "StorageClass"
        case objectSize = "ObjectSize"
    }

    /// A checksum's element and its base64 value.
    public struct Checksum: Sendable {
        public let element: StaticString
        public let value: String
        /// `COMPOSITE` or `FULL_OBJECT`; nil for a part's.
        public let type: String?

        public init(element: StaticString, value: String, type: String? = nil) {
            self.element = element
            self.value = value
            self.type = type
        }
    }

    public struct Part: Sendable {
        public let number: Int
        public let size: Int64
        public let checksum: Checksum?

        public init(number: Int, size: Int64, checksum: Checksum?) {
            self.number = number
            self.size = size
            self.checksum = checksum
        }
    }

    /// A page of the parts of an object that was uploaded in parts.
    public struct Parts: Sendable {
        public let total: Int
        public let marker: Int
        public let limit: Int
        public let isTruncated: Bool
        public let parts: [Part]

        public init(total: Int, marker: Int, limit: Int, isTruncated: Bool, parts: [Part]) {
            self.total = total
            self.marker = marker
            self.limit = limit
            self.isTruncated = isTruncated
            self.parts = parts
        }
    }

    /// Without quotation marks, which this operation alone leaves away.
    public var etag: String?
    public var checksum: Checksum?
    public var parts: Parts?
    public var storageClass: String?
    public var size: Int64?

    public init() {}

    /// What a request asks for: names between commas, in any number of fields.
    /// - Throws: `InvalidArgument` where it names nothing, or what is none.
    public static func asked(_ fields: FieldBlock) throws(S3Error) -> Set<Attribute> {
        var asked: Set<Attribute> = []
        for entry in fields.entries where fields.isNamed(entry, "x-amz-object-attributes") {
            for name in fields.value(entry).split(separator: UInt8(ascii: ",")) {
                let text = String(decoding: name, as: UTF8.self).trimmingXMLSpace
                guard let attribute = Attribute(rawValue: text) else { throw S3Error(.invalidArgument, message) }
                asked.insert(attribute)
            }
        }
        guard !asked.isEmpty else { throw S3Error(.invalidArgument, message) }
        return asked
    }

    private static let message = "Invalid attribute name specified."

    public func document() -> [UInt8] {
        var writer = XMLWriter()
        writer.open("GetObjectAttributesResponse", xmlns: XMLNode.s3Namespace)
        if let etag { writer.element("ETag", etag) }
        if let checksum {
            writer.open("Checksum")
            write(checksum, to: &writer)
            writer.close("Checksum")
        }
        if let parts {
            writer.open("ObjectParts")
            writer.element("PartsCount", parts.total)
            writer.element("PartNumberMarker", parts.marker)
            if let last = parts.parts.last { writer.element("NextPartNumberMarker", last.number) }
            writer.element("MaxParts", parts.limit)
            writer.element("IsTruncated", parts.isTruncated)
            for part in parts.parts {
                writer.open("Part")
                writer.element("PartNumber", part.number)
                writer.element("Size", part.size)
                if let checksum = part.checksum { write(checksum, to: &writer) }
                writer.close("Part")
            }
            writer.close("ObjectParts")
        }
        if let storageClass { writer.element("StorageClass", storageClass) }
        if let size { writer.element("ObjectSize", size) }
        writer.close("GetObjectAttributesResponse")
        return writer.bytes
    }

    private func write(_ checksum: Checksum, to writer: inout XMLWriter) {
        writer.element(checksum.element, checksum.value)
        if let type = checksum.type { writer.element("ChecksumType", type) }
    }
}
