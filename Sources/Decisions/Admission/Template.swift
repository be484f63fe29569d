/// A text with `{name}` in it, for the values of claims and path parameters.
///
/// Substituted once: a value that contains braces is refused, never read again. Every value is checked before it is put
/// in, so that nobody reaches another's bucket or folder by what a token says: see ``TemplateValueRefusal``.
public struct Template: Hashable, Sendable {
    private enum Piece: Hashable, Sendable {
        case text([UInt8])
        case name(String)
    }

    private let pieces: [Piece]
    /// As it was written.
    public let source: String

    /// - Throws: ``TemplateError`` for braces that do not enclose a name of letters, digits, `_`, `-` and `.`.
    public init(_ source: String) throws(TemplateError) {
        self.source = source
        var pieces: [Piece] = []
        var text: [UInt8] = []
        var rest = Array(source.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "}"):
                throw .unopenedBrace(source)
            case UInt8(ascii: "{"):
                guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else { throw .unclosedBrace(source) }
                let name = rest[..<end]
                guard !name.isEmpty, name.allSatisfy(Self.isNameByte) else { throw .invalidName(source) }
                if !text.isEmpty { pieces.append(.text(text)) }
                text = []
                pieces.append(.name(String(decoding: name, as: UTF8.self)))
                rest = rest[(end + 1)...]
            default:
                text.append(byte)
            }
        }
        if !text.isEmpty { pieces.append(.text(text)) }
        self.pieces = pieces
    }

    /// The names it asks for, in order.
    public var names: [String] {
        pieces.compactMap { if case .name(let name) = $0 { name } else { nil } }
    }

    /// Whether it is the same for everybody.
    public var isConstant: Bool { names.isEmpty }

    /// The text with the values in place.
    ///
    /// - Parameter value: the value of a name, nil where there is none.
    public func substituting(_ value: (String) -> [UInt8]?) throws(TemplateValueRefusal) -> [UInt8] {
        var result: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .text(let text): result += text
            case .name(let name):
                guard let found = value(name) else { throw .missing(name) }
                result += found
            }
        }
        return result
    }

    /// A claim's value as templates take it.
    ///
    /// - Throws: where it is missing, empty, `.`, `..`, longer than 256 bytes, or contains `/ \ { } * ?` or a control
    ///   character.
    public static func checked(claim value: String?, named name: String) throws(TemplateValueRefusal) -> [UInt8] {
        guard let value else { throw .missing(name) }
        let bytes = Array(value.utf8)
        guard !bytes.isEmpty, bytes.count <= 256 else { throw .unusable(name) }
        guard value != ".", value != ".." else { throw .unusable(name) }
        guard bytes.allSatisfy({ $0 > 0x1F && $0 != 0x7F && !"/\\{}*?".utf8.contains($0) }) else {
            throw .unusable(name)
        }
        // C1 control characters, U+0080 to U+009F.
        guard !zip(bytes, bytes.dropFirst()).contains(where: { $0 == 0xC2 && (0x80...0x9F).contains($1) }) else {
            throw .unusable(name)
        }
        return bytes
    }

    /// The text with claims in place.
    public func substituting(claims: [String: String]) throws(TemplateValueRefusal) -> [UInt8] {
        var result: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .text(let text): result += text
            case .name(let name): result += try Self.checked(claim: claims[name], named: name)
            }
        }
        return result
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "_-.".utf8.contains(byte)
        }
    }
}

/// What is wrong with a template in the configuration.
public enum TemplateError: Error, Hashable, Sendable, CustomStringConvertible {
    case unopenedBrace(String)
    case unclosedBrace(String)
    case invalidName(String)

    public var description: String {
        switch self {
        case .unopenedBrace(let source): "'\(source)' has a } without a {"
        case .unclosedBrace(let source): "'\(source)' has a { without a }"
        case .invalidName(let source): "'\(source)' has braces around something that is no name"
        }
    }
}

/// Why a value can't be put into a template: whoever brought it is denied.
public enum TemplateValueRefusal: Error, Hashable, Sendable {
    case missing(String)
    case unusable(String)
}
