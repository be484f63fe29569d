public import WireFormats

/// A clock that never goes back, made of one that may. Readings that are a little old (another thread's, a small
/// correction) count as now; if the clock was set back, time goes on from where it was. Without that, one wrong
/// reading in the future would keep every window full until that future came.
public struct SteadyClock: Sendable {
    /// Steps back up to this are taken for jitter.
    public static let tolerance: Int64 = 1_000_000_000
    private static let range: ClosedRange<Int64> = -(1 << 61)...(1 << 61)

    private var latest: Int64?
    private var offset: Int64 = 0

    public init() {}

    /// Nanoseconds; comparable with other readings of this clock only.
    public mutating func reading(_ now: Instant) -> Int64 {
        let wall = min(max(now.nanosecondsSince1970, Self.range.lowerBound), Self.range.upperBound)
        guard let latest else {
            self.latest = wall
            return wall
        }
        let time = wall + offset
        if time >= latest {
            self.latest = time
            return time
        }
        if latest - time > Self.tolerance { offset += latest - time }
        return latest
    }
}
