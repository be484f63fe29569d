import NIOCore

/// How often a request goes out again whose connection ended before any answer, and after which pauses: at once where that
/// was a pooled connection, which is no news of the store; then a few times, each after a longer pause with jitter, for no
/// longer than a store is given to take a connection. The value of one exchange.
struct Replays {
    /// After pauses; the first one is at once where a pooled connection turned out to be dead.
    static let limit = 5
    private static let firstPause = TimeAmount.milliseconds(50)

    private var hasReplacedPooled = false
    private var count = 0
    private var until = NIODeadline.distantFuture

    /// The pause before the next time; nil: this was the last.
    ///
    /// - Parameters:
    ///   - wasPooled: the connection had served before.
    ///   - window: how long after the first loss there may be a next time.
    mutating func next(wasPooled: Bool, within window: TimeAmount, now: NIODeadline) -> TimeAmount? {
        if count == 0, !hasReplacedPooled { until = now + window }
        if wasPooled, !hasReplacedPooled {
            hasReplacedPooled = true
            return .zero
        }
        guard count < Self.limit else { return nil }
        let pause = TimeAmount.nanoseconds(Self.firstPause.nanoseconds << Int64(count))
        let jitter = TimeAmount.nanoseconds(Int64.random(in: 0...pause.nanoseconds / 2))
        count += 1
        return now + pause + jitter < until ? pause + jitter : nil
    }
}
