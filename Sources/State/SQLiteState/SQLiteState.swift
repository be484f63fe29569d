import GRDB
import GroupCommit
import Synchronization
import Valet

/// The state in an SQLite file: what has to outlive a process, for one instance.
///
/// Writes are durable before they are acknowledged, several callers to one commit (``CommitQueue``); reads go on beside
/// them. The ports are in the extensions.
package final class SQLiteState: Sendable {
    package enum Place: Hashable, Sendable {
        case file(path: String)
        /// For as long as this object lives, for tests.
        case memory
    }

    private let database: any DatabaseWriter
    /// Nil in memory.
    private let claim: StateClaim?
    private let commits: CommitQueue

    /// Opens the file, makes it where there is none, and brings one of an earlier release up to date. Its folder must be
    /// there.
    ///
    /// - Throws: where that can't be, and where another process has it.
    package init(_ place: Place) throws(StateFault) {
        (database, claim) = try StateDatabase.open(place)
        commits = CommitQueue(database: database)
    }

    /// Waits for what was asked for, then closes the file. What comes later is refused.
    package func close() async {
        await commits.close()
        // Readers that are still under way keep it open until the process ends, which loses nothing.
        try? database.closeWhole()
        claim?.release()
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws(StateError)
        -> Value
    {
        let claim = claim
        do {
            return try await commits.perform { database in
                try claim?.check()
                return try body(database)
            }
        } catch {
            throw StateError(error)
        }
    }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws(StateError) -> Value
    {
        // Before: a connection that is opened only now would be one to whatever lies there.
        try await claim?.checkAside()
        do {
            return try await database.read(body)
        } catch {
            throw StateError(error)
        }
    }
}

extension StateError {
    /// What a failure of SQLite means to whoever asked. Statements and their arguments are not part of it.
    init(_ error: any Error) {
        switch error {
        case let error as StateError:
            self = error
        case let error as DatabaseError:
            let message = error.message ?? "SQLite error \(error.resultCode.rawValue)"
            switch error.resultCode {
            case .SQLITE_FULL: self = .full(message)
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .unavailable("it is damaged: " + message)
            default: self = .unavailable(message)
            }
        case CommitRefusal.closed:
            self = .unavailable("the state is closed")
        case CommitRefusal.full:
            self = .full("too many changes wait to be written")
        case is CancellationError:
            self = .unavailable("nobody waits for it any more")
        default:
            self = .unavailable("\(error)")
        }
    }
}
