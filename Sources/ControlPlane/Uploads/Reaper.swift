package import Logging
package import Pipeline
import ServiceLifecycle
import Valet
import WireFormats

/// Ends slots that nobody used in time, and removes what ended ones left at their stores.
package struct Reaper: Service {
    private let slots: Slots
    private let snapshot: @Sendable () -> Snapshot
    private let logger: Logger

    private static let interval = Duration.seconds(2)
    private static let batch = 200
    /// For calls that came in time and are still being answered.
    private static let grace = Duration.seconds(2)
    /// A slot whose store can't be asked so long after its end is over all the same.
    private static let patience = Duration.seconds(3600)

    package init(_ slots: Slots, snapshot: @escaping @Sendable () -> Snapshot, logger: Logger) {
        self.slots = slots
        self.snapshot = snapshot
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                if Task.isCancelled { return }
                await pass()
            }
        }
    }

    func pass() async {
        let snapshot = snapshot()
        do throws(StateError) {
            for slot in try await slots.store.overdue(before: slots.now() - Self.grace, limit: Self.batch) {
                do throws(APIFailure) {
                    try await expire(slot, under: snapshot)
                } catch {
                    note(error, slot)
                }
            }
            for slot in try await slots.store.uncleared(before: slots.now(), limit: Self.batch) {
                do throws(APIFailure) {
                    try await slots.clear(slot, under: snapshot)
                } catch {
                    note(error, slot)
                }
            }
        } catch {
            logger.warning("slots can't be tidied up", metadata: ["error": "\(error)"])
        }
    }

    /// What was put in time and nobody told of is looked for once more before the slot expires.
    private func expire(_ slot: UploadSlot, under snapshot: Snapshot) async throws(APIFailure) {
        if slot.mode != .multipart, snapshot.bucket(slot.bucket) != nil {
            do throws(APIFailure) {
                guard case .notThere = try await slots.complete(slot.id, under: snapshot) else { return }
            } catch {
                guard slot.expiresAt + Self.patience < slots.now() else { throw error }
            }
        }
        _ = try await slots.close(slot.id, under: snapshot) { (slot, now) throws(SlotRefusal) in
            try slot.expired(at: now)
        }
    }

    private func note(_ failure: APIFailure, _ slot: UploadSlot) {
        logger.info(
            "a slot could not be tidied up; it is tried again",
            metadata: ["slot": "\(slot.id)", "error": "\(failure.code.name)", "reason": "\(failure.reason)"]
        )
    }
}
