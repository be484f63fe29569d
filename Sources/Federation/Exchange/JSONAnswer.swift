import WireFormats

/// An answer that is a JSON object, read strictly: a member counts where it has the kind that it must have.
struct JSONAnswer {
    private let members: [(name: String, value: StrictJSON)]

    /// Nil where it is none.
    init?(_ body: [UInt8]) {
        guard let document = try? StrictJSON(parsing: body) else { return nil }
        self.init(document)
    }

    private init?(_ document: StrictJSON) {
        guard case .object(let members) = document else { return nil }
        self.members = members
    }

    private func value(_ name: String) -> StrictJSON? {
        members.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    func text(_ name: String) -> String? {
        guard case .string(let text)? = value(name) else { return nil }
        return text
    }

    func object(_ name: String) -> JSONAnswer? { value(name).flatMap(JSONAnswer.init) }

    /// A whole number of seconds, more than none and at most a year; some services write it as a string.
    func seconds(_ name: String) -> Duration? {
        let digits: String
        switch value(name) {
        case .number(let text)?, .string(let text)?: digits = text
        default: return nil
        }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }), let count = Int64(digits),
            (1...31_622_400).contains(count)
        else { return nil }
        return .seconds(count)
    }

    func instant(_ name: String) -> Instant? { text(name).flatMap { Timestamp.parseISO8601($0.utf8) } }

    /// A token that is sent as `Authorization: Bearer`; nil where the member is missing or could not be sent so.
    func bearer(_ name: String) -> Secret<String>? {
        guard let token = text(name), TokenShape.isToken(token, longest: 16_384) else { return nil }
        return Secret(token)
    }
}
