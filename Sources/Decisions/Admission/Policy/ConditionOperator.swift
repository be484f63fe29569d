/// A condition operator by its name: `StringLike`, `NumericLessThanIfExists`, `ForAnyValue:StringEquals` (IAM User
/// Guide, "IAM JSON policy elements: Condition operators").
struct ConditionOperator: Hashable, Sendable {
    enum Family: Hashable, Sendable {
        case string
        case numeric
        case date
        case bool
        case address
        case null
    }

    enum Comparison: Hashable, Sendable {
        case equal
        /// Strings only.
        case equalIgnoringCase
        /// Strings only: with wildcards.
        case like
        case less
        case lessOrEqual
        case greater
        case greaterOrEqual
    }

    /// How many of a request's values must fulfil the condition.
    enum Quantifier: Hashable, Sendable {
        /// There is only one.
        case single
        case anyValue
        /// Also fulfilled where there are none.
        case allValues
    }

    let family: Family
    let comparison: Comparison
    let isNegated: Bool
    var quantifier = Quantifier.single
    /// `…IfExists`: fulfilled where the key is absent.
    var ifExists = false

    init?(named name: String) {
        var base = Substring(name)
        var quantifier = Quantifier.single
        if base.hasPrefix("ForAnyValue:") { quantifier = .anyValue }
        if base.hasPrefix("ForAllValues:") { quantifier = .allValues }
        if quantifier != .single { base = base.drop { $0 != ":" }.dropFirst() }
        let ifExists = base.hasSuffix("IfExists")
        if ifExists { base = base.dropLast("IfExists".count) }
        guard let found = Self.named[String(base)] else { return nil }
        guard found.family != .null || quantifier == .single && !ifExists else { return nil }
        self = found
        self.quantifier = quantifier
        self.ifExists = ifExists
    }

    private init(_ family: Family, _ comparison: Comparison, negated: Bool) {
        self.family = family
        self.comparison = comparison
        isNegated = negated
    }

    private static let named: [String: ConditionOperator] = {
        var table: [String: ConditionOperator] = [
            "StringEquals": .init(.string, .equal, negated: false),
            "StringNotEquals": .init(.string, .equal, negated: true),
            "StringEqualsIgnoreCase": .init(.string, .equalIgnoringCase, negated: false),
            "StringNotEqualsIgnoreCase": .init(.string, .equalIgnoringCase, negated: true),
            "StringLike": .init(.string, .like, negated: false),
            "StringNotLike": .init(.string, .like, negated: true),
            "Bool": .init(.bool, .equal, negated: false),
            "IpAddress": .init(.address, .equal, negated: false),
            "NotIpAddress": .init(.address, .equal, negated: true),
            "Null": .init(.null, .equal, negated: false),
        ]
        for (name, family) in [("Numeric", Family.numeric), ("Date", .date)] {
            table[name + "Equals"] = .init(family, .equal, negated: false)
            table[name + "NotEquals"] = .init(family, .equal, negated: true)
            table[name + "LessThan"] = .init(family, .less, negated: false)
            table[name + "LessThanEquals"] = .init(family, .lessOrEqual, negated: false)
            table[name + "GreaterThan"] = .init(family, .greater, negated: false)
            table[name + "GreaterThanEquals"] = .init(family, .greaterOrEqual, negated: false)
        }
        return table
    }()
}

extension ConditionOperator.Comparison {
    func holds<Value: Comparable>(_ left: Value, _ right: Value) -> Bool {
        switch self {
        case .equal, .equalIgnoringCase, .like: left == right
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        }
    }
}
