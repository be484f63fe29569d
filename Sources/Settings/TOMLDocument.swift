import TOMLKit

/// One TOML file as values with their places, or the reasons why it is none.
struct TOMLDocument {
    let entries: [String: SourcedValue]

    /// The document in `bytes`; what is wrong with it is thrown with the line that TOMLKit or the scanner gives.
    init(parsing bytes: [UInt8], file: String) throws(ConfigurationProblem) {
        func refused(_ message: String, line: Int?) -> ConfigurationProblem {
            ConfigurationProblem(origin: Origin(file: file, line: line, path: .root), message: message)
        }
        // The parser takes a C string: a NUL would end the document unseen.
        if let index = bytes.firstIndex(of: 0) {
            throw refused("the file contains a NUL byte", line: Self.line(of: index, in: bytes))
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw refused("the file is not valid UTF-8", line: Self.lineOfInvalidUTF8(in: bytes))
        }
        let positions = KeyPositions(scanning: bytes)
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw refused("not valid TOML: " + error.description, line: error.source.begin.line)
        } catch {
            throw refused("not valid TOML", line: nil)
        }
        if let line = positions.linesWithNUL.first {
            throw refused("a value contains the character NUL", line: line)
        }
        entries = Self.entries(of: table, at: Origin(file: file, line: 1, path: .root), positions)
    }

    private static func entries(
        of table: TOMLTable,
        at origin: Origin,
        _ positions: KeyPositions
    ) -> [String: SourcedValue] {
        var entries: [String: SourcedValue] = [:]
        for key in table.keys {
            guard let value = table[key] else { continue }
            entries[key] = sourced(value, at: place(of: origin.path.appending(key), in: origin, positions), positions)
        }
        return entries
    }

    private static func sourced(
        _ value: any TOMLValueConvertible,
        at origin: Origin,
        _ positions: KeyPositions
    ) -> SourcedValue {
        SourcedValue(content: content(of: value, at: origin, positions), origin: origin)
    }

    private static func content(
        of value: any TOMLValueConvertible,
        at origin: Origin,
        _ positions: KeyPositions
    ) -> SourcedValue.Content {
        if let text = value.string { return .text(text) }
        if let integer = value.int { return .integer(integer) }
        if let boolean = value.bool { return .boolean(boolean) }
        if let number = value.double { return .number(number) }
        if let table = value.table { return .table(entries(of: table, at: origin, positions)) }
        if let array = value.array {
            return .array(
                array.enumerated().map { index, element in
                    sourced(element, at: place(of: origin.path.appending(index), in: origin, positions), positions)
                }
            )
        }
        if let dateTime = value.dateTime { return .instant(dateTime.debugDescription) }
        if let date = value.date { return .instant(date.debugDescription) }
        if let time = value.time { return .instant(time.debugDescription) }
        return .instant("")
    }

    private static func place(of path: KeyPath, in parent: Origin, _ positions: KeyPositions) -> Origin {
        Origin(file: parent.file, line: positions.lines[path] ?? parent.line, path: path)
    }

    private static func line(of index: Int, in bytes: [UInt8]) -> Int {
        bytes[..<index].count { $0 == UInt8(ascii: "\n") } + 1
    }

    private static func lineOfInvalidUTF8(in bytes: [UInt8]) -> Int? {
        var line = 1
        for text in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if String(validating: text, as: UTF8.self) == nil { return line }
            line += 1
        }
        return nil
    }
}
