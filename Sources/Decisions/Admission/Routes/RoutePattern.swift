/// The path of a route: literal segments, `{name}` for any one segment, and, as the last, `{name*}` for the rest.
///
/// It is held against the path as sent: `%61` is not `a` to a literal. What the names stand for is decoded once.
public struct RoutePattern: Hashable, Sendable {
    public enum Segment: Hashable, Sendable {
        /// As it is sent, encoded.
        case literal([UInt8])
        /// Exactly one segment that is not empty.
        case one(String)
        /// Everything from here on, slashes included; not empty.
        case rest(String)
    }

    /// Never empty.
    public let segments: [Segment]
    /// As it was written.
    public let source: String

    /// Deeper paths are refused.
    private static let mostSegments = 64

    public init(_ source: String) throws(RoutePatternError) {
        self.source = source
        guard source.utf8.first == UInt8(ascii: "/") else { throw .noSlash }
        let texts = source.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard texts.count <= Self.mostSegments else { throw .tooManySegments }
        var segments: [Segment] = []
        for (index, text) in texts.enumerated() {
            let segment = try Self.segment(String(text))
            if case .rest = segment, index + 1 < texts.count { throw .restBeforeTheEnd }
            segments.append(segment)
        }
        guard segments.first != .literal([UInt8(ascii: "-")]) else { throw .reserved }
        self.segments = segments
        let names = names
        for (index, name) in names.enumerated() where names[..<index].contains(name) { throw .repeatedName(name) }
    }

    /// What its segments are called, in order.
    public var names: [String] {
        segments.compactMap { segment in
            switch segment {
            case .literal: nil
            case .one(let name), .rest(let name): name
            }
        }
    }

    /// The same for patterns that match the same paths.
    public var shape: [Segment] {
        segments.map { segment in
            switch segment {
            case .literal: segment
            case .one: .one("")
            case .rest: .rest("")
            }
        }
    }

    private static func segment(_ text: String) throws(RoutePatternError) -> Segment {
        guard !text.isEmpty else { throw .emptySegment }
        guard text.contains("{") || text.contains("}") else {
            guard text != ".", text != ".." else { throw .dotSegment }
            guard isPathText(text.utf8) else { throw .notInAPath(text) }
            return .literal(Array(text.utf8))
        }
        guard text.hasPrefix("{"), text.hasSuffix("}") else { throw .braces(text) }
        var name = text.dropFirst().dropLast()
        let takesRest = name.hasSuffix("*")
        if takesRest { name = name.dropLast() }
        guard !name.isEmpty, name.utf8.allSatisfy(isNameByte) else { throw .braces(text) }
        return takesRest ? .rest(String(name)) : .one(String(name))
    }

    /// `pchar` of RFC 3986, section 3.3.
    private static func isPathText(_ text: String.UTF8View) -> Bool {
        var digitsToCome = 0
        for byte in text {
            if digitsToCome > 0 {
                guard isHexDigit(byte) else { return false }
                digitsToCome -= 1
                continue
            }
            if byte == UInt8(ascii: "%") {
                digitsToCome = 2
                continue
            }
            guard isLetterOrDigit(byte) || "-._~!$&'()*+,;=:@".utf8.contains(byte) else { return false }
        }
        return digitsToCome == 0
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 6 || byte &- 0x30 < 10
    }
}

/// What is wrong with a route's path in the configuration.
public enum RoutePatternError: Error, Hashable, Sendable, CustomStringConvertible {
    case noSlash
    case emptySegment
    case dotSegment
    case notInAPath(String)
    case braces(String)
    case restBeforeTheEnd
    case repeatedName(String)
    case reserved
    case tooManySegments

    public var description: String {
        switch self {
        case .noSlash: "does not begin with a slash"
        case .emptySegment: "has an empty segment"
        case .dotSegment: "has a \".\" or \"..\" segment"
        case .notInAPath(let text): "has characters in '\(text)' that a path can't have unless they are percent-encoded"
        case .braces(let text): "has braces in '\(text)' that are no {name} or {name*} of a whole segment"
        case .restBeforeTheEnd: "has something behind {name*}, which takes all the rest"
        case .repeatedName(let name): "has {\(name)} twice"
        case .reserved: "lies under /-/, which is Gatehouse's own"
        case .tooManySegments: "has more than 64 segments"
        }
    }
}
