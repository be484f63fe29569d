import Synchronization
public import WireFormats

/// Holds callers to their limits: ``LimitLedger``s behind short locks, by the hash of the caller, so that loops seldom
/// meet. Exact for 100,000 active callers and 10,000 events a window; beyond that it refuses early rather than late.
public final class Limiter: Sendable {
    /// What an admitted request holds until ``release(_:at:)``.
    public struct Permit: Hashable, Sendable {
        fileprivate let shard: Int
        /// Nil where nothing limits the caller.
        fileprivate let held: LimitLedger.Permit?
    }

    public enum Outcome: Hashable, Sendable {
        case admitted(Permit)
        case refused(LimitRefusal)
    }

    /// So many callers are counted exactly at a time.
    public static let activeCallers = 100_000
    /// Memory for exact events, of all callers together: 16 bytes each at most, taken as needed.
    public static let exactEvents = 16_000_000
    /// Accounts that callers beyond ``activeCallers`` share.
    public static let sharedAccounts = 16_384

    private final class Shard: Sendable {
        let ledger: Mutex<LimitLedger>

        init(_ bounds: LimitLedger.Bounds) { ledger = Mutex(LimitLedger(bounds)) }
    }

    private let shards: [Shard]

    /// - Parameter activeCallers: at least so many have an account of their own. Callers spread unevenly over the
    ///   shards, so each has a quarter more places than its share.
    public init(
        activeCallers: Int = Limiter.activeCallers,
        sharedAccounts: Int = Limiter.sharedAccounts,
        exactEvents: Int = Limiter.exactEvents,
        shards count: Int = 16
    ) {
        precondition(count > 0)
        let bounds = LimitLedger.Bounds(
            capacity: activeCallers / count * 5 / 4 + 64,
            sharedAccounts: max(1, sharedAccounts / count),
            exactEvents: exactEvents / count
        )
        shards = (0..<count).map { _ in Shard(bounds) }
    }

    /// Admits one request, or refuses it and counts nothing. Who is admitted must release.
    public func admit(_ key: LimitKey, _ limits: RequestLimits, at now: Instant) -> Outcome {
        if limits.isUnlimited { return .admitted(Permit(shard: 0, held: nil)) }
        let key = HashedLimitKey(key)
        let shard = Int((UInt(bitPattern: key.hash) >> 32) % UInt(shards.count))
        switch shards[shard].ledger.withLock({ $0.admit(key, limits, at: now) }) {
        case .admitted(let permit): return .admitted(Permit(shard: shard, held: permit))
        case .refused(let refusal): return .refused(refusal)
        }
    }

    /// Charges bytes that flowed; as they flow, so that a long transfer counts while it lasts, or at its end.
    public func charge(_ bytes: Int64, to permit: Permit, at now: Instant) {
        guard let held = permit.held, bytes > 0 else { return }
        shards[permit.shard].ledger.withLock { $0.charge(bytes, to: held, at: now) }
    }

    /// Ends an admitted request: exactly once.
    public func release(_ permit: Permit) {
        guard let held = permit.held else { return }
        shards[permit.shard].ledger.withLock { $0.release(held) }
    }

    /// Counts an event that has no duration, such as a failed authentication: nil while within the limits, which the
    /// event then used, else why not.
    public func count(_ key: LimitKey, _ limits: RequestLimits, at now: Instant) -> LimitRefusal? {
        switch admit(key, limits, at: now) {
        case .admitted(let permit):
            release(permit)
            return nil
        case .refused(let refusal):
            return refusal
        }
    }

    /// How many accounts are open, shared ones included; for metrics and tests.
    public var accountCount: Int {
        shards.reduce(0) { $0 + $1.ledger.withLock(\.accountCount) }
    }

    /// For how many exact events memory is in use.
    public var exactEventCapacity: Int {
        shards.reduce(0) { $0 + $1.ledger.withLock(\.exactEventCapacity) }
    }
}
