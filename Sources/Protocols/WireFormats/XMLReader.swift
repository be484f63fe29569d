import Foundation

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// An element of a parsed document. Names are local: prefixes are dropped, namespaces are not compared, because S3
/// clients disagree about them.
public final class XMLNode: Sendable {
    public let name: String
    /// All character data directly inside the element, joined, whitespace kept.
    public let text: String
    public let attributes: [String: String]
    public let children: [XMLNode]

    public init(name: String, text: String = "", attributes: [String: String] = [:], children: [XMLNode] = []) {
        self.name = name
        self.text = text
        self.attributes = attributes
        self.children = children
    }

    /// The first child of that name.
    public func child(_ name: String) -> XMLNode? {
        children.first { $0.name == name }
    }

    public func children(named name: String) -> [XMLNode] {
        children.filter { $0.name == name }
    }
}

public enum XMLReaderError: Error, Hashable, Sendable {
    /// Not well-formed, not UTF-8, or in another encoding.
    case malformed
    /// A document type declaration: entities, external subsets and their attacks begin there.
    case documentType
    case tooDeep
    case tooManyElements
}

/// Reads small XML documents from clients: libxml2 through FoundationXML, bounded in depth and elements, without DTDs.
/// The caller bounds the bytes.
public enum XMLReader {
    /// - Parameter forbidden: what becomes of characters that XML can't hold.
    public static func parse(
        _ document: [UInt8],
        forbidden: ForbiddenCharacters = .malformed,
        maxDepth: Int = 16,
        maxElements: Int = 20_000
    ) throws(XMLReaderError) -> XMLNode {
        let bytes = forbidden == .replaced ? ForbiddenCharacters.replaced(in: document) : document
        guard !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil else { throw .malformed }
        try refuseDeclarations(bytes)
        let builder = TreeBuilder(maxDepth: maxDepth, maxElements: maxElements)
        let parser = XMLParser(data: Data(bytes))
        parser.shouldResolveExternalEntities = false
        parser.delegate = builder
        let wellFormed = parser.parse()
        if let limit = builder.exceeded { throw limit }
        guard wellFormed, !builder.sawError, parser.parserError == nil, let root = builder.root else {
            throw .malformed
        }
        return root
    }

    /// Refuses `<!DOCTYPE` and every other declaration before libxml2 sees it, and any encoding but UTF-8, which could
    /// spell one otherwise. Comments and CDATA sections are skipped.
    private static func refuseDeclarations(_ bytes: [UInt8]) throws(XMLReaderError) {
        var rest = bytes[...]
        if rest.starts(with: "<?xml".utf8), let end = rest.firstIndex(of: UInt8(ascii: ">")) {
            let declaration = String(decoding: rest[..<end], as: UTF8.self).lowercased()
            if declaration.contains("encoding"),
                !declaration.contains("\"utf-8\""), !declaration.contains("'utf-8'")
            {
                throw .malformed
            }
            rest = rest[end...]
        }
        while let start = rest.firstIndex(of: UInt8(ascii: "<")) {
            rest = rest[start...]
            if rest.starts(with: "<!--".utf8) {
                rest = try skip(rest.dropFirst(4), past: "-->")
            } else if rest.starts(with: "<![CDATA[".utf8) {
                rest = try skip(rest.dropFirst(9), past: "]]>")
            } else if rest.starts(with: "<!".utf8) {
                throw .documentType
            } else {
                rest = rest.dropFirst()
            }
        }
    }

    private static func skip(_ bytes: ArraySlice<UInt8>, past end: String) throws(XMLReaderError) -> ArraySlice<UInt8> {
        let wanted = Array(end.utf8)
        var rest = bytes
        while let start = rest.firstIndex(of: wanted[0]) {
            rest = rest[start...]
            if rest.starts(with: wanted) { return rest.dropFirst(wanted.count) }
            rest = rest.dropFirst()
        }
        throw .malformed
    }
}

private final class TreeBuilder: NSObject, XMLParserDelegate {
    private struct Element {
        let name: String
        let attributes: [String: String]
        var text = ""
        var children: [XMLNode] = []
    }

    private let maxDepth: Int
    private let maxElements: Int
    private var path: [Element] = []
    private var count = 0
    private(set) var root: XMLNode?
    private(set) var exceeded: XMLReaderError?
    /// FoundationXML reports some errors (content after the root) and parses on.
    private(set) var sawError = false

    init(maxDepth: Int, maxElements: Int) {
        self.maxDepth = maxDepth
        self.maxElements = maxElements
    }

    func parser(
        _ parser: XMLParser,
        didStartElement name: String,
        namespaceURI: String?,
        qualifiedName: String?,
        attributes: [String: String]
    ) {
        guard exceeded == nil else { return }
        if path.isEmpty, root != nil { sawError = true }
        count += 1
        if count > maxElements { exceeded = .tooManyElements }
        if path.count >= maxDepth { exceeded = .tooDeep }
        guard exceeded == nil else {
            parser.abortParsing()
            return
        }
        let local = name.split(separator: ":").last.map(String.init) ?? name
        path.append(Element(name: local, attributes: attributes))
    }

    func parser(_ parser: XMLParser, parseErrorOccurred parseError: any Error) {
        sawError = true
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
        guard exceeded == nil, !path.isEmpty else { return }
        path[path.count - 1].text += text
    }

    func parser(_ parser: XMLParser, foundCDATA block: Data) {
        guard exceeded == nil, !path.isEmpty else { return }
        path[path.count - 1].text += String(decoding: block, as: UTF8.self)
    }

    func parser(
        _ parser: XMLParser,
        didEndElement name: String,
        namespaceURI: String?,
        qualifiedName: String?
    ) {
        guard exceeded == nil, let element = path.popLast() else { return }
        let node = XMLNode(
            name: element.name,
            text: element.text,
            attributes: element.attributes,
            children: element.children
        )
        if path.isEmpty {
            root = node
        } else {
            path[path.count - 1].children.append(node)
        }
    }
}
