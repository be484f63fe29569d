import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The files of this machine and the environment of this process.
package struct FileSystemSource: ConfigurationSource {
    /// No configuration or secret is larger; what is, is something else.
    package static let largestFile = 4 * 1024 * 1024

    package init() {}

    package func read(_ path: String) throws(SourceFailure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure() }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure() }
        // A pipe is a file too (`<(...)` of a shell), a directory is not.
        guard status.st_mode & S_IFMT != S_IFDIR else { throw SourceFailure(reason: "is a directory") }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = chunk.withUnsafeMutableBytes { Self.readOnce(descriptor, $0) }
            if count == 0 { return content }
            guard count > 0 else { throw Self.failure() }
            content.append(contentsOf: chunk[..<count])
            guard content.count <= Self.largestFile else { throw SourceFailure(reason: "is larger than 4 MiB") }
        }
    }

    package func environment(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name]
    }

    package func files(matching pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { index in
            found.gl_pathv[index].map { String(cString: $0) }
        }
    }

    private static func readOnce(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 || errno != EINTR { return count }
        }
    }

    private static func failure() -> SourceFailure {
        switch errno {
        case ENOENT: SourceFailure(reason: "no such file")
        case EACCES, EPERM: SourceFailure(reason: "may not be read by this user")
        default: SourceFailure(reason: String(cString: strerror(errno)))
        }
    }
}
