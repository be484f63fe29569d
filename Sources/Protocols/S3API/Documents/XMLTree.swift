public import WireFormats

extension XMLNode {
    /// The namespace of S3's documents.
    public static let s3Namespace: StaticString = "http://s3.amazonaws.com/doc/2006-03-01/"

    /// The element written as a document, with everything that was in it: elements that nobody here knows survive.
    public func document() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4096)
        bytes.append(contentsOf: #"<?xml version="1.0" encoding="UTF-8"?>"#.utf8)
        bytes.append(UInt8(ascii: "\n"))
        append(to: &bytes, namespace: attributes["xmlns"] == nil ? Self.s3Namespace : nil)
        return bytes
    }

    private func append(to bytes: inout [UInt8], namespace: StaticString? = nil) {
        bytes.append(UInt8(ascii: "<"))
        bytes.append(contentsOf: name.utf8)
        if let namespace {
            bytes.append(contentsOf: " xmlns=\"\(namespace)\"".utf8)
        }
        for (attribute, value) in attributes.sorted(by: { $0.key < $1.key }) {
            bytes.append(UInt8(ascii: " "))
            bytes.append(contentsOf: attribute.utf8)
            bytes.append(contentsOf: "=\"".utf8)
            Self.appendEscaped(value, to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: ">"))
        if children.isEmpty {
            Self.appendEscaped(text, to: &bytes)
        } else {
            for child in children { child.append(to: &bytes) }
        }
        bytes.append(contentsOf: "</".utf8)
        bytes.append(contentsOf: name.utf8)
        bytes.append(UInt8(ascii: ">"))
    }

    private static func appendEscaped(_ text: String, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): bytes.append(contentsOf: "&amp;".utf8)
            case UInt8(ascii: "<"): bytes.append(contentsOf: "&lt;".utf8)
            case UInt8(ascii: ">"): bytes.append(contentsOf: "&gt;".utf8)
            case UInt8(ascii: "\""): bytes.append(contentsOf: "&quot;".utf8)
            case UInt8(ascii: "\t"): bytes.append(contentsOf: "&#9;".utf8)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: "&#10;".utf8)
            case UInt8(ascii: "\r"): bytes.append(contentsOf: "&#13;".utf8)
            case 0..<0x20: bytes.append(contentsOf: "\u{FFFD}".utf8)
            default: bytes.append(byte)
            }
        }
    }

    /// The element with other text.
    public func withText(_ text: String) -> XMLNode {
        XMLNode(name: name, text: text, attributes: attributes)
    }

    /// The element with its children each replaced, or dropped where `change` gives nil.
    public func mapChildren(_ change: (XMLNode) -> XMLNode?) -> XMLNode {
        XMLNode(name: name, text: text, attributes: attributes, children: children.compactMap(change))
    }

    /// The text of the first child of that name, without surrounding white space.
    public func value(_ child: String) -> String? {
        self.child(child)?.text.trimmingXMLSpace
    }
}

extension String {
    /// Without the white space that pretty-printed XML has around its values.
    public var trimmingXMLSpace: String {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
        guard let first = utf8.first, let last = utf8.last, isSpace(first) || isSpace(last) else { return self }
        let bytes = Array(utf8)
        let start = bytes.firstIndex { !isSpace($0) } ?? bytes.endIndex
        let end = bytes.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? start
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }
}

/// Reads a request's document.
/// - Throws: `MalformedXML` for anything that is not the well-formed document of that root element, DOCTYPE included.
public func readRequestDocument(
    _ bytes: [UInt8],
    root: String,
    maxElements: Int = 100_000
) throws(S3Error) -> XMLNode {
    let node: XMLNode
    do {
        node = try XMLReader.parse(bytes, maxElements: maxElements)
    } catch {
        throw S3Error(.malformedXML)
    }
    guard node.name == root else { throw S3Error(.malformedXML) }
    return node
}
