import S3API
import Synchronization
import Valet
import WireFormats

/// No slots, which can't be asked for either until they come back.
final class AwaySlots: SlotStore {
    private let isAway = Mutex(true)

    func comeBack() { isAway.withLock { $0 = false } }
    func goAway() { isAway.withLock { $0 = true } }

    private func with<Value>(_ value: Value) throws(StateError) -> Value {
        guard !isAway.withLock({ $0 }) else { throw .unavailable("away") }
        return value
    }

    func insert(
        _ slot: UploadSlot,
        _ announcement: Announcement,
        openLimit limit: Int,
        for creation: IdempotencyKey?
    ) async throws(StateError) -> SlotInsertion { try with(.tooManyOpen) }

    func countOpen(of issuer: String, upTo limit: Int) async throws(StateError) -> Int { try with(0) }

    func slot(_ id: String) async throws(StateError) -> UploadSlot? { try with(nil) }

    func replace(with next: UploadSlot, _ announcement: Announcement?) async throws(StateError) -> SlotReplacement {
        try with(.conflict(nil))
    }

    func openSlots(landingAt key: ObjectKey, in bucket: BucketName) async throws(StateError) -> [UploadSlot] {
        try with([])
    }

    func overdue(
        since instant: Instant,
        inBucketsBut others: Set<BucketName>,
        limit: Int
    ) async throws(StateError) -> [UploadSlot] { try with([]) }

    func uncleared(
        before instant: Instant,
        rejectedBefore rejected: Instant,
        inBucketsBut others: Set<BucketName>,
        limit: Int
    ) async throws(StateError) -> [UploadSlot] { try with([]) }

    func forget(finishedBefore instant: Instant, limit: Int) async throws(StateError) -> Int { try with(0) }

    func funnel() async throws(StateError) -> SlotFunnel { try with(SlotFunnel(reached: [:])) }
}
