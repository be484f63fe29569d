/// A value of `Content-Type`: `type "/" subtype`, and parameters (RFC 9110, section 8.3.1), of printable ASCII.
///
/// Read strictly, since whoever compares types has to mean what a browser will make of them: that splits the value at commas
/// outside of quotes and takes the last type (WHATWG Fetch, "extract a MIME type"). What readers could disagree on is none.
public struct MediaType: Hashable, Sendable {
    /// In lower case, as is the subtype.
    public let type: String
    public let subtype: String
    public let parameters: [Parameter]

    public struct Parameter: Hashable, Sendable {
        /// In lower case.
        public let name: String
        /// Without its quotes.
        public let value: String
    }

    /// What is wrong with a text, as the end of a sentence about it.
    public enum Problem: Error, Hashable, Sendable, CustomStringConvertible {
        case tooLong
        case unprintable
        case comma
        case trailingSpace
        case notTypeAndSubtype
        case malformedParameter
        case repeatedParameter(String)

        public var description: String {
            switch self {
            case .tooLong: "is longer than \(MediaType.longest) bytes"
            case .unprintable: "has characters that are not printable ASCII"
            case .comma: "has a comma, where others would begin to read another type"
            case .trailingSpace: "ends in a space"
            case .notTypeAndSubtype: "is not a type and a subtype such as image/png"
            case .malformedParameter: "has a parameter that is not written ;name=value or ;name=\"value\""
            case .repeatedParameter(let name): "has the parameter \(name) twice"
            }
        }
    }

    /// Bytes.
    public static let longest = 255

    public init(_ text: String) throws(Problem) {
        guard text.utf8.count <= Self.longest else { throw .tooLong }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { throw .unprintable }
        guard text.utf8.last != 0x20 else { throw .trailingSpace }
        var scanner = Scanner(rest: Array(text.utf8)[...])
        let names = (scanner.token(), scanner.take(UInt8(ascii: "/")), scanner.token())
        guard case (let type?, true, let subtype?) = names, !type.contains("*"), !subtype.contains("*") else {
            throw scanner.rest.first == UInt8(ascii: ",") ? .comma : .notTypeAndSubtype
        }
        self.type = type.lowercased()
        self.subtype = subtype.lowercased()
        var parameters: [Parameter] = []
        var hasQuotedComma = false
        while true {
            scanner.skipSpaces()
            guard scanner.take(UInt8(ascii: ";")) else { break }
            scanner.skipSpaces()
            // Between two semicolons, and behind the last, there may be nothing (RFC 9110, section 5.6.6).
            guard let first = scanner.rest.first, first != UInt8(ascii: ";") else { continue }
            guard let name = scanner.token()?.lowercased(), scanner.take(UInt8(ascii: "=")),
                let value = scanner.quoted() ?? scanner.token()
            else { throw scanner.rest.first == UInt8(ascii: ",") ? .comma : .malformedParameter }
            guard !parameters.contains(where: { $0.name == name }) else { throw .repeatedParameter(name) }
            hasQuotedComma = hasQuotedComma || value.contains(",")
            parameters.append(Parameter(name: name, value: value))
        }
        switch scanner.rest.first {
        case nil: break
        case UInt8(ascii: ",")?: throw .comma
        case _?: throw parameters.isEmpty ? .notTypeAndSubtype : .malformedParameter
        }
        // Readers exist that take ' for a quote, and some that don't know a backslash: to them this comma may be outside.
        guard !hasQuotedComma || !text.utf8.contains(where: { $0 == UInt8(ascii: "'") || $0 == UInt8(ascii: "\\") })
        else { throw .comma }
        self.parameters = parameters
    }

    private struct Scanner {
        var rest: ArraySlice<UInt8>

        mutating func take(_ byte: UInt8) -> Bool {
            guard rest.first == byte else { return false }
            rest = rest.dropFirst()
            return true
        }

        mutating func skipSpaces() { rest = rest.drop { $0 == 0x20 } }

        /// Nil where there is none.
        mutating func token() -> String? {
            let token = rest.prefix(while: Token.has)
            guard !token.isEmpty else { return nil }
            rest = rest[token.endIndex...]
            return String(decoding: token, as: UTF8.self)
        }

        /// What is in quotes; nil, and nothing is read, where that has no end or does not begin.
        mutating func quoted() -> String? {
            var scanner = self
            guard scanner.take(UInt8(ascii: "\"")) else { return nil }
            var value: [UInt8] = []
            while let byte = scanner.rest.popFirst() {
                switch byte {
                case UInt8(ascii: "\""):
                    self = scanner
                    return String(decoding: value, as: UTF8.self)
                case UInt8(ascii: "\\"):
                    guard let escaped = scanner.rest.popFirst() else { return nil }
                    value.append(escaped)
                default: value.append(byte)
                }
            }
            return nil
        }
    }
}
