import WireFormats

/// One condition of a statement: an operator, a key, and the values of which one must fit.
struct PolicyCondition: Sendable {
    private enum Test: Sendable {
        case text([PolicyPattern])
        case number([Double])
        case date([Instant])
        case flag(Bool)
        case address([CIDR])
        case absence(Bool)
    }

    private let key: ConditionKey
    private let `operator`: ConditionOperator
    private let test: Test

    /// The conditions of a `Condition` element: `{"StringEquals": {"s3:prefix": ["", "home/"]}}`.
    static func all(_ element: PolicyElement) throws(PolicyLoadError) -> [PolicyCondition] {
        var conditions: [PolicyCondition] = []
        for (name, tests) in try element.members() {
            guard let known = ConditionOperator(named: name) else {
                throw PolicyLoadError(tests.path, "unknown or unsupported condition operator")
            }
            let members = try tests.members()
            guard !members.isEmpty else { throw PolicyLoadError(tests.path, "the operator compares nothing") }
            var keys: Set<ConditionKey> = []
            for (name, values) in members {
                guard let key = ConditionKey(named: name) else {
                    throw PolicyLoadError(values.path, "unknown condition key")
                }
                guard keys.insert(key).inserted else { throw PolicyLoadError(values.path, "given twice") }
                conditions.append(try PolicyCondition(known, key, values))
            }
        }
        return conditions
    }

    private init(
        _ known: ConditionOperator,
        _ key: ConditionKey,
        _ element: PolicyElement
    ) throws(PolicyLoadError) {
        guard known.family == .null || key.families.contains(known.family) else {
            throw PolicyLoadError(element.path, "this operator does not compare values of \(key.rawValue)")
        }
        self.operator = known
        self.key = key
        test = try Self.test(known, element)
    }

    /// Whether it may hold for one key of a batch and not for another.
    var differsByObject: Bool { key == .versionID || key == .ifMatch }

    /// Whether the condition holds. Absent keys: `…IfExists` and ForAllValues hold, ForAnyValue doesn't; otherwise
    /// negated operators hold and the others don't (IAM User Guide, "Condition operators").
    func holds(for question: AccessQuestion, _ values: (RequestValue) -> [[UInt8]]) -> Ternary {
        let value = question.value(of: key, values)
        if case .unknown = value { return .unknown }
        // Of a header that was sent twice, nobody knows which one the store will believe.
        if case .texts(let texts) = value, texts.count > 1, self.operator.quantifier == .single,
            self.operator.family != .null
        {
            return .unknown
        }
        if case .absence(let expected) = test {
            if case .absent = value { return Ternary(expected) }
            return Ternary(!expected)
        }
        let fits: [Ternary]
        switch value {
        case .absent: fits = []
        case .unknown: return .unknown
        case .texts(let texts): fits = texts.map { compare($0, question, values) }
        case .instant(let now): fits = [compare(now)]
        case .flag(let flag): fits = [compare(flag)]
        case .address(let address): fits = [compare(address)]
        }
        if fits.isEmpty, self.operator.ifExists { return .yes }
        let results = self.operator.isNegated ? fits.map { !$0 } : fits
        switch self.operator.quantifier {
        case .allValues: return results.reduce(.yes) { $0 && $1 }
        case .anyValue: return results.reduce(.no) { $0 || $1 }
        case .single: return results.first ?? Ternary(self.operator.isNegated)
        }
    }

    private func compare(
        _ text: [UInt8],
        _ question: AccessQuestion,
        _ values: (RequestValue) -> [[UInt8]]
    ) -> Ternary {
        switch test {
        case .text(let patterns):
            var unresolved = false
            for pattern in patterns {
                switch pattern.matches(text, { question.variable($0, values) }) {
                case .yes: return .yes
                case .unresolved: unresolved = true
                case .no: continue
                }
            }
            // Nothing equals what has no value; whether something differs from it is not known.
            return unresolved && self.operator.isNegated ? .unknown : .no
        case .number(let numbers):
            guard let number = Self.number(String(decoding: text, as: UTF8.self)) else { return .unknown }
            return Ternary(numbers.contains { self.operator.comparison.holds(number, $0) })
        case .date, .flag, .address, .absence:
            return .unknown
        }
    }

    private func compare(_ now: Instant) -> Ternary {
        switch test {
        case .date(let instants): Ternary(instants.contains { self.operator.comparison.holds(now, $0) })
        case .number(let numbers):
            Ternary(numbers.contains { self.operator.comparison.holds(Double(now.secondsSince1970), $0) })
        case .text, .flag, .address, .absence: .unknown
        }
    }

    private func compare(_ flag: Bool) -> Ternary {
        guard case .flag(let expected) = test else { return .unknown }
        return Ternary(flag == expected)
    }

    private func compare(_ address: IPAddress) -> Ternary {
        guard case .address(let ranges) = test else { return .unknown }
        return Ternary(ranges.contains { $0.contains(address) })
    }

    // MARK: Compiling

    private static func test(
        _ known: ConditionOperator,
        _ element: PolicyElement
    ) throws(PolicyLoadError) -> Test {
        switch known.family {
        case .string:
            let wildcards: PolicyPattern.Wildcards = known.comparison == .like ? .starAndQuestionMark : .none
            let letters: PolicyPattern.Case = known.comparison == .equalIgnoringCase ? .insensitive : .sensitive
            return .text(
                try values(element) { (text, path) throws(PolicyLoadError) in
                    try PolicyPattern(text, wildcards: wildcards, case: letters, at: path)
                }
            )
        case .numeric:
            return .number(try values(element, "a decimal number", number))
        case .date:
            return .date(try values(element, "a date like 2027-01-01T00:00:00Z, or seconds since 1970", date))
        case .address:
            return .address(try values(element, "an address or a range like 203.0.113.0/24") { CIDR($0) })
        case .bool:
            return .flag(try flag(element))
        case .null:
            return .absence(try flag(element))
        }
    }

    private static func flag(_ element: PolicyElement) throws(PolicyLoadError) -> Bool {
        let flags = try values(element, "true or false") { $0 == "true" ? true : $0 == "false" ? false : nil }
        guard let flag = flags.first, flags.count == 1 else {
            throw PolicyLoadError(element.path, "one value is expected: true or false")
        }
        return flag
    }

    private static func values<Value>(
        _ element: PolicyElement,
        _ what: String,
        _ read: (String) -> Value?
    ) throws(PolicyLoadError) -> [Value] {
        try values(element) { (text, path) throws(PolicyLoadError) in
            guard let value = read(text) else { throw PolicyLoadError(path, "'\(text)' is not \(what)") }
            return value
        }
    }

    private static func values<Value>(
        _ element: PolicyElement,
        _ read: (_ text: String, _ path: String) throws(PolicyLoadError) -> Value
    ) throws(PolicyLoadError) -> [Value] {
        var result: [Value] = []
        for element in try element.oneOrMore() { result.append(try read(try element.scalar(), element.path)) }
        return result
    }

    /// A decimal number, without exponent.
    private static func number(_ text: String) -> Double? {
        let digits = text.utf8.drop { $0 == UInt8(ascii: "-") }
        guard !digits.isEmpty, text.utf8.count <= 32, text.utf8.count - digits.count <= 1,
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: ".") })
        else { return nil }
        return Double(text)
    }

    /// RFC 3339, a day (its beginning in UTC), or seconds since 1970.
    private static func date(_ text: String) -> Instant? {
        if let seconds = Int64(text) { return Instant(secondsSince1970: seconds) }
        return Timestamp.parseISO8601(text.utf8.count == 10 ? Array((text + "T00:00:00Z").utf8) : Array(text.utf8))
    }
}
