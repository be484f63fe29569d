public import HTTP1
public import NIOCore
import WireFormats

/// A form that uploads one object (S3 API reference, "POST Object"), read up to its file.
public final class PostForm: Sendable {
    public enum File: Sendable {
        case whole([UInt8])
        /// The rest of the body still comes. The length is what it must turn out to be: reckoned from the body's, since
        /// nothing announces it.
        case streamed(length: Int64, FormFileDecoder, beginning: ByteBuffer)
    }

    public let fields: FormFields
    public let file: File

    public init(fields: FormFields, file: File) {
        self.fields = fields
        self.file = file
    }

    /// Of the file, in bytes.
    public var length: Int64 {
        switch file {
        case .whole(let content): Int64(content.count)
        case .streamed(let length, _, _): length
        }
    }

    /// - Throws: `InvalidArgument` where there is none, what ``ObjectKey`` throws.
    public func key(rules: KeyRules) throws(S3Error) -> ObjectKey {
        guard let key = fields["key"] else {
            throw S3Error(.invalidArgument, "Bucket POST must contain a field named 'key'.")
        }
        guard !key.isEmpty else { throw S3Error(.invalidArgument, "User key must have a length greater than 0.") }
        return try ObjectKey(validating: key, rules: rules)
    }

    /// The fields of the object as header fields of a PutObject: what else is in the form does not go along.
    ///
    /// - Throws: `InvalidArgument` for a value that no header field can have, `MalformedXML` for tags.
    public func headerFields(into block: inout FieldBlock) throws(S3Error) {
        for field in fields.expanded {
            guard let name = Self.headerName(of: field.name) else { continue }
            guard Token.isSpelt(by: name.utf8) else {
                throw S3Error(.invalidArgument, "The field \(field.name) has a name that no header can have.")
            }
            if field.name == "tagging" {
                block.append(name.utf8, try Self.tags(field.value))
                continue
            }
            let value = trimmedSpace(field.value[...])
            guard value.allSatisfy({ $0 > 0x1f && $0 != 0x7f }) else {
                throw S3Error(.invalidArgument, "The field \(field.name) contains a control character.")
            }
            block.append(name.utf8, value)
        }
    }

    /// Nil for what is about the form and not about the object.
    private static func headerName(of field: String) -> String? {
        switch field {
        case "acl": "x-amz-acl"
        case "tagging": "x-amz-tagging"
        case "cache-control", "content-type", "content-disposition", "content-encoding", "content-language",
            "content-md5", "expires":
            field
        case "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature", "x-amz-security-token",
            "x-amz-content-sha256":
            nil
        default: field.hasPrefix("x-amz-") ? field : nil
        }
    }

    /// The document of tags as the header has them.
    private static func tags(_ document: [UInt8]) throws(S3Error) -> [UInt8] {
        let root: XMLNode
        do { root = try XMLReader.parse(document) } catch { throw S3Error(.malformedXML) }
        guard root.name == "Tagging", let set = root.children.first, root.children.count == 1, set.name == "TagSet"
        else {
            throw S3Error(.malformedXML)
        }
        var text: [UInt8] = []
        for tag in set.children {
            guard tag.name == "Tag", tag.children.count == 2, let key = tag.children.first(where: { $0.name == "Key" }),
                let value = tag.children.first(where: { $0.name == "Value" })
            else { throw S3Error(.malformedXML) }
            if !text.isEmpty { text.append(UInt8(ascii: "&")) }
            PercentEncoding.append(Array(key.text.utf8), to: &text, keepSlash: .encode)
            text.append(UInt8(ascii: "="))
            PercentEncoding.append(Array(value.text.utf8), to: &text, keepSlash: .encode)
        }
        return text
    }
}
