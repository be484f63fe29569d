import Logging
import WireFormats

/// The files of a store: `incoming/` for what arrives, `data/00` ... `data/ff` for what the index refers to.
///
/// The order that makes a crash harmless: write `incoming/<id>`, fsync it, fsync `incoming/`, commit the index row,
/// then rename to `data/<aa>/<id>`. A file is read from either place. At start, what is left in `incoming/` is moved
/// into place where the index refers to it and removed where it does not; so a start looks at what was under way,
/// never at all the files. Removal: the row goes and the file's id enters the table `garbage` in one transaction,
/// then the file is unlinked; garbage of a crash is unlinked at the next start.
///
/// Every function blocks: run them on the store's thread pool.
struct ContentFiles: Sendable {
    private let incoming: String
    private let data: String
    private let lock: DirectoryLock

    /// Opens the store's directory, making what is missing. A directory that another process holds open is an error.
    ///
    /// - Parameter founding: is told what was made.
    init(directory: String, _ founding: inout Founding) throws(FileFailure) {
        try founding.makeFolder(directory)
        try founding.makeFile(directory + "/lock")
        lock = try SystemDirectory.lock(directory + "/lock")
        incoming = directory + "/incoming"
        data = directory + "/data"
        try founding.makeFolder(incoming)
        try founding.makeFolder(data)
        if try SystemDirectory.names(in: data).count < 256 {
            for folder in UInt8.min...UInt8.max {
                try founding.makeFolder(data + "/" + Hex.encode(CollectionOfOne(folder)))
            }
            try SystemDirectory.synchronize(data)
        }
        try SystemDirectory.synchronize(directory)
    }

    /// Lets another store have the directory.
    func unlock() { lock.release() }

    /// An empty file to write to. It is removed with ``discard(_:)`` unless it is committed.
    func create(_ id: ContentID) throws(FileFailure) -> SystemFile {
        try SystemFile.create(incomingPath(id))
    }

    /// Returns once the file's bytes and its name will survive a crash. The index may refer to it from then on.
    func makeDurable(_ file: SystemFile) throws(FileFailure) {
        try file.synchronize()
        try SystemDirectory.synchronize(incoming)
    }

    /// Moves a file that the index now refers to out of `incoming/`.
    func settle(_ id: ContentID) throws(FileFailure) {
        try SystemDirectory.move(incomingPath(id), to: dataPath(id))
    }

    /// Removes a file that the index does not refer to (any more).
    func discard(_ id: ContentID) throws(FileFailure) {
        try SystemDirectory.remove(incomingPath(id))
        try SystemDirectory.remove(dataPath(id))
    }

    /// Opens a file for reading, wherever between commit and rename it is.
    func open(_ id: ContentID) throws(FileFailure) -> SystemFile {
        if let file = try SystemFile.openExisting(dataPath(id)) { return file }
        if let file = try SystemFile.openExisting(incomingPath(id)) { return file }
        if let file = try SystemFile.openExisting(dataPath(id)) { return file }
        throw FileFailure(operation: "open", code: FileFailure.absence)
    }

    /// Brings `incoming/` in order after a crash; `isReferred` asks the index.
    func recover(isReferred: (ContentID) throws -> Bool, logger: Logger) throws {
        for name in try SystemDirectory.names(in: incoming) {
            guard let id = Hex.decode(Array(name.utf8)).flatMap({ ContentID($0) }) else {
                logger.warning("left alone: a file that is not the store's", metadata: ["directory": "incoming"])
                continue
            }
            if try isReferred(id) {
                try settle(id)
            } else {
                try discard(id)
            }
        }
    }

    private func incomingPath(_ id: ContentID) -> String { incoming + "/" + id.fileName }
    private func dataPath(_ id: ContentID) -> String { data + "/" + id.folder + "/" + id.fileName }
}
