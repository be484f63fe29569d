/// Why a policy document is not accepted: where, as a path into the document (`$.Statement[0].Action`), and what.
package struct PolicyLoadError: Error, Hashable, Sendable, CustomStringConvertible {
    package let path: String
    package let message: String

    init(_ path: String, _ message: String) {
        self.path = path
        self.message = message
    }

    package var description: String { path + ": " + message }
}
