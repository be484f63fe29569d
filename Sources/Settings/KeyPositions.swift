/// On which line every key of a TOML document is written.
///
/// TOMLKit says where a syntax error is, but not where a value came from; this scanner adds that. It reads the
/// structure of TOML 1.0 (headers, dotted, quoted and inline keys, all four kinds of string, comments, nested arrays)
/// and no values. It is meant for documents that TOMLKit has accepted: of others it tells what it could make out and
/// stops, without ever trapping.
package struct KeyPositions: Sendable {
    /// The first line, counted from 1, on which each key or element is written. Tables that a header or a dotted key
    /// only implies are listed with that line.
    package private(set) var lines: [KeyPath: Int] = [:]

    /// Lines with an escape for the character NUL, which cannot pass through the C strings of the parser.
    package private(set) var linesWithNUL: [Int] = []

    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    /// How many elements each array of tables has so far.
    private var elements: [KeyPath: Int] = [:]
    private var depth = 0

    private static let deepestNesting = 200

    package init(scanning document: some Collection<UInt8>) {
        bytes = Array(document)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        var table = KeyPath.root
        while skipBlankLines() {
            if current == UInt8(ascii: "[") {
                guard let header = scanHeader() else { return }
                table = header
            } else {
                guard scanPair(in: table) else { return }
            }
        }
    }

    // MARK: - Headers and pairs

    /// `[a.b]` or `[[a.b]]`: the table that following pairs belong to.
    private mutating func scanHeader() -> KeyPath? {
        let startLine = line
        position += 1
        let isElement = current == UInt8(ascii: "[")
        if isElement { position += 1 }
        guard let keys = scanKeys(), let last = keys.last else { return nil }
        guard skip(UInt8(ascii: "]")) else { return nil }
        if isElement { guard skip(UInt8(ascii: "]")) else { return nil } }

        var path = KeyPath.root
        for key in keys.dropLast() {
            path = latestElement(of: path.appending(key), line: startLine)
        }
        path = path.appending(last)
        guard isElement else {
            let table = latestElement(of: path, line: startLine)
            return table
        }
        note(path, line: startLine)
        let index = elements[path, default: 0]
        elements[path] = index + 1
        path = path.appending(index)
        note(path, line: startLine)
        return path
    }

    /// The table at `path`, or the element last opened where `path` is an array of tables.
    private mutating func latestElement(of path: KeyPath, line: Int) -> KeyPath {
        note(path, line: line)
        guard let count = elements[path] else { return path }
        return path.appending(count - 1)
    }

    /// `a.b = value`, also inside an inline table.
    private mutating func scanPair(in table: KeyPath) -> Bool {
        let startLine = line
        guard let keys = scanKeys(), !keys.isEmpty else { return false }
        var path = table
        for key in keys {
            path = path.appending(key)
            note(path, line: startLine)
        }
        guard skip(UInt8(ascii: "=")) else { return false }
        skipSpaces()
        return scanValue(at: path)
    }

    private mutating func note(_ path: KeyPath, line: Int) {
        if lines[path] == nil { lines[path] = line }
    }

    // MARK: - Keys

    private mutating func scanKeys() -> [String]? {
        var keys: [String] = []
        while true {
            skipSpaces()
            guard let key = scanKey() else { return nil }
            keys.append(key)
            skipSpaces()
            guard current == UInt8(ascii: ".") else { return keys }
            position += 1
        }
    }

    private mutating func scanKey() -> String? {
        switch current {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return scanString()
        default: break
        }
        let start = position
        while let byte = current, !Self.endsBareKey(byte) { position += 1 }
        guard position > start else { return nil }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static func endsBareKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "."),
            UInt8(ascii: "="), UInt8(ascii: "]"), UInt8(ascii: "["), UInt8(ascii: "#"), UInt8(ascii: ","),
            UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "\""), UInt8(ascii: "'"):
            true
        default: false
        }
    }

    // MARK: - Values

    private mutating func scanValue(at path: KeyPath) -> Bool {
        switch current {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            return scanString() != nil
        case UInt8(ascii: "["):
            return nested { $0.scanArray(at: path) }
        case UInt8(ascii: "{"):
            return nested { $0.scanInlineTable(at: path) }
        default:
            // A number, a boolean or an instant (which may hold a space): up to what can end a value.
            while let byte = current, !Self.endsPlainValue(byte) { position += 1 }
            return true
        }
    }

    private mutating func nested(_ scan: (inout KeyPositions) -> Bool) -> Bool {
        guard depth < Self.deepestNesting else { return false }
        depth += 1
        defer { depth -= 1 }
        position += 1
        return scan(&self)
    }

    private static func endsPlainValue(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "#"), UInt8(ascii: ","), UInt8(ascii: "]"),
            UInt8(ascii: "}"):
            true
        default: false
        }
    }

    private mutating func scanArray(at path: KeyPath) -> Bool {
        var index = 0
        while skipBlankLines() {
            if current == UInt8(ascii: "]") {
                position += 1
                return true
            }
            if current == UInt8(ascii: ",") {
                position += 1
                continue
            }
            let before = position
            let element = path.appending(index)
            note(element, line: line)
            guard scanValue(at: element), position > before else { return false }
            index += 1
        }
        return false
    }

    private mutating func scanInlineTable(at path: KeyPath) -> Bool {
        while skipBlankLines() {
            if current == UInt8(ascii: "}") {
                position += 1
                return true
            }
            if current == UInt8(ascii: ",") {
                position += 1
                continue
            }
            guard scanPair(in: path) else { return false }
        }
        return false
    }

    // MARK: - Strings

    /// Any of the four kinds of string: its text, or nil where it has no end.
    private mutating func scanString() -> String? {
        guard let quote = current else { return nil }
        let isBasic = quote == UInt8(ascii: "\"")
        let isMultiline = peek(1) == quote && peek(2) == quote
        position += isMultiline ? 3 : 1
        var text: [UInt8] = []
        while let byte = current {
            if byte == quote {
                if !isMultiline {
                    position += 1
                    return String(decoding: text, as: UTF8.self)
                }
                if peek(1) == quote, peek(2) == quote {
                    position += 3
                    // Up to two more quotes may stand at the very end of the text itself.
                    while current == quote {
                        text.append(quote)
                        position += 1
                    }
                    return String(decoding: text, as: UTF8.self)
                }
            } else if byte == UInt8(ascii: "\n") {
                guard isMultiline else { return nil }
                line += 1
            } else if byte == UInt8(ascii: "\\"), isBasic {
                scanEscape(into: &text)
                continue
            }
            text.append(byte)
            position += 1
        }
        return nil
    }

    private mutating func scanEscape(into text: inout [UInt8]) {
        position += 1
        guard let byte = current else { return }
        position += 1
        switch byte {
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "e"): text.append(0x1B)
        case UInt8(ascii: "x"): scanHexEscape(digits: 2, into: &text)
        case UInt8(ascii: "u"): scanHexEscape(digits: 4, into: &text)
        case UInt8(ascii: "U"): scanHexEscape(digits: 8, into: &text)
        case UInt8(ascii: "\n"): line += 1
        default: text.append(byte)
        }
    }

    private mutating func scanHexEscape(digits: Int, into text: inout [UInt8]) {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let byte = current, let digit = Character(UnicodeScalar(byte)).hexDigitValue else { return }
            value = value &* 16 &+ UInt32(digit)
            position += 1
        }
        if value == 0 { linesWithNUL.append(line) }
        guard let scalar = UnicodeScalar(value) else { return }
        text.append(contentsOf: Array(String(scalar).utf8))
    }

    // MARK: - Moving on

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func peek(_ offset: Int) -> UInt8? {
        position + offset < bytes.count ? bytes[position + offset] : nil
    }

    private mutating func skipSpaces() {
        while current == UInt8(ascii: " ") || current == UInt8(ascii: "\t") { position += 1 }
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        skipSpaces()
        guard current == byte else { return false }
        position += 1
        return true
    }

    /// Passes over spaces, line ends and comments; false at the end of the document.
    private mutating func skipBlankLines() -> Bool {
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\n"):
                line += 1
                position += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
                position += 1
            case UInt8(ascii: "#"):
                while let next = current, next != UInt8(ascii: "\n") { position += 1 }
            default:
                return true
            }
        }
        return false
    }
}
