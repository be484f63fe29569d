public import S3API
public import WireFormats

/// Keeps upload slots. Every call that returns has its effect on stable storage; one that throws has none.
public protocol SlotStore: Sendable {
    /// Writes a new slot and the event of its issue.
    /// - Parameter limit: how many open slots its issuer may have, this one included.
    func insert(
        _ slot: UploadSlot,
        _ announcement: Announcement,
        openLimit limit: Int
    ) async throws(StateError) -> SlotInsertion
    func slot(_ id: String) async throws(StateError) -> UploadSlot?
    /// Puts a later revision in the place of the one before it, together with its event; nothing where another has
    /// been put there meanwhile.
    func replace(with next: UploadSlot, _ announcement: Announcement?) async throws(StateError) -> SlotReplacement
    /// Open slots whose object lands under that key: an event of the store concerns them.
    func openSlots(landingAt key: ObjectKey, in bucket: BucketName) async throws(StateError) -> [UploadSlot]
    /// Open slots that expired before that, the oldest first.
    func overdue(before instant: Instant, limit: Int) async throws(StateError) -> [UploadSlot]
    /// Forgets slots that ended before that. Returns how many.
    func forget(finishedBefore instant: Instant, limit: Int) async throws(StateError) -> Int
    /// How many slots there are in each state.
    func counts() async throws(StateError) -> [UploadSlot.State: Int]
}

public enum SlotInsertion: Hashable, Sendable {
    case inserted
    /// Its issuer has as many open ones as it may.
    case tooManyOpen
}

public enum SlotReplacement: Hashable, Sendable {
    case replaced
    /// Somebody else was first: the slot as it is now; nil where it is gone.
    case conflict(UploadSlot?)
}

/// Why the state can't be asked.
public enum StateError: Error, Hashable, Sendable {
    /// It can't be reached, or written to, at present.
    case unavailable(String)
    /// What it says can't be understood.
    case corrupt(String)
}
