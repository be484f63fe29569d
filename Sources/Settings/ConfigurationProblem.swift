/// One thing that is wrong with a configuration: where, what, and what would be right.
package struct ConfigurationProblem: Error, Hashable, Sendable {
    package enum Severity: String, Sendable {
        /// The configuration cannot be used.
        case error
        /// It can, but hardly means what its author thinks.
        case warning
    }

    package let severity: Severity
    package let origin: Origin
    /// A sentence without its full stop; never the value of a secret.
    package let message: String
    /// What to write instead, where there is a good guess.
    package let suggestion: String?

    init(severity: Severity = .error, origin: Origin, message: String, suggestion: String? = nil) {
        self.severity = severity
        self.origin = origin
        self.message = message
        self.suggestion = suggestion
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    /// One line for people and for editors that jump to `file:line:`.
    package var description: String {
        var text = origin.file
        if let line = origin.line { text += ":\(line)" }
        text += ": "
        if severity == .warning { text += "warning: " }
        if !origin.path.components.isEmpty { text += "\(origin.path): " }
        text += message
        if let suggestion { text += "; " + suggestion }
        return text
    }

    /// An object with `severity`, `file`, `line`, `key`, `message` and `suggestion`; what is unknown is null.
    package var json: JSONValue {
        .object([
            ("severity", .text(severity.rawValue)),
            ("file", .text(origin.file)),
            ("line", origin.line.map { .integer(Int64($0)) } ?? .null),
            ("key", origin.path.components.isEmpty ? .null : .text(origin.path.description)),
            ("message", .text(message)),
            ("suggestion", suggestion.map { .text($0) } ?? .null),
        ])
    }
}

extension Sequence<ConfigurationProblem> {
    /// The problems as a user meets them going through each file, files in order of first mention.
    package func inReadingOrder() -> [ConfigurationProblem] {
        var files: [String: Int] = [:]
        for problem in self where files[problem.origin.file] == nil {
            files[problem.origin.file] = files.count
        }
        return enumerated().sorted { left, right in
            let leftKey = (files[left.element.origin.file] ?? 0, left.element.origin.line ?? .max, left.offset)
            let rightKey = (files[right.element.origin.file] ?? 0, right.element.origin.line ?? .max, right.offset)
            return leftKey < rightKey
        }
        .map(\.element)
    }
}
