public import S3API
public import WireFormats

/// Keeps upload slots. Every call that returns has its effect on stable storage; one that throws may be repeated.
public protocol SlotStore: Sendable {
    /// Writes a new slot and the event of its issue, and with them the answer to the creation it comes from: all of it
    /// or nothing.
    /// - Parameters:
    ///   - limit: how many open slots its issuer may have, this one included.
    ///   - creation: which ``IdempotencyStore`` was told of before; nil where the caller gave no key.
    func insert(
        _ slot: UploadSlot,
        _ announcement: Announcement,
        openLimit limit: Int,
        for creation: IdempotencyKey?
    ) async throws(StateError) -> SlotInsertion
    /// How many open slots an issuer has, counted no further than `limit`.
    func countOpen(of issuer: String, upTo limit: Int) async throws(StateError) -> Int
    func slot(_ id: String) async throws(StateError) -> UploadSlot?
    /// Puts a later revision in the place of the one before it, together with its event; nothing where another has
    /// been put there meanwhile.
    func replace(with next: UploadSlot, _ announcement: Announcement?) async throws(StateError) -> SlotReplacement
    /// Open slots whose object lands under that key, at most 100: an event of the store concerns them.
    func openSlots(landingAt key: ObjectKey, in bucket: BucketName) async throws(StateError) -> [UploadSlot]
    /// Open slots that nothing can come to any more, by ``UploadSlot/lastArrival``, since that instant; the oldest first.
    /// - Parameter others: buckets whose slots are left out.
    func overdue(
        since instant: Instant,
        inBucketsBut others: Set<BucketName>,
        limit: Int
    ) async throws(StateError) -> [UploadSlot]
    /// Slots with leftovers that ended, and that nothing can come to any more, before an instant; the oldest first.
    /// - Parameters:
    ///   - rejected: when what was rejected, and lies in quarantine, has to have ended.
    ///   - others: buckets whose slots are left out.
    func uncleared(
        before instant: Instant,
        rejectedBefore rejected: Instant,
        inBucketsBut others: Set<BucketName>,
        limit: Int
    ) async throws(StateError) -> [UploadSlot]
    /// Forgets slots that ended before that, the oldest first, but none that has leftovers or of which somebody is still
    /// to be told. Returns how many.
    func forget(finishedBefore instant: Instant, limit: Int) async throws(StateError) -> Int
    func funnel() async throws(StateError) -> SlotFunnel
}

public enum SlotInsertion: Hashable, Sendable {
    case inserted
    /// Its issuer has as many open ones as it may.
    case tooManyOpen
    /// The same creation was answered meanwhile, with that one.
    case repeated(id: String)
}

public enum SlotReplacement: Hashable, Sendable {
    case replaced
    /// Somebody else was first: the slot as it is now; nil where it is gone.
    case conflict(UploadSlot?)
}

/// How many slots have come how far since the state was made, those that are forgotten included.
public struct SlotFunnel: Hashable, Sendable {
    /// A state that was reached, and why where there is a reason.
    public struct Step: Hashable, Sendable {
        public let state: UploadSlot.State
        public let cause: UploadSlot.Cause?

        public init(_ state: UploadSlot.State, _ cause: UploadSlot.Cause? = nil) {
            self.state = state
            self.cause = cause
        }
    }

    public var reached: [Step: Int]

    public init(reached: [Step: Int]) {
        self.reached = reached
    }

    /// Slots that have not ended.
    public var open: Int {
        reached.reduce(0) { sum, entry in
            switch entry.key.state {
            case .issued: sum + entry.value
            case .started: sum
            case .completed, .rejected, .expired, .aborted: sum - entry.value
            }
        }
    }
}

/// Why the state can't be asked.
public enum StateError: Error, Hashable, Sendable {
    /// It can't be reached, or written to, at present.
    case unavailable(String)
    /// It has no room, or more to do than it may queue.
    case full(String)
    /// What it says can't be understood.
    case corrupt(String)
}

/// All that has to outlive a process: what one store of `[state]` keeps.
public typealias ValetState = SlotStore & GrantStore & RevocationStore & Outbox & IdempotencyStore
    & SecretStore
