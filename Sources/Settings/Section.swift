import WireFormats

/// A table of the configuration while it is read. Every key that is asked for counts as known; ``finish(_:)``
/// reports the rest. A value of the wrong kind is reported and reads as absent.
final class Section {
    let reader: ConfigurationReader
    let origin: Origin
    private let entries: [String: SourcedValue]
    private var known: [String] = []
    private var inherited: Set<String> = []

    init(_ entries: [String: SourcedValue], at origin: Origin, reader: ConfigurationReader) {
        self.entries = entries
        self.origin = origin
        self.reader = reader
    }

    // MARK: - Values

    /// The value of a key, whatever it is.
    func value(_ name: String) -> SourcedValue? {
        if !known.contains(name) { known.append(name) }
        return entries[name]
    }

    /// The keys that are there, in the order of the file: of a table whose keys are names.
    var names: [String] {
        entries.sorted { ($0.value.origin.line ?? 0, $0.key) < ($1.value.origin.line ?? 0, $1.key) }.map(\.key)
    }

    func has(_ name: String) -> Bool { value(name) != nil }

    /// Where a key is written, or would be.
    func place(of name: String) -> Origin {
        entries[name]?.origin ?? origin.appending(name)
    }

    func text(_ name: String) -> Located<String>? {
        guard let value = value(name) else { return nil }
        guard case .text(let text) = value.content else {
            wrongKind(value, expected: "a string")
            return nil
        }
        return Located(value: text, origin: value.origin)
    }

    func text(_ name: String, or standard: String) -> String {
        text(name)?.value ?? standard
    }

    /// A string that must be there and not empty.
    func required(_ name: String, _ what: String = "is required") -> Located<String>? {
        guard has(name) else {
            reader.report(what, at: place(of: name))
            return nil
        }
        guard let text = text(name) else { return nil }
        guard !text.value.isEmpty else {
            reader.report("must not be empty", at: text.origin)
            return nil
        }
        return text
    }

    func boolean(_ name: String, or standard: Bool) -> Bool {
        guard let value = value(name) else { return standard }
        guard case .boolean(let boolean) = value.content else {
            wrongKind(value, expected: "true or false")
            return standard
        }
        return boolean
    }

    func integer(_ name: String, or standard: Int, in range: ClosedRange<Int>) -> Int {
        guard let value = value(name) else { return standard }
        guard case .integer(let integer) = value.content else {
            wrongKind(value, expected: "an integer")
            return standard
        }
        guard range.contains(integer) else {
            let bounds =
                range.upperBound == .max
                ? "at least \(range.lowerBound)" : "between \(range.lowerBound) and \(range.upperBound)"
            reader.report("must be \(bounds), not \(integer)", at: value.origin)
            return standard
        }
        return integer
    }

    /// A time such as "10s", longer than nothing and at most a year.
    func duration(_ name: String, or standard: Duration) -> Duration {
        guard let value = value(name) else { return standard }
        if case .integer(let count) = value.content {
            reader.report(
                "must be a time with its unit, not an integer",
                at: value.origin,
                suggestion: "write \"\(count)s\""
            )
            return standard
        }
        guard let text = text(name) else { return standard }
        guard let duration = Durations.parse(text.value), duration > .zero, duration <= .seconds(366 * 86_400) else {
            reader.report(
                "\(quoted(text.value)) is not a time between 1 ms and a year",
                at: text.origin,
                suggestion: "write it like \"\(Durations.render(standard))\" (ms, s, m, h, d)"
            )
            return standard
        }
        return duration
    }

    /// A number of bytes such as "32KiB", or an integer that counts bytes.
    func size(_ name: String, or standard: Int64, in range: ClosedRange<Int64>) -> Int64 {
        guard let value = value(name) else { return standard }
        let bytes: Int64
        switch value.content {
        case .integer(let count): bytes = Int64(count)
        case .text(let text):
            guard let parsed = Sizes.parse(text) else {
                reader.report(
                    "\(quoted(text)) is not a size",
                    at: value.origin,
                    suggestion: "write it like \"\(Sizes.render(standard))\" (B, KiB, MiB, GiB, TiB)"
                )
                return standard
            }
            bytes = parsed
        default:
            wrongKind(value, expected: "a size such as \"\(Sizes.render(standard))\"")
            return standard
        }
        guard range.contains(bytes) else {
            reader.report(
                "must be between \(Sizes.render(range.lowerBound)) and \(Sizes.render(range.upperBound))",
                at: value.origin
            )
            return standard
        }
        return bytes
    }

    /// One of the names of an enumeration.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: String, or standard: Choice) -> Choice {
        guard let text = text(name) else { return standard }
        return choice(text) ?? standard
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(_ text: Located<String>) -> Choice? {
        if let choice = Choice(rawValue: text.value) { return choice }
        let names = Choice.allCases.map(\.rawValue)
        reader.report(
            "\(quoted(text.value)) is none of \(names.map(quoted).joined(separator: ", "))",
            at: text.origin,
            suggestion: NearestName.find(for: text.value, among: names).map { "did you mean \(quoted($0))?" }
        )
        return nil
    }

    /// An array of strings; nil where there is none.
    func texts(_ name: String) -> [Located<String>]? {
        guard let value = value(name) else { return nil }
        guard case .array(let elements) = value.content else {
            var suggestion: String?
            if case .text(let text) = value.content { suggestion = "write [\(quoted(text))]" }
            wrongKind(value, expected: "an array of strings", suggestion: suggestion)
            return nil
        }
        return elements.compactMap { element in
            guard case .text(let text) = element.content else {
                wrongKind(element, expected: "a string")
                return nil
            }
            return Located(value: text, origin: element.origin)
        }
    }

    /// A string in some notation; `expected` completes the sentence "must be ...".
    func parsed<Value>(_ name: String, expected: String, _ parse: (String) -> Value?) -> Value? {
        guard let text = text(name) else { return nil }
        guard let value = parse(text.value) else {
            reader.report("\(quoted(text.value)) is not \(expected)", at: text.origin)
            return nil
        }
        return value
    }

    /// Text that may be given as `env:NAME` or `file:PATH`, resolved; not empty.
    func resolved(_ name: String) -> Located<String>? {
        guard let text = text(name) else { return nil }
        guard let value = reader.resolve(text.value, at: text.origin) else { return nil }
        guard !value.isEmpty else {
            reader.report("must not be empty", at: text.origin)
            return nil
        }
        return Located(value: value, origin: text.origin)
    }

    func secret(_ name: String) -> Secret<String>? {
        resolved(name).map { Secret($0.value) }
    }

    // MARK: - Tables within

    /// A table; an empty one where it is absent.
    func section(_ name: String) -> Section {
        guard let value = value(name) else { return Section([:], at: origin.appending(name), reader: reader) }
        guard case .table(let entries) = value.content else {
            wrongKind(value, expected: "a table", suggestion: "write [\(place(of: name).path)]")
            return Section([:], at: value.origin, reader: reader)
        }
        return Section(entries, at: value.origin, reader: reader)
    }

    /// An array of tables; `single` says whether one table may stand for an array of one.
    func sections(_ name: String, single: SingleTable = .refused) -> [Section] {
        guard let value = value(name) else { return [] }
        switch value.content {
        case .array(let elements):
            return elements.compactMap { element in
                guard case .table(let entries) = element.content else {
                    wrongKind(element, expected: "a table")
                    return nil
                }
                return Section(entries, at: element.origin, reader: reader)
            }
        case .table(let entries) where single == .accepted:
            return [Section(entries, at: value.origin, reader: reader)]
        default:
            wrongKind(value, expected: "an array of tables", suggestion: "write [[\(name)]]")
            return []
        }
    }

    enum SingleTable { case accepted, refused }

    /// This table with the keys of `other` added that it does not have itself: options inherited from an account.
    /// What is left over of those was reported there.
    func inheriting(from other: Section, except names: [String] = []) -> Section {
        let inherited = other.entries.filter { entries[$0.key] == nil && !names.contains($0.key) }
        let section = Section(entries.merging(inherited) { own, _ in own }, at: origin, reader: reader)
        section.inherited = Set(inherited.keys)
        return section
    }

    // MARK: - What is left

    /// Reports the keys nobody asked for. `explained` maps such a key to what there is to say about it.
    func finish(_ explained: [String: String] = [:]) {
        for (name, value) in entries.sorted(by: { ($0.value.origin.line ?? 0) < ($1.value.origin.line ?? 0) })
        where !known.contains(name) && !inherited.contains(name) {
            if let explanation = explained[name] {
                reader.report(explanation, at: value.origin)
                continue
            }
            let nearest = NearestName.find(for: name, among: known)
            reader.report(
                "unknown key",
                at: value.origin,
                suggestion: nearest.map { "did you mean \(quoted($0))?" }
                    ?? KnownKeys.home(of: name).map { "\(quoted(name)) belongs in \($0)" }
            )
        }
    }

    func wrongKind(_ value: SourcedValue, expected: String, suggestion: String? = nil) {
        reader.report("must be \(expected), not \(value.kind)", at: value.origin, suggestion: suggestion)
    }
}

/// Text of the configuration as a message quotes it: cut to 80 characters, without control characters.
package func quoted(_ text: String) -> String {
    let shown = String(
        String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : $0 })
    )
    return "\"" + (shown.count > 80 ? shown.prefix(80) + "..." : shown) + "\""
}
