/// A JSON value (RFC 8259) as it was written: members in order, numbers as text. The reader refuses what readers
/// disagree about, a member named twice above all: which one counts must not depend on who reads.
public enum StrictJSON: Sendable {
    case object([(name: String, value: StrictJSON)])
    case array([StrictJSON])
    case string(String)
    case number(String)
    case bool(Bool)
    case null

    public static let maximumDepth = 16

    /// - Throws: ``StrictJSONError`` with the path of the member being read.
    public init(parsing bytes: some Collection<UInt8>) throws(StrictJSONError) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw StrictJSONError("$", "the document is not UTF-8")
        }
        var reader = StrictJSONReader(bytes: Array(text.utf8))
        self = try reader.document()
    }

    /// "an object", "a string" ...: for messages.
    public var kind: String {
        switch self {
        case .object: "an object"
        case .array: "an array"
        case .string: "a string"
        case .number: "a number"
        case .bool: "true or false"
        case .null: "null"
        }
    }

    /// The path of a member: `$.Statement`, or `$["aws:username"]` where the name isn't a plain word.
    public static func path(_ path: String, _ name: String) -> String {
        let plain = name.utf8.allSatisfy { isWordByte($0) } && !name.isEmpty
        return plain ? path + "." + name : path + "[\"" + name + "\"]"
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

/// Why a text is not accepted: where, as a path into the document (`$.Statement[0].Action`), and what.
public struct StrictJSONError: Error, Hashable, Sendable {
    public let path: String
    public let message: String

    init(_ path: String, _ message: String) {
        self.path = path
        self.message = message
    }
}

extension StrictJSON {
    /// The value as text, without spaces, members in order.
    public var text: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    private func append(to bytes: inout [UInt8]) {
        switch self {
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.appendQuoted(member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .string(let text): Self.appendQuoted(text, to: &bytes)
        case .number(let text): bytes.append(contentsOf: text.utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .null: bytes.append(contentsOf: "null".utf8)
        }
    }

    private static func appendQuoted(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                bytes.append(contentsOf: #"\u00"#.utf8)
                Hex.append(CollectionOfOne(byte), to: &bytes)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

/// Reads one document by recursive descent.
private struct StrictJSONReader {
    let bytes: [UInt8]
    var at = 0
    /// Where the reader is; made into text only where something is wrong, since a name may be long and stand over many.
    var place: [Step] = []
    var depth = 0

    enum Step {
        case member(String)
        case element(Int)
    }

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(StrictJSONError) -> StrictJSON {
        let value = try value()
        skipSpace()
        guard at == bytes.count else { throw fail("something follows the document") }
        return value
    }

    private mutating func value() throws(StrictJSONError) -> StrictJSON {
        skipSpace()
        guard at < bytes.count else { throw fail("the document ends early") }
        switch bytes[at] {
        case UInt8(ascii: "{"): return .object(try nested { (reader) throws(StrictJSONError) in try reader.members() })
        case UInt8(ascii: "["): return .array(try nested { (reader) throws(StrictJSONError) in try reader.elements() })
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default:
            if skip("true") { return .bool(true) }
            if skip("false") { return .bool(false) }
            if skip("null") { return .null }
            throw fail("not JSON at byte \(at)")
        }
    }

    private mutating func nested<Result>(
        _ read: (inout StrictJSONReader) throws(StrictJSONError) -> Result
    ) throws(StrictJSONError) -> Result {
        guard depth < StrictJSON.maximumDepth else { throw fail("nested deeper than \(StrictJSON.maximumDepth)") }
        depth += 1
        at += 1
        let result = try read(&self)
        depth -= 1
        return result
    }

    private mutating func members() throws(StrictJSONError) -> [(name: String, value: StrictJSON)] {
        var members: [(name: String, value: StrictJSON)] = []
        var names: Set<[UInt8]> = []
        skipSpace()
        if skip("}") { return members }
        repeat {
            skipSpace()
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { throw fail("a member's name is missing") }
            let name = try string()
            place.append(.member(name))
            guard names.insert(Array(name.utf8)).inserted else { throw fail("given twice") }
            skipSpace()
            guard skip(":") else { throw fail("a ':' is missing at byte \(at)") }
            members.append((name, try value()))
            place.removeLast()
            skipSpace()
        } while skip(",")
        guard skip("}") else { throw fail("a ',' or '}' is missing at byte \(at)") }
        return members
    }

    private mutating func elements() throws(StrictJSONError) -> [StrictJSON] {
        var elements: [StrictJSON] = []
        skipSpace()
        if skip("]") { return elements }
        repeat {
            place.append(.element(elements.count))
            elements.append(try value())
            place.removeLast()
            skipSpace()
        } while skip(",")
        guard skip("]") else { throw fail("a ',' or ']' is missing at byte \(at)") }
        return elements
    }

    private mutating func string() throws(StrictJSONError) -> String {
        at += 1
        var text: [UInt8] = []
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text += Array(String(try escaped()).utf8)
            case 0..<0x20: throw fail("a control character in a string at byte \(at - 1)")
            default: text.append(byte)
            }
        }
        throw fail("a string does not end")
    }

    /// What follows a backslash.
    private mutating func escaped() throws(StrictJSONError) -> Unicode.Scalar {
        guard at < bytes.count else { throw fail("a string does not end") }
        at += 1
        switch bytes[at - 1] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw fail("an unknown escape at byte \(at - 1)")
        }
        let first = try codeUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xdc00, skip("\\u") else { throw fail("half a surrogate pair at byte \(at)") }
        let second = try codeUnit()
        guard (0xdc00...0xdfff).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
        else { throw fail("half a surrogate pair at byte \(at)") }
        return scalar
    }

    private mutating func codeUnit() throws(StrictJSONError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard at < bytes.count, let digit = Character(Unicode.Scalar(bytes[at])).hexDigitValue else {
                throw fail("four hexadecimal digits are missing at byte \(at)")
            }
            unit = unit << 4 | UInt32(digit)
            at += 1
        }
        return unit
    }

    private mutating func number() throws(StrictJSONError) -> String {
        let start = at
        _ = skip("-")
        let leadingZero = at < bytes.count && bytes[at] == UInt8(ascii: "0")
        let whole = digits()
        guard whole == 1 || whole > 1 && !leadingZero else { throw fail("not a number at byte \(start)") }
        if skip("."), digits() == 0 { throw fail("not a number at byte \(start)") }
        if skip("e") || skip("E") {
            if !skip("+") { _ = skip("-") }
            if digits() == 0 { throw fail("not a number at byte \(start)") }
        }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private mutating func digits() -> Int {
        let start = at
        while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) { at += 1 }
        return at - start
    }

    private mutating func skip(_ text: String) -> Bool {
        guard bytes[at...].starts(with: text.utf8) else { return false }
        at += text.utf8.count
        return true
    }

    private mutating func skipSpace() {
        while at < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[at]) { at += 1 }
    }

    private func fail(_ message: String) -> StrictJSONError {
        var path = "$"
        for step in place {
            switch step {
            case .member(let name):
                path = StrictJSON.path(path, name.utf8.count > Self.longestShownName ? "..." : name)
            case .element(let index): path += "[\(index)]"
            }
        }
        return StrictJSONError(path, message)
    }

    private static let longestShownName = 128
}
