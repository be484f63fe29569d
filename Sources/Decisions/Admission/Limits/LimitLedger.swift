public import WireFormats

/// What callers used of their limits: the state machine behind one shard of a ``Limiter``, without lock and clock.
///
/// Memory is bounded: at most `capacity` callers have an account of their own; idle ones (nothing within any window,
/// nothing under way) are closed. Callers beyond that share accounts by hash, which can refuse too early but never
/// admit too much. Exact event logs share a memory of `exactEvents`; who finds it used up is counted by sub-windows.
public struct LimitLedger: Sendable {
    public struct Bounds: Sendable {
        public var capacity: Int
        public var sharedAccounts: Int
        public var exactEvents: Int

        public init(capacity: Int, sharedAccounts: Int, exactEvents: Int) {
            precondition(capacity > 0 && sharedAccounts > 0 && exactEvents >= 0)
            self.capacity = capacity
            self.sharedAccounts = sharedAccounts
            self.exactEvents = exactEvents
        }
    }

    /// An admitted request's hold on its account, to be released exactly once.
    public struct Permit: Hashable, Sendable {
        fileprivate let place: Int
        fileprivate let opening: UInt64
        fileprivate let limits: RequestLimits
    }

    public enum Outcome: Hashable, Sendable {
        case admitted(Permit)
        case refused(LimitRefusal)
    }

    /// A full look for idle accounts is made at most this often, in nanoseconds.
    private static let fullSweepInterval: Int64 = 100_000_000
    /// What a caller over its number of requests under way is told to wait.
    private static let concurrencyPause: Duration = .seconds(1)

    private let bounds: Bounds
    private var clock = SteadyClock()
    private var places: [AccountName: Int] = [:]
    private var accounts: [LimitAccount?] = []
    private var vacancies: [Int] = []
    private var ownAccounts = 0
    private var room: Int
    private var openings: UInt64 = 0
    private var hand = 0
    private var lastFullSweep: Int64?

    public init(_ bounds: Bounds) {
        self.bounds = bounds
        room = bounds.exactEvents
    }

    /// How many accounts there are, shared ones included.
    public var accountCount: Int { places.count }
    /// For how many exact events memory is in use.
    public var exactEventCapacity: Int { bounds.exactEvents - room }

    /// Admits one request, or refuses it and counts nothing.
    public mutating func admit(_ key: HashedLimitKey, _ limits: RequestLimits, at instant: Instant) -> Outcome {
        let now = clock.reading(instant)
        closeSomeIdle(at: now)
        let place = account(of: key, limits, at: now)
        let opening = accounts[place]?.opening ?? 0
        let memory = accounts[place]?.logCapacity ?? 0
        let refusal = accounts[place]?.admit(limits, at: now, room: room)
        room += memory - (accounts[place]?.logCapacity ?? 0)
        guard let refusal else { return .admitted(Permit(place: place, opening: opening, limits: limits)) }
        let wait: Duration = refusal.wait.map { .nanoseconds($0) } ?? Self.concurrencyPause
        return .refused(LimitRefusal(limit: refusal.limit, retryAfter: wait))
    }

    /// Charges bytes that flowed, as often as wanted until the release.
    public mutating func charge(_ bytes: Int64, to permit: Permit, at instant: Instant) {
        guard permit.limits.bytes != nil, isOpen(permit) else { return }
        let now = clock.reading(instant)
        let memory = accounts[permit.place]?.logCapacity ?? 0
        accounts[permit.place]?.charge(bytes, at: now, room: room)
        room += memory - (accounts[permit.place]?.logCapacity ?? 0)
    }

    /// The request is over.
    public mutating func release(_ permit: Permit) {
        guard isOpen(permit) else { return }
        accounts[permit.place]?.release()
    }

    private func isOpen(_ permit: Permit) -> Bool {
        accounts.indices.contains(permit.place) && accounts[permit.place]?.opening == permit.opening
    }

    /// The caller's own account; a shared one where there are too many, and for as long as that one may hold
    /// something of theirs.
    private mutating func account(of key: HashedLimitKey, _ limits: RequestLimits, at now: Int64) -> Int {
        if let place = places[.own(key)] { return place }
        let shared = AccountName.shared(
            Int(UInt(bitPattern: key.hash) % UInt(bounds.sharedAccounts)),
            requests: limits.requests?.window,
            bytes: limits.bytes?.window
        )
        if places.count > ownAccounts, let place = places[shared] {
            if !close(place, ifIdleAt: now) { return place }
        }
        if ownAccounts >= bounds.capacity { closeAllIdle(at: now) }
        return open(ownAccounts < bounds.capacity ? .own(key) : shared)
    }

    private mutating func open(_ name: AccountName) -> Int {
        openings += 1
        if name.isOwn { ownAccounts += 1 }
        let account = LimitAccount(name: name, opening: openings)
        let place: Int
        if let vacancy = vacancies.popLast() {
            place = vacancy
            accounts[place] = account
        } else {
            place = accounts.count
            accounts.append(account)
        }
        places[name] = place
        return place
    }

    /// Whether the account was idle and is closed now.
    private mutating func close(_ place: Int, ifIdleAt now: Int64) -> Bool {
        let memory = accounts[place]?.logCapacity ?? 0
        let idle = accounts[place]?.isIdle(at: now) ?? false
        room += memory - (accounts[place]?.logCapacity ?? 0)
        guard idle, let name = accounts[place]?.name else { return false }
        places[name] = nil
        accounts[place] = nil
        vacancies.append(place)
        if name.isOwn { ownAccounts -= 1 }
        return true
    }

    /// Two accounts per request, in turn: as many are looked at as can be opened, twice over.
    private mutating func closeSomeIdle(at now: Int64) {
        for _ in 0..<min(2, accounts.count) {
            hand = hand + 1 < accounts.count ? hand + 1 : 0
            _ = close(hand, ifIdleAt: now)
        }
    }

    private mutating func closeAllIdle(at now: Int64) {
        if let last = lastFullSweep, now - last < Self.fullSweepInterval { return }
        lastFullSweep = now
        for place in accounts.indices { _ = close(place, ifIdleAt: now) }
    }
}

/// A key with its hash, computed once and used for the shard, the table and the shared accounts.
public struct HashedLimitKey: Hashable, Sendable {
    public let key: LimitKey
    public let hash: Int

    public init(_ key: LimitKey) {
        self.key = key
        hash = key.hashValue
    }

    public static func == (left: HashedLimitKey, right: HashedLimitKey) -> Bool {
        left.hash == right.hash && left.key == right.key
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(hash)
    }
}
