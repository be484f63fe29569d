/// Rows for people: columns as wide as what is in them, and nothing in them that a terminal would obey.
struct TextTable {
    private var rows: [[String]]

    init(_ titles: [String]) { rows = [titles] }

    var isEmpty: Bool { rows.count == 1 }

    mutating func append(_ row: [String]) { rows.append(row.map(Self.shown)) }

    /// A control character, or one that changes the direction of writing, as its code.
    static func shown(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse:
                "\\u{" + String(scalar.value, radix: 16) + "}"
            default: String(scalar)
            }
        }.joined()
    }

    var text: String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], cell.count)
            }
        }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
            }
            return cells.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
