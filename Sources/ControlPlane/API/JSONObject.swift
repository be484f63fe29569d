package import WireFormats

/// The members of a JSON object that was found to have its shape.
package struct JSONObject: Sendable {
    private let members: [(name: String, value: StrictJSON)]

    /// Nil for what is no object.
    package init?(_ value: StrictJSON) {
        guard case .object(let members) = value else { return nil }
        self.members = members
    }

    package init() { members = [] }

    /// As one line of JSON.
    package var rendered: String { String(decoding: StrictJSON.object(members).text, as: UTF8.self) }

    package subscript(name: String) -> StrictJSON? { members.first { $0.name == name }?.value }

    package func has(_ name: String) -> Bool { self[name] != nil }

    package func text(_ name: String) -> String? {
        guard case .string(let text) = self[name] else { return nil }
        return text
    }

    package func integer(_ name: String) -> Int64? {
        guard case .number(let number) = self[name] else { return nil }
        return Self.integer(number)
    }

    package func boolean(_ name: String) -> Bool? {
        guard case .bool(let value) = self[name] else { return nil }
        return value
    }

    /// As ``JSONShape/duration`` takes them.
    package func duration(_ name: String) -> Duration? {
        switch self[name] {
        case .string(let text): Durations.parse(text)
        case .number(let number): Self.integer(number).map { .seconds($0) }
        default: nil
        }
    }

    package func instant(_ name: String) -> Instant? {
        text(name).flatMap { Timestamp.parseISO8601(Array($0.utf8)) }
    }

    package func object(_ name: String) -> JSONObject? { self[name].flatMap(JSONObject.init) }

    package func objects(_ name: String) -> [JSONObject]? {
        guard case .array(let elements) = self[name] else { return nil }
        return elements.compactMap(JSONObject.init)
    }

    package func texts(_ name: String) -> [String]? {
        guard case .array(let elements) = self[name] else { return nil }
        return elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
    }

    /// The texts of a map.
    package func entries(_ name: String) -> [(name: String, value: String)]? {
        guard case .object(let members) = self[name] else { return nil }
        return members.compactMap { member in
            if case .string(let text) = member.value { (member.name, text) } else { nil }
        }
    }

    /// A number without a fraction: `1.0` is one, as JSON Schema has it.
    static func integer(_ text: String) -> Int64? {
        if let whole = Int64(text) { return whole }
        guard let number = Double(text), number.magnitude < 9_007_199_254_740_992 else { return nil }
        return Int64(exactly: number)
    }
}

extension StrictJSON {
    /// An object without the members that are nil.
    package static func object(of members: [(String, StrictJSON?)]) -> StrictJSON {
        .object(members.compactMap { name, value in value.map { (name: name, value: $0) } })
    }

    package static func integer(_ value: Int64) -> StrictJSON { .number(String(value)) }

    /// As `2027-01-01T00:00:00Z`.
    package static func instant(_ instant: Instant) -> StrictJSON { .string(Timestamp.iso8601(instant)) }
}
