/// What a configuration is read from: files and the environment. A port, so that everything else here is pure.
package protocol ConfigurationSource: Sendable {
    /// The content of the file at `path`; the thrown text says why there is none ("no such file").
    func read(_ path: String) throws(SourceFailure) -> [UInt8]

    /// The value of an environment variable; nil where it is not set.
    func environment(_ name: String) -> String?

    /// The files whose path matches a shell pattern (`*`, `?`, `[...]`; POSIX glob), in any order.
    func files(matching pattern: String) -> [String]
}

/// Why a file could not be read.
package struct SourceFailure: Error, Hashable, Sendable {
    package let reason: String

    package init(reason: String) {
        self.reason = reason
    }
}

/// Paths as text: enough to find a file named beside another one.
enum FilePath {
    /// `path` as seen from the folder of `file`, unless it is absolute.
    static func resolve(_ path: String, besides file: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return file[...slash] + path
    }
}
