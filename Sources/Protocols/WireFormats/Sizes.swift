/// Byte counts as people write them: `100`, `32KiB`, `1MB`, `5TiB`. Binary units are powers of 1024, decimal ones of
/// 1000 (IEC 80000-13).
public enum Sizes {
    private static let units: [(suffix: String, bytes: Int64)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000), ("kB", 1000), ("B", 1),
    ]

    /// A whole number and a unit, a space between them at most; nil for fractions, signs, unknown units and overflow.
    public static func parse(_ text: String) -> Int64? {
        let digits = text.utf8.prefix { $0 &- UInt8(ascii: "0") < 10 }
        guard !digits.isEmpty, let count = Int64(Substring(digits)) else { return nil }
        var suffix = text[digits.endIndex...]
        if suffix.isEmpty { return count }
        if suffix.first == " " { suffix = suffix.dropFirst() }
        guard let unit = units.first(where: { $0.suffix == suffix }) else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: unit.bytes)
        return overflow ? nil : bytes
    }

    /// The largest binary unit that divides the count, else plain bytes: ``parse(_:)`` reads it back unchanged.
    public static func render(_ bytes: Int64) -> String {
        guard bytes > 0, let unit = units.prefix(4).first(where: { bytes % $0.bytes == 0 }) else {
            return String(bytes)
        }
        return String(bytes / unit.bytes) + unit.suffix
    }
}
