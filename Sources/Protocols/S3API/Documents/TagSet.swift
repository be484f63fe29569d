import WireFormats

/// The tags of an object or a bucket (S3 User Guide, "Categorizing your storage using tags").
public struct TagSet: Hashable, Sendable {
    public struct Tag: Hashable, Sendable {
        public let key: String
        public let value: String

        public init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }

    /// What carries the tags, which says how many there may be.
    public enum Holder: Int, Sendable {
        case object = 10
        case bucket = 50
    }

    public let tags: [Tag]

    /// A `Tagging` document.
    /// - Throws: `MalformedXML` for what is no such document, `InvalidTag` for tags that are too many, too long, doubled,
    ///   or have characters or a prefix that tags can't have.
    public init(parsing document: [UInt8], of holder: Holder) throws(S3Error) {
        let root = try readRequestDocument(document, root: "Tagging", maxElements: 1000)
        guard root.children.count == 1, let set = root.child("TagSet") else { throw S3Error(.malformedXML) }
        var tags: [Tag] = []
        for node in set.children {
            guard node.name == "Tag", node.children.count == 2, let key = node.child("Key"),
                let value = node.child("Value")
            else { throw S3Error(.malformedXML) }
            tags.append(Tag(key: key.text, value: value.text))
        }
        try self.init(checking: tags, of: holder)
    }

    /// The header `x-amz-tagging`: `key=value&...`, percent-encoded.
    /// - Throws: `InvalidArgument` for what is not that or names a key twice, and as ``init(parsing:of:)``.
    public init(header: some Collection<UInt8>) throws(S3Error) {
        let query: Query
        do {
            query = try Query(parsing: header)
        } catch {
            throw Self.malformedHeader
        }
        var tags: [Tag] = []
        for place in 0..<query.count {
            guard let key = String(validating: query.name(at: place), as: UTF8.self),
                let value = String(validating: query.value(at: place), as: UTF8.self),
                !tags.contains(where: { Self.isEqual($0.key, key) })
            else { throw Self.malformedHeader }
            tags.append(Tag(key: key, value: value))
        }
        try self.init(checking: tags, of: .object)
    }

    private static var malformedHeader: S3Error {
        S3Error(
            .invalidArgument,
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name "
                + "duplicates."
        )
    }

    private init(checking tags: [Tag], of holder: Holder) throws(S3Error) {
        guard tags.count <= holder.rawValue else {
            throw S3Error(
                .invalidTag,
                holder == .object
                    ? "Object tags cannot be greater than 10" : "Bucket tag count cannot be greater than 50"
            )
        }
        for (place, tag) in tags.enumerated() {
            guard (1...128).contains(tag.key.unicodeScalars.count), Self.isPossible(tag.key) else {
                throw S3Error(.invalidTag, "The TagKey you have provided is invalid")
            }
            guard tag.value.unicodeScalars.count <= 256, Self.isPossible(tag.value) else {
                throw S3Error(.invalidTag, "The TagValue you have provided is invalid")
            }
            guard !tag.key.utf8.starts(with: "aws:".utf8) else {
                throw S3Error(.invalidTag, "System tags cannot be added/updated by requester")
            }
            guard !tags[..<place].contains(where: { Self.isEqual($0.key, tag.key) }) else {
                throw S3Error(.invalidTag, "Cannot provide multiple Tags with the same key")
            }
        }
        self.tags = tags
    }

    /// Byte by byte: Swift's own equality knows canonical equivalence.
    private static func isEqual(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }

    /// Letters, digits and spaces of any language, and `+ - = . _ : / @`.
    private static func isPossible(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
                .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber, .spaceSeparator:
                true
            default:
                "+-=._:/@".unicodeScalars.contains(scalar)
            }
        }
    }

    /// As the header `x-amz-tagging` has it, whatever was sent.
    public var header: [UInt8] {
        var text: [UInt8] = []
        for tag in tags {
            if !text.isEmpty { text.append(UInt8(ascii: "&")) }
            PercentEncoding.append(tag.key.utf8, to: &text, keepSlash: .encode)
            text.append(UInt8(ascii: "="))
            PercentEncoding.append(tag.value.utf8, to: &text, keepSlash: .encode)
        }
        return text
    }

    /// A `Tagging` document.
    public func document() -> [UInt8] {
        var writer = XMLWriter()
        writer.open("Tagging", xmlns: XMLNode.s3Namespace)
        writer.open("TagSet")
        for tag in tags {
            writer.open("Tag")
            writer.element("Key", tag.key)
            writer.element("Value", tag.value)
            writer.close("Tag")
        }
        writer.close("TagSet")
        writer.close("Tagging")
        return writer.bytes
    }
}
