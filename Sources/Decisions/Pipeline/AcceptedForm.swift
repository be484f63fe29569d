import HTTP1

/// Which of two forms a client asks for with `Accept` (RFC 9110, section 12.5.1), where it asks for one of them by name.
enum AcceptedForm: Sendable {
    case xml, json

    /// More than this is read of nobody; the longest that browsers send is a quarter of it.
    private static let longest = 1024

    /// Nil where no form is named, or something else is wanted more, or a page as much: browsers name XML among all that
    /// they show. So is what can't be read with certainty.
    init?(_ fields: FieldBlock) {
        var wanted: (form: AcceptedForm, weight: Int)?
        var (others, pages, length) = (0, 0, 0)
        for entry in fields.entries where fields.isNamed(entry, "accept") {
            length += entry.value.count
            guard length <= Self.longest, !fields.value(entry).contains(UInt8(ascii: "\"")) else { return nil }
            for range in fields.value(entry).split(separator: UInt8(ascii: ",")) {
                let parts = range.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map(trimmed)
                guard let weight = Self.weight(parts.dropFirst()) else { return nil }
                let type = parts[0].map(lowered)
                let form: AcceptedForm? =
                    type.elementsEqual("application/json".utf8)
                    ? .json : type.elementsEqual("application/xml".utf8) ? .xml : nil
                if let form {
                    if weight > wanted?.weight ?? 0 { wanted = (form, weight) }
                } else if type.elementsEqual("text/html".utf8) {
                    pages = max(pages, weight)
                } else {
                    others = max(others, weight)
                }
            }
        }
        guard let wanted, wanted.weight >= others, wanted.weight > pages else { return nil }
        self = wanted.form
    }

    /// In thousandths; nil for what is no weight, or two.
    private static func weight(_ parameters: ArraySlice<ArraySlice<UInt8>>) -> Int? {
        var found: Int?
        for parameter in parameters where parameter.starts(with: "q=".utf8) || parameter.starts(with: "Q=".utf8) {
            let digits = Array(parameter.dropFirst(2))
            guard found == nil, (1...5).contains(digits.count), digits.count == 1 || digits[1] == UInt8(ascii: "."),
                digits[0] == UInt8(ascii: "0") || digits[0] == UInt8(ascii: "1")
            else { return nil }
            let fraction = digits.dropFirst(2)
            guard fraction.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
            var weight = fraction.reduce(0) { $0 * 10 + Int($1 &- 0x30) }
            for _ in fraction.count..<3 { weight *= 10 }
            weight += digits[0] == UInt8(ascii: "1") ? 1000 : 0
            guard weight <= 1000 else { return nil }
            found = weight
        }
        return found ?? 1000
    }
}
