package import Logging
package import Pipeline
import S3API
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
    private static let batches = 50
    /// For calls that came in time and are still being answered.
    private static let grace = Duration.seconds(2)
    /// How long after the last moment an upload could end what it left is removed.
    private static let lateness = Duration.seconds(60)
    /// A slot whose store can't be asked so long after its end is over all the same.
    private static let patience = Duration.seconds(3600)
    /// How long a bucket is left alone whose store could not be asked: others are not to wait for it.
    private static let pause = Duration.seconds(60)

    package init(_ slots: Slots, snapshot: @escaping @Sendable () -> Snapshot, logger: Logger) {
        self.slots = slots
        self.snapshot = snapshot
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var paused: [BucketName: Instant] = [:]
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                if Task.isCancelled { return }
                await pass(&paused)
            }
        }
    }

    /// - Parameter paused: buckets that are left alone, and until when.
    func pass(_ paused: inout [BucketName: Instant]) async {
        let snapshot = snapshot()
        let rules = snapshot.uploads
        let now = slots.now()
        paused = paused.filter { now < $0.value }
        do throws(StateError) {
            try await work(&paused) { (slot) throws(APIFailure) in
                try await expire(slot, under: snapshot)
            } of: { (others) throws(StateError) in
                try await slots.store.overdue(since: now - Self.grace, inBucketsBut: others, limit: Self.batch)
            }
            try await work(&paused) { (slot) throws(APIFailure) in
                try await slots.clear(slot, under: snapshot)
            } of: { (others) throws(StateError) in
                try await slots.store.uncleared(
                    before: now - Self.lateness,
                    rejectedBefore: rules.onMismatch == .keep ? now - rules.retention : now,
                    inBucketsBut: others,
                    limit: Self.batch
                )
            }
        } catch {
            logger.warning("slots can't be tidied up", metadata: ["error": "\(error)"])
        }
    }

    /// Works through what is to be done, without the buckets that fail.
    private func work(
        _ paused: inout [BucketName: Instant],
        _ tidy: (UploadSlot) async throws(APIFailure) -> Void,
        of find: (Set<BucketName>) async throws(StateError) -> [UploadSlot]
    ) async throws(StateError) {
        for _ in 0..<Self.batches {
            let found = try await find(Set(paused.keys))
            for slot in found where paused[slot.bucket] == nil {
                do throws(APIFailure) {
                    try await tidy(slot)
                } catch {
                    paused[slot.bucket] = slots.now() + Self.pause
                    note(error, slot)
                }
            }
            guard found.count == Self.batch, !Task.isCancelled else { return }
        }
    }

    /// What was put in time and nobody told of is looked for once more before the slot expires.
    private func expire(_ slot: UploadSlot, under snapshot: Snapshot) async throws(APIFailure) {
        if snapshot.bucket(slot.bucket) != nil {
            do throws(APIFailure) {
                guard case .notThere = try await slots.complete(slot.id, parts: .left, for: .reaper, under: snapshot)
                else { return }
            } catch {
                guard slot.expiresAt + Self.patience < slots.now() else { throw error }
            }
        }
        _ = try await slots.close(slot.id, for: .reaper, under: snapshot) { (slot, now) throws(SlotRefusal) in
            try slot.expired(at: now)
        }
    }

    private func note(_ failure: APIFailure, _ slot: UploadSlot) {
        logger.info(
            "a slot could not be tidied up; its bucket is left alone for a minute",
            metadata: ["slot": "\(slot.id)", "error": "\(failure.code.name)", "reason": "\(failure.reason)"]
        )
    }
}
