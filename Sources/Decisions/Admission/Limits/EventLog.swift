/// The events of one window, each with its time: a queue in a ring that grows up to ``maximumCount``. Times are
/// nanoseconds of a ``SteadyClock`` and never decrease.
struct EventLog: Sendable {
    /// So many events in a window are counted exactly; whoever has more is counted by ``SubWindowCounters``.
    static let maximumCount = 10_000

    private var times: [Int64] = []
    /// As long as `times`; empty while every event weighs 1, as requests do.
    private var weights: [Int64] = []
    private var head = 0
    private(set) var count = 0
    private(set) var total: Int64 = 0

    /// How many events there is memory for.
    var capacity: Int { times.count }
    /// The memory that the next event needs, in events; 0 where it fits.
    var growth: Int { count < capacity ? 0 : min(max(4, 2 * capacity), Self.maximumCount) - capacity }
    var isFull: Bool { count == Self.maximumCount }

    mutating func append(_ weight: Int64, at time: Int64) {
        precondition(!isFull, "a full log is turned into counters")
        if growth > 0 { grow(to: capacity + growth) }
        if weight != 1, weights.isEmpty { weights = [Int64](repeating: 1, count: capacity) }
        let place = (head + count) % capacity
        times[place] = time
        if !weights.isEmpty { weights[place] = weight }
        count += 1
        total += weight
    }

    /// Forgets what happened at or before `time`. An empty log keeps no memory.
    mutating func drop(through time: Int64) {
        while count > 0, times[head] <= time {
            total -= weight(at: head)
            head = (head + 1) % capacity
            count -= 1
        }
        if count == 0, capacity > 0 { self = EventLog() }
    }

    /// The time of the event with whose end the total falls below `amount`; nil where it is below already.
    func turningPoint(below amount: Int64) -> Int64? {
        guard total >= amount else { return nil }
        if weights.isEmpty { return times[(head + Int(total - amount)) % capacity] }
        var rest = total
        for offset in 0..<count {
            let place = (head + offset) % capacity
            rest -= weight(at: place)
            if rest < amount { return times[place] }
        }
        return nil
    }

    /// Oldest first.
    func forEach(_ body: (_ weight: Int64, _ time: Int64) -> Void) {
        for offset in 0..<count {
            let place = (head + offset) % capacity
            body(weight(at: place), times[place])
        }
    }

    private func weight(at place: Int) -> Int64 { weights.isEmpty ? 1 : weights[place] }

    private mutating func grow(to capacity: Int) {
        let order = (0..<count).map { (head + $0) % times.count }
        let padding = [Int64](repeating: 0, count: capacity - count)
        if !weights.isEmpty { weights = order.map { weights[$0] } + padding }
        times = order.map { times[$0] } + padding
        head = 0
    }
}
