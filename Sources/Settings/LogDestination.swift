/// Where lines of a log go.
package enum LogDestination: Hashable, Sendable, CustomStringConvertible {
    /// `""`
    case nowhere
    /// `"-"`
    case standardOutput
    /// Where the configuration's path is relative to the working directory, so is this one.
    case file(String)

    /// - Parameter file: where a path leads.
    init(_ path: Located<String>, _ file: (Located<String>) -> String) {
        switch path.value {
        case "": self = .nowhere
        case "-": self = .standardOutput
        default: self = .file(file(path))
        }
    }

    package var description: String {
        switch self {
        case .nowhere: ""
        case .standardOutput: "-"
        case .file(let path): path
        }
    }
}
