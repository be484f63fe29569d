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
    /// A document type declaration, or any other: entities, external subsets and their attacks begin there.
    case documentType
    case tooDeep
    case tooManyElements
}

/// Reads small XML documents (XML 1.0, fifth edition) of clients and stores: strict, bounded in depth and elements, in time
/// linear in the bytes, which the caller bounds. There are no document types and so no entities but the five of XML itself.
public enum XMLReader {
    /// - Parameter forbidden: what becomes of characters that XML can't hold.
    public static func parse(
        _ document: [UInt8],
        forbidden: ForbiddenCharacters = .malformed,
        maxDepth: Int = 16,
        maxElements: Int = 20_000
    ) throws(XMLReaderError) -> XMLNode {
        let bytes = forbidden == .replaced ? ForbiddenCharacters.replaced(in: document) : document
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .malformed }
        var tree = XMLTreeBuilder(maxDepth: maxDepth, maxElements: maxElements)
        var scanner = XMLScanner(bytes)
        while let token = try scanner.next() { try tree.take(token) }
        return try tree.finish()
    }
}

/// Makes elements of what a scanner finds. Only here is it known what belongs into what.
private struct XMLTreeBuilder {
    private struct Element {
        let qualifiedName: ArraySlice<UInt8>
        let attributes: [String: String]
        var text: [UInt8] = []
        var children: [XMLNode] = []
    }

    let maxDepth: Int
    let maxElements: Int
    private var path: [Element] = []
    private var count = 0
    private var root: XMLNode?

    init(maxDepth: Int, maxElements: Int) {
        self.maxDepth = maxDepth
        self.maxElements = maxElements
    }

    mutating func take(_ token: XMLScanner.Token) throws(XMLReaderError) {
        switch token {
        case .start(let name, let attributes, let isEmpty):
            guard root == nil else { throw .malformed }
            count += 1
            guard count <= maxElements else { throw .tooManyElements }
            guard path.count < maxDepth else { throw .tooDeep }
            path.append(Element(qualifiedName: name, attributes: attributes))
            if isEmpty { close() }
        case .end(let name):
            guard let element = path.last, element.qualifiedName == name else { throw .malformed }
            close()
        case .text(let text):
            if path.isEmpty {
                guard text.allSatisfy(XMLScanner.isSpace) else { throw .malformed }
            } else {
                path[path.count - 1].text += text
            }
        case .cdata(let text):
            guard !path.isEmpty else { throw .malformed }
            path[path.count - 1].text += text
        }
    }

    func finish() throws(XMLReaderError) -> XMLNode {
        guard path.isEmpty, let root else { throw .malformed }
        return root
    }

    private mutating func close() {
        guard let element = path.popLast() else { return }
        let name = element.qualifiedName
        let local = name.lastIndex(of: UInt8(ascii: ":")).map { name[($0 + 1)...] } ?? name
        let node = XMLNode(
            name: String(decoding: local, as: UTF8.self),
            text: String(decoding: element.text, as: UTF8.self),
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
