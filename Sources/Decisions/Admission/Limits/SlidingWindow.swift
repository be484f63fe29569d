/// What one principal used of one limit within the last window: exactly, up to ``EventLog/maximumCount`` events and
/// while there is memory for them, else by ``SubWindowCounters``. Either way never less than was used.
///
/// An event at time t counts at all times before t + window. All times are nanoseconds of one ``SteadyClock``.
struct SlidingWindow: Sendable {
    enum Precision: Sendable {
        case exactAtFirst
        /// Constant memory from the start: for accounts that many principals share.
        case counted
    }

    /// Weights beyond this (64 TiB at once) are taken as this, so that totals can't overflow.
    static let maximumWeight: Int64 = 1 << 46

    private var window: Int64
    private let precision: Precision
    private var log = EventLog()
    /// Instead of the log, once that was too small.
    private var counters: SubWindowCounters?

    init(window: Int64, precision: Precision) {
        self.window = window
        self.precision = precision
    }

    /// The memory for exact events, in events.
    var logCapacity: Int { log.capacity }

    /// What was used in the window that ends now.
    mutating func used(at now: Int64) -> Int64 {
        if counters != nil {
            counters?.advance(to: now)
            guard let total = counters?.total, total > 0 else {
                counters = nil
                return 0
            }
            return total
        }
        log.drop(through: now - window)
        return log.total
    }

    /// How long until less than `amount` is used; nil if there is room now.
    mutating func wait(at now: Int64, below amount: Int64) -> Int64? {
        guard used(at: now) >= amount else { return nil }
        let end = counters.map { $0.turningPoint(below: amount) } ?? log.turningPoint(below: amount).map { $0 + window }
        return end.map { max(1, $0 - now) }
    }

    /// Counts an event. `room`: for how many more exact events there is memory, shared with other windows.
    mutating func add(_ weight: Int64, at now: Int64, room: Int) {
        let weight = min(max(weight, 0), Self.maximumWeight)
        guard weight > 0 else { return }
        let before = log.capacity
        _ = used(at: now)
        if counters == nil, precision == .counted || log.isFull || log.growth - (before - log.capacity) > room {
            var counters = SubWindowCounters(window: window, at: now - window)
            log.forEach { counters.add($0, at: $1) }
            self.counters = counters
            log = EventLog()
        }
        if counters == nil { log.append(weight, at: now) } else { counters?.add(weight, at: now) }
    }

    /// Goes on with a window of another length, after the configuration changed. What left a shorter window is gone.
    mutating func adopt(window other: Int64, at now: Int64) {
        guard other != window else { return }
        counters = counters?.converted(toWindow: other, at: now)
        window = other
    }
}
