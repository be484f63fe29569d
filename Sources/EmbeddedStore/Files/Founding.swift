#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What opening a store made where nothing was, so that one that was opened for nothing leaves nothing.
struct Founding: Sendable {
    private enum Made {
        case folder(String)
        case file(String)
    }

    /// In the order in which it was made.
    private var made: [Made] = []
    /// Whether there was no store before.
    private(set) var isNew = false

    mutating func makeFolder(_ path: String) throws(FileFailure) {
        if try SystemDirectory.make(path) { made.append(.folder(path)) }
    }

    mutating func makeFile(_ path: String) throws(FileFailure) {
        if try SystemFile.ensure(path) { made.append(.file(path)) }
    }

    /// The index, without which there is no store. SQLite puts two more files beside it.
    mutating func makeIndex(_ path: String) throws(FileFailure) {
        guard try SystemFile.ensure(path) else { return }
        isNew = true
        made += [.file(path + "-wal"), .file(path + "-shm"), .file(path)]
    }

    /// Removes what was made; folders only where nothing else is in them by now.
    func undo() {
        for each in made.reversed() {
            switch each {
            case .folder(let path): _ = rmdir(path)
            case .file(let path): _ = unlink(path)
            }
        }
    }
}
