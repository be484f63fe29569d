/// Takes the markup of an XML document apart, token by token (XML 1.0, fifth edition; production numbers are its own).
///
/// Comments and processing instructions are passed over. Whether elements belong together is not known here.
struct XMLScanner {
    enum Token {
        /// The name with its prefix; attributes by their names with prefixes.
        case start(name: ArraySlice<UInt8>, attributes: [String: String], isEmpty: Bool)
        case end(name: ArraySlice<UInt8>)
        /// Never empty; references resolved.
        case text([UInt8])
        case cdata([UInt8])
    }

    /// Of one element. Those of S3 have two.
    private static let maxAttributes = 100

    private let bytes: [UInt8]
    private var index: Int
    private var hasBegun = false

    /// - Parameter bytes: UTF-8, which the caller has made sure of. A byte order mark may precede it.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        index = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// Nil at the end.
    mutating func next() throws(XMLReaderError) -> Token? {
        if !hasBegun {
            hasBegun = true
            if isAt("<?xml"), index + 5 < bytes.count, Self.isSpace(bytes[index + 5]) { try readDeclaration() }
        }
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "<") else { return .text(try readText()) }
            if isAt("<!--") {
                try skipComment()
            } else if isAt("<?") {
                try skipInstruction()
            } else if isAt("<![CDATA[") {
                return .cdata(try readSection())
            } else if isAt("<!") {
                throw .documentType
            } else if isAt("</") {
                return try readEnd()
            } else {
                return try readStart()
            }
        }
        return nil
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D }

    // MARK: - Tags

    private mutating func readStart() throws(XMLReaderError) -> Token {
        index += 1
        let name = try readName()
        let attributes = try readAttributes()
        let isEmpty = isAt("/>")
        try expect(isEmpty ? "/>" : ">")
        return .start(name: name, attributes: attributes, isEmpty: isEmpty)
    }

    private mutating func readEnd() throws(XMLReaderError) -> Token {
        index += 2
        let name = try readName()
        skipSpace()
        try expect(">")
        return .end(name: name)
    }

    /// Productions 40, 41: each after white space, each once, few. White space behind the last is taken, too.
    private mutating func readAttributes() throws(XMLReaderError) -> [String: String] {
        var attributes: [String: String] = [:]
        while true {
            let hadSpace = skipSpace()
            guard index < bytes.count, Self.mayBeginName(bytes[index]) else { return attributes }
            guard hadSpace, attributes.count < Self.maxAttributes else { throw .malformed }
            let name = String(decoding: try readName(), as: UTF8.self)
            skipSpace()
            try expect("=")
            skipSpace()
            let value = try readAttributeValue()
            guard attributes.updateValue(value, forKey: name) == nil else { throw .malformed }
        }
    }

    /// Production 10, with the normalization of section 3.3.3.
    private mutating func readAttributeValue() throws(XMLReaderError) -> String {
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "'") else {
            throw .malformed
        }
        let quote = bytes[index]
        index += 1
        var value: [UInt8] = []
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case quote:
                index += 1
                return String(decoding: value, as: UTF8.self)
            case UInt8(ascii: "<"): throw .malformed
            case UInt8(ascii: "&"): try readReference(into: &value)
            case 0x09, 0x0A: takeSpace(into: &value)
            case 0x0D:
                if index + 1 < bytes.count, bytes[index + 1] == 0x0A { index += 1 }
                takeSpace(into: &value)
            default: try takeCharacter(into: &value)
            }
        }
        throw .malformed
    }

    private mutating func takeSpace(into value: inout [UInt8]) {
        value.append(0x20)
        index += 1
    }

    // MARK: - Text

    /// Up to the next markup (production 14), line ends as section 2.11 wants them.
    private mutating func readText() throws(XMLReaderError) -> [UInt8] {
        var text: [UInt8] = []
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "<"): return text
            case UInt8(ascii: "&"): try readReference(into: &text)
            case UInt8(ascii: "]") where isAt("]]>"): throw .malformed
            case 0x0D: takeLineEnd(into: &text)
            default:
                takePlain(into: &text)
                guard index < bytes.count, !Self.isSign(bytes[index]) else { continue }
                try takeCharacter(into: &text)
            }
        }
        return text
    }

    /// What means nothing but itself, at once: most of a document.
    private mutating func takePlain(into text: inout [UInt8]) {
        let start = index
        while index < bytes.count, Self.isPlain(bytes[index]) { index += 1 }
        text += bytes[start..<index]
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0xEF && byte != UInt8(ascii: "]") && !isSign(byte)
    }

    private static func isSign(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "<") || byte == UInt8(ascii: "&") || byte == 0x0D
    }

    /// Production 18.
    private mutating func readSection() throws(XMLReaderError) -> [UInt8] {
        index += "<![CDATA[".utf8.count
        var text: [UInt8] = []
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "]") where isAt("]]>"):
                index += 3
                return text
            case 0x0D: takeLineEnd(into: &text)
            default: try takeCharacter(into: &text)
            }
        }
        throw .malformed
    }

    private mutating func takeLineEnd(into text: inout [UInt8]) {
        text.append(0x0A)
        index += index + 1 < bytes.count && bytes[index + 1] == 0x0A ? 2 : 1
    }

    /// The next byte, if its character may be there (production 2).
    private mutating func takeCharacter(into text: inout [UInt8]) throws(XMLReaderError) {
        text.append(try character())
        index += 1
    }

    /// The next byte of a character that XML can hold.
    private func character() throws(XMLReaderError) -> UInt8 {
        let byte = bytes[index]
        guard byte >= 0x20 || Self.isSpace(byte) else { throw .malformed }
        // U+FFFE and U+FFFF.
        if byte == 0xEF, index + 2 < bytes.count, bytes[index + 1] == 0xBF, bytes[index + 2] >= 0xBE {
            throw .malformed
        }
        return byte
    }

    /// Productions 66 and 68: a character by its number, or one of the five that XML names itself.
    private mutating func readReference(into text: inout [UInt8]) throws(XMLReaderError) {
        let name = bytes[(index + 1)...].prefix(12).prefix { $0 != UInt8(ascii: ";") }
        guard name.endIndex < bytes.count, bytes[name.endIndex] == UInt8(ascii: ";") else { throw .malformed }
        index = name.endIndex + 1
        guard name.first != UInt8(ascii: "#") else {
            text += try Self.numbered(name.dropFirst()).utf8
            return
        }
        guard let named = Self.named.first(where: { name.elementsEqual($0.name.utf8) }) else { throw .malformed }
        text.append(named.byte)
    }

    private static let named: [(name: String, byte: UInt8)] = [
        ("lt", UInt8(ascii: "<")), ("gt", UInt8(ascii: ">")), ("amp", UInt8(ascii: "&")),
        ("quot", UInt8(ascii: "\"")), ("apos", UInt8(ascii: "'")),
    ]

    private static func numbered(_ text: ArraySlice<UInt8>) throws(XMLReaderError) -> String {
        let isHex = text.first == UInt8(ascii: "x")
        let digits = isHex ? text.dropFirst() : text
        guard let first = digits.first, first != UInt8(ascii: "+"),
            let value = UInt32(String(decoding: digits, as: UTF8.self), radix: isHex ? 16 : 10),
            value >= 0x20 || value == 0x09 || value == 0x0A || value == 0x0D,
            value != 0xFFFE, value != 0xFFFF, let scalar = Unicode.Scalar(value)
        else { throw .malformed }
        return String(Character(scalar))
    }

    // MARK: - What is passed over

    /// Production 23. Only UTF-8 is read, whatever a document says it is.
    private mutating func readDeclaration() throws(XMLReaderError) {
        index += "<?xml".utf8.count
        let said = try readAttributes()
        try expect("?>")
        guard said["version"]?.hasPrefix("1.") == true, said["encoding"].map({ $0.lowercased() == "utf-8" }) ?? true,
            Set(said.keys).isSubset(of: ["version", "encoding", "standalone"])
        else { throw .malformed }
    }

    /// Production 15.
    private mutating func skipComment() throws(XMLReaderError) {
        index += "<!--".utf8.count
        while index < bytes.count {
            if isAt("--") {
                index += 2
                return try expect(">")
            }
            _ = try character()
            index += 1
        }
        throw .malformed
    }

    /// Production 16: none may be called `xml`.
    private mutating func skipInstruction() throws(XMLReaderError) {
        index += 2
        let target = try readName()
        guard String(decoding: target, as: UTF8.self).lowercased() != "xml" else { throw .malformed }
        guard isAt("?>") || skipSpace() else { throw .malformed }
        while index < bytes.count {
            if isAt("?>") {
                index += 2
                return
            }
            _ = try character()
            index += 1
        }
        throw .malformed
    }

    // MARK: - Names and signs

    /// Production 5; beyond ASCII, more than it allows.
    private mutating func readName() throws(XMLReaderError) -> ArraySlice<UInt8> {
        guard index < bytes.count, Self.mayBeginName(bytes[index]) else { throw .malformed }
        let name = bytes[index...].prefix(while: Self.isOfName)
        index = name.endIndex
        return name
    }

    private static func mayBeginName(_ byte: UInt8) -> Bool {
        byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z") || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: ":") || byte >= 0x80
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        mayBeginName(byte) || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    @discardableResult
    private mutating func skipSpace() -> Bool {
        let start = index
        while index < bytes.count, Self.isSpace(bytes[index]) { index += 1 }
        return index > start
    }

    private mutating func expect(_ sign: StaticString) throws(XMLReaderError) {
        guard isAt(sign) else { throw .malformed }
        index += sign.utf8CodeUnitCount
    }

    private func isAt(_ sign: StaticString) -> Bool {
        guard bytes.count - index >= sign.utf8CodeUnitCount else { return false }
        return sign.withUTF8Buffer { sign in
            for offset in sign.indices where bytes[index + offset] != sign[offset] { return false }
            return true
        }
    }
}
