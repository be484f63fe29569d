/// One caller's use of its limits, or that of several who share it.
struct LimitAccount: Sendable {
    let name: AccountName
    /// Tells this account from an earlier one at the same place.
    let opening: UInt64
    private var requests: SlidingWindow?
    private var bytes: SlidingWindow?
    private var underWay = 0

    init(name: AccountName, opening: UInt64) {
        self.name = name
        self.opening = opening
    }

    var logCapacity: Int { (requests?.logCapacity ?? 0) + (bytes?.logCapacity ?? 0) }

    /// Counts the request, or says which limit it runs into and for how long (nanoseconds; nil: until another
    /// request ends).
    mutating func admit(_ limits: RequestLimits, at now: Int64, room: Int) -> (limit: LimitKind, wait: Int64?)? {
        adopt(limits, at: now)
        if let most = limits.concurrentRequests, underWay >= most { return (.concurrentRequests, nil) }
        if let limit = limits.bytes, let wait = bytes?.wait(at: now, below: limit.amount) { return (.bytes, wait) }
        if let limit = limits.requests {
            if let wait = requests?.wait(at: now, below: limit.amount) { return (.requests, wait) }
            requests?.add(1, at: now, room: room)
        }
        underWay += 1
        return nil
    }

    mutating func charge(_ amount: Int64, at now: Int64, room: Int) {
        bytes?.add(amount, at: now, room: room)
    }

    mutating func release() {
        assert(underWay > 0, "a permit is released once")
        underWay = max(0, underWay - 1)
    }

    /// Nothing under way and nothing used within any window: closing the account changes no answer.
    mutating func isIdle(at now: Int64) -> Bool {
        underWay == 0 && (requests?.used(at: now) ?? 0) == 0 && (bytes?.used(at: now) ?? 0) == 0
    }

    private mutating func adopt(_ limits: RequestLimits, at now: Int64) {
        if let limit = limits.requests { Self.adopt(limit, in: &requests, name, at: now) }
        if let limit = limits.bytes { Self.adopt(limit, in: &bytes, name, at: now) }
    }

    private static func adopt(_ limit: RateLimit, in window: inout SlidingWindow?, _ name: AccountName, at now: Int64) {
        if window != nil {
            window?.adopt(window: limit.windowNanoseconds, at: now)
        } else {
            window = SlidingWindow(
                window: limit.windowNanoseconds,
                precision: name.isOwn ? .exactAtFirst : .counted
            )
        }
    }
}

/// What an account is found by.
enum AccountName: Hashable, Sendable {
    case own(HashedLimitKey)
    /// One of a fixed number, for callers whose windows have these lengths.
    case shared(Int, requests: Duration?, bytes: Duration?)

    var isOwn: Bool {
        switch self {
        case .own: true
        case .shared: false
        }
    }
}
