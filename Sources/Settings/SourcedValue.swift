/// A value of a configuration file together with the place where it is written.
struct SourcedValue: Sendable {
    enum Content: Sendable {
        case text(String)
        case integer(Int)
        case number(Double)
        case boolean(Bool)
        /// A TOML date or time in the notation of RFC 3339, as far as it was given.
        case instant(String)
        case array([SourcedValue])
        case table([String: SourcedValue])
    }

    var content: Content
    let origin: Origin

    /// The kind of value in a user's words, with its article.
    var kind: String {
        switch content {
        case .text: "a string"
        case .integer: "an integer"
        case .number: "a number"
        case .boolean: "a boolean"
        case .instant: "a date"
        case .array: "an array"
        case .table: "a table"
        }
    }
}

/// Where in which file something is written.
package struct Origin: Hashable, Sendable {
    /// The file's name as the reader of a message knows it: as given on the command line, or found by an `include`.
    package let file: String
    /// Counted from 1; nil for what is not written anywhere, such as a missing key of a missing section.
    package let line: Int?
    package let path: KeyPath

    func appending(_ key: String) -> Origin {
        Origin(file: file, line: line, path: path.appending(key))
    }
}

/// A value that remembers where it was written, for problems found later.
package struct Located<Value: Sendable>: Sendable {
    package let value: Value
    package let origin: Origin
}
