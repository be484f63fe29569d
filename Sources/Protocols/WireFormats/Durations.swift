/// Spans of time as people write them: `200ms`, `10s`, `5m`, `1h`, `30d`.
public enum Durations {
    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// A whole number and one unit; nil for a bare number, fractions, signs, unknown units and overflow.
    public static func parse(_ text: String) -> Duration? {
        let digits = text.utf8.prefix { $0 &- UInt8(ascii: "0") < 10 }
        guard !digits.isEmpty, let count = Int64(Substring(digits)),
            let unit = units.first(where: { $0.suffix == text[digits.endIndex...] })
        else { return nil }
        let (milliseconds, overflow) = count.multipliedReportingOverflow(by: unit.milliseconds)
        return overflow ? nil : .milliseconds(milliseconds)
    }

    /// The largest unit that divides the duration (whole milliseconds): ``parse(_:)`` reads it back unchanged.
    public static func render(_ duration: Duration) -> String {
        let milliseconds = duration.saturatingNanoseconds / 1_000_000
        guard milliseconds != 0, let unit = units.last(where: { milliseconds % $0.milliseconds == 0 }) else {
            return "0s"
        }
        return String(milliseconds / unit.milliseconds) + unit.suffix
    }
}
