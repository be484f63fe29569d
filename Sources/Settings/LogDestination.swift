/// Where lines of a log go.
package enum LogDestination: Hashable, Sendable, CustomStringConvertible {
    /// `""`
    case nowhere
    /// `"-"`
    case standardOutput
    /// As written: relative to the working directory.
    case file(String)

    init(_ path: String) {
        switch path {
        case "": self = .nowhere
        case "-": self = .standardOutput
        default: self = .file(path)
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
