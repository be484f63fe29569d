package import GRDB
import Synchronization

/// Several callers to one commit: whatever is asked for while a commit waits for the medium shares the next one. Each
/// caller's statements are a savepoint of their own, so one that fails takes nothing with it; everybody is answered
/// after the commit only.
package final class CommitQueue: Sendable {
    private struct State {
        var waiting: [Job] = []
        var isScheduled = false
        var isClosed = false
        var onIdle: [CheckedContinuation<Void, Never>] = []
    }

    /// One caller's statements, and how to answer it: `run` returns what to call once the commit's fate is known.
    private struct Job: Sendable {
        let run: @Sendable (Database) -> Outcome
        let fail: @Sendable (any Error) -> Void
    }
    private typealias Outcome = @Sendable ((any Error)?) -> Void

    private let database: any DatabaseWriter
    private let state = Mutex(State())

    /// Callers that share a commit at most: more would wait longer for it than for the next one.
    private static let batch = 512
    /// Callers that wait at most.
    private static let room = 10_000

    package init(database: any DatabaseWriter) { self.database = database }

    /// Runs `body` in a transaction and returns after it is durable. Whoever loses patience has it done all the same.
    ///
    /// - Throws: what `body` throws, what SQLite says of the commit, ``CommitRefusal``.
    package func perform<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, any Error>, Never>) in
            let job = Job(
                run: { database in
                    let result = Self.inSavepoint(database, body)
                    return { failure in
                        guard let failure, case .success = result else { return continuation.resume(returning: result) }
                        continuation.resume(returning: .failure(failure))
                    }
                },
                fail: { continuation.resume(returning: .failure($0)) }
            )
            if let refusal = enqueue(job) { job.fail(refusal) }
        }.get()
    }

    /// Refuses what comes from now on, and returns when what came before is done.
    package func close() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                state.isClosed = true
                if state.isScheduled { state.onIdle.append(continuation) }
                return !state.isScheduled
            }
            if isIdle { continuation.resume() }
        }
    }

    private static func inSavepoint<Value>(
        _ database: Database,
        _ body: (Database) throws -> Value
    ) -> Result<Value, any Error> {
        do {
            var value: Value?
            try database.inSavepoint {
                value = try body(database)
                return .commit
            }
            guard let value else { return .failure(DatabaseError(resultCode: .SQLITE_ABORT)) }
            return .success(value)
        } catch {
            return .failure(error)
        }
    }

    private func enqueue(_ job: Job) -> CommitRefusal? {
        let (refusal, mustSchedule) = state.withLock { state -> (CommitRefusal?, Bool) in
            guard !state.isClosed else { return (.closed, false) }
            guard state.waiting.count < Self.room else { return (.full, false) }
            state.waiting.append(job)
            defer { state.isScheduled = true }
            return (nil, !state.isScheduled)
        }
        if mustSchedule { schedule() }
        return refusal
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
        let (goesOn, onIdle) = state.withLock { state in
            state.waiting.insert(contentsOf: rest, at: 0)
            state.isScheduled = !state.waiting.isEmpty
            guard !state.isScheduled else { return (true, [CheckedContinuation<Void, Never>]()) }
            defer { state.onIdle = [] }
            return (false, state.onIdle)
        }
        if goesOn { schedule() }
        for continuation in onIdle { continuation.resume() }
    }
}

/// Why nothing more is taken in.
package enum CommitRefusal: Error, Hashable, Sendable {
    case closed
    /// Too many callers wait for the medium.
    case full
}
