import Logging
import SQLiteState
import ServiceLifecycle
import Settings
import Valet
import WireFormats

extension StateConfiguration {
    /// What `store` names.
    var place: SQLiteState.Place {
        switch store {
        case .sqlite(let path): .file(path: path)
        case .memory: .memory
        }
    }
}

/// Forgets what is over: slots after their retention, grants after their expiry, revocations when nothing rests on them
/// any more, answers to repeated creations after a day.
struct StateUpkeep: Service {
    let state: any ValetState
    let running: RunningConfiguration
    let logger: Logger

    private static let interval = Duration.seconds(60)
    /// Rows that one commit removes, so that nobody waits long for it.
    private static let batch = 500
    /// How long a grant can still be looked up after it has expired.
    private static let grantsKept = Duration.seconds(7 * 86_400)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                await forget()
            }
        }
    }

    private func forget() async {
        let now = Clock.now()
        let retention = await running.uploads.retention
        do throws(StateError) {
            try await inBatches { () async throws(StateError) in
                try await state.forget(finishedBefore: now - retention, limit: Self.batch)
            }
            try await inBatches { () async throws(StateError) in
                try await state.forget(expiredBefore: now - Self.grantsKept, limit: Self.batch)
            }
            try await inBatches { () async throws(StateError) in
                try await state.forget(revokedBefore: now - Revocation.remembered, limit: Self.batch)
            }
            try await inBatches { () async throws(StateError) in
                try await state.forget(begunBefore: now - IdempotencyKey.lifetime, limit: Self.batch)
            }
        } catch {
            logger.warning("the state can't be tidied up", metadata: ["error": "\(error)"])
        }
    }

    private func inBatches(_ forget: () async throws(StateError) -> Int) async throws(StateError) {
        while !Task.isCancelled, try await forget() == Self.batch {}
    }
}
