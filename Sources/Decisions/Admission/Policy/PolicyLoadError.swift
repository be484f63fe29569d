/// Why a policy document is not accepted: where, as a path into the document (`$.Statement[0].Action`), and what.
public struct PolicyLoadError: Error, Hashable, Sendable, CustomStringConvertible {
    public let path: String
    public let message: String

    init(_ path: String, _ message: String) {
        self.path = path
        self.message = message
    }

    public var description: String { path + ": " + message }
}
