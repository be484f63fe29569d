import GRDB
import GroupCommit
import Logging
import NIOCore
import NIOPosix
import S3API
import Synchronization
import WireFormats

/// Buckets, objects and multipart uploads over a directory: durable, atomic, and below HTTP.
///
/// Reads block a thread of the pool and see a snapshot of the index; writes go through one queue that commits for
/// several callers at once. What ``ContentFiles`` and ``IndexDatabase`` say about order is what makes a crash at any
/// instant lose nothing acknowledged and show nothing partial.
final class ObjectStore: Sendable {
    let files: ContentFiles
    let index: DatabasePool
    let writes: CommitQueue
    let threads: NIOThreadPool
    let now: @Sendable () -> Instant
    let logger: Logger
    /// The least size of every part but the last (S3: 5 MiB); smaller in tests.
    let minimumPartSize: Int64

    private let founding: Founding
    private let reclamation = Mutex(Reclamation())
    /// Files already unlinked whose rows in `garbage` go with the next write.
    private let unlinked = Mutex<[ContentID]>([])

    /// The bytes a body is read, hashed and written in.
    static let chunk = 256 << 10

    /// Opens the store in `directory`, making it where there is none, and repairs what a crash left. Blocks.
    /// - Parameter threads: where files are read and written; running already.
    init(
        directory: String,
        threads: NIOThreadPool,
        now: @escaping @Sendable () -> Instant,
        logger: Logger,
        minimumPartSize: Int64 = 5 << 20
    ) throws {
        self.threads = threads
        self.now = now
        self.logger = logger
        self.minimumPartSize = minimumPartSize
        var founding = Founding()
        do {
            files = try ContentFiles(directory: directory, &founding)
            index = try IndexDatabase.open(path: directory + "/index.sqlite", &founding)
        } catch {
            founding.undo()
            throw error
        }
        self.founding = founding
        writes = CommitQueue(database: index)
        try recover()
    }

    /// Removes what nothing refers to and moves what arrived just before a crash into place.
    private func recover() throws {
        let garbage = try index.read { try GarbageTable.all($0) }
        for file in garbage { try files.discard(file) }
        if !garbage.isEmpty {
            try index.write { try GarbageTable.remove($0, garbage) }
        }
        try index.read { database in
            try files.recover(isReferred: { try GarbageTable.isReferred(database, $0) }, logger: logger)
        }
    }

    /// Closes the index and lets go of the directory. No operation may follow.
    ///
    /// - Parameter isKept: false: where this opening made the store, and nothing was put into it, it is removed.
    func close(isKept: Bool = true) throws {
        let leavesNothing = try !isKept && founding.isNew && index.read { try Self.isEmpty($0) }
        try index.closeWhole()
        // While nobody else can open it.
        if leavesNothing { founding.undo() }
        files.unlock()
    }

    private static func isEmpty(_ database: Database) throws -> Bool {
        try ["object", "version", "upload"].allSatisfy { table in
            try Row.fetchOne(database, sql: "SELECT 1 FROM \(table) LIMIT 1") == nil
        }
    }

    // MARK: Buckets

    func buckets() async throws -> [StoredBucket] {
        try await read { try BucketTable.all($0) }
    }

    /// - Throws: `NoSuchBucket`.
    func requireBucket(_ bucket: BucketName) async throws {
        _ = try await read { try BucketTable.number($0, bucket) }
    }

    /// - Throws: `BucketAlreadyOwnedByYou`.
    func createBucket(_ bucket: BucketName) async throws {
        let instant = now()
        try await write { try BucketTable.insert($0, bucket, at: instant) }
    }

    /// - Throws: `NoSuchBucket`, `BucketNotEmpty`.
    func deleteBucket(_ bucket: BucketName) async throws {
        try await write { try BucketTable.delete($0, bucket) }
    }

    func list(_ bucket: BucketName, _ question: ListingQuestion) async throws -> ListingPage {
        try await read { database in
            try Listing.page(database, bucket: BucketTable.number(database, bucket), question)
        }
    }

    // MARK: The index

    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await threads.runIfActive { try self.index.read(body) }
    }

    /// Runs `body` in a transaction of the queue, with the rows of files unlinked since the last one cleared away.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        let cleared = unlinked.withLock { files in
            defer { files = [] }
            return files
        }
        do {
            return try await writes.perform { database in
                if !cleared.isEmpty { try GarbageTable.remove(database, cleared) }
                return try body(database)
            }
        } catch {
            unlinked.withLock { $0 += cleared }
            // Nothing of it was begun.
            if error is CommitRefusal { throw S3Error(.slowDown, retryAfter: 1) }
            throw error
        }
    }

    // MARK: Files

    func newContentID() -> ContentID {
        var random = SystemRandomNumberGenerator()
        return ContentID(at: now(), using: &random)
    }

    func beginLookup() -> Reclamation.Ticket { reclamation.withLock { $0.beginLookup() } }

    func endLookup(_ ticket: Reclamation.Ticket, lease content: ContentID?) {
        unlink(reclamation.withLock { $0.endLookup(ticket, lease: content) })
    }

    func endLease(_ content: ContentID) {
        unlink(reclamation.withLock { $0.endLease(content) })
    }

    /// Lets go of the files of contents whose rows a committed transaction removed.
    func retire(_ contents: [RetiredContent]) {
        guard !contents.isEmpty else { return }
        unlink(
            reclamation.withLock { reclamation in
                contents.flatMap { reclamation.retire($0.content, files: $0.files) }
            }
        )
    }

    /// Unlinks in the background: a crash before it is done leaves rows in `garbage` for the next start.
    private func unlink(_ gone: [ContentID]) {
        guard !gone.isEmpty else { return }
        threads.submit { state in
            guard case .active = state else { return }
            for file in gone {
                do {
                    try self.files.discard(file)
                } catch {
                    self.logger.warning("a file could not be removed", metadata: ["error": "\(error)"])
                }
            }
            self.unlinked.withLock { unlinked in
                // Rows left in `garbage` only cost another unlink at the next start.
                if unlinked.count + gone.count <= 100_000 { unlinked += gone }
            }
        }
    }
}
