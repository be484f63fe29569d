import GRDB
import Synchronization

/// Writes to the index, several callers to one commit: whatever has been asked for while a commit waited for the
/// medium shares the next one. Each caller's statements are a savepoint of their own, so one that fails takes nothing
/// with it; everybody is answered after the commit only.
final class WriteQueue: Sendable {
    private struct State {
        var waiting: [Job] = []
        var isScheduled = false
    }

    /// One caller's statements, and how to answer it: `run` returns what to call once the commit's fate is known.
    private struct Job: Sendable {
        let run: @Sendable (Database) -> Outcome
        let fail: @Sendable (any Error) -> Void
    }
    private typealias Outcome = @Sendable ((any Error)?) -> Void

    private let database: DatabasePool
    private let state = Mutex(State())

    /// Statements of callers that go into one transaction at most.
    private static let batch = 256

    init(database: DatabasePool) { self.database = database }

    /// Runs `body` in a transaction and returns after it is durable. At most one entry per request waits here.
    func perform<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let job = Job(
                run: { database in
                    let result = Result { try Self.inSavepoint(database, body) }
                    return { failure in
                        switch (result, failure) {
                        case (.success(let value), nil): continuation.resume(returning: value)
                        case (.success, .some(let failure)): continuation.resume(throwing: failure)
                        case (.failure(let error), _): continuation.resume(throwing: error)
                        }
                    }
                },
                fail: { continuation.resume(throwing: $0) }
            )
            enqueue(job)
        }
    }

    private static func inSavepoint<Value>(_ database: Database, _ body: (Database) throws -> Value) throws -> Value {
        var value: Value?
        try database.inSavepoint {
            value = try body(database)
            return .commit
        }
        guard let value else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
        return value
    }

    private func enqueue(_ job: Job) {
        let mustSchedule = state.withLock { state in
            state.waiting.append(job)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if mustSchedule { schedule() }
    }

    private func schedule() {
        database.asyncWriteWithoutTransaction { database in self.commitBatch(database) }
    }

    private func commitBatch(_ database: Database) {
        let jobs = state.withLock { state in
            let jobs = Array(state.waiting.prefix(Self.batch))
            state.waiting.removeFirst(jobs.count)
            return jobs
        }
        var outcomes: [Outcome] = []
        outcomes.reserveCapacity(jobs.count)
        var failure: (any Error)?
        do {
            try database.inTransaction(.immediate) {
                for job in jobs {
                    outcomes.append(job.run(database))
                    // SQLite rolls the whole transaction back on a full disk or an I/O error.
                    guard database.isInsideTransaction else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
                }
                return .commit
            }
        } catch {
            failure = error
        }
        for outcome in outcomes { outcome(failure) }
        var rest = jobs.dropFirst(outcomes.count)
        if outcomes.isEmpty, let failure {
            // The transaction did not even begin: trying again at once would spin.
            for job in rest { job.fail(failure) }
            rest = []
        }
        let goesOn = state.withLock { state in
            state.waiting.insert(contentsOf: rest, at: 0)
            state.isScheduled = !state.waiting.isEmpty
            return state.isScheduled
        }
        if goesOn { schedule() }
    }
}
