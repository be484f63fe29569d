import WireFormats

/// Durations counted in fixed buckets of seconds, as Prometheus wants them.
package struct Histogram: Sendable, Equatable {
    /// Upper bounds in nanoseconds with their text.
    static let bounds: [(nanoseconds: Int64, label: StaticString)] = [
        (500_000, "0.0005"), (1_000_000, "0.001"), (2_500_000, "0.0025"), (5_000_000, "0.005"), (10_000_000, "0.01"),
        (25_000_000, "0.025"), (50_000_000, "0.05"), (100_000_000, "0.1"), (250_000_000, "0.25"),
        (500_000_000, "0.5"), (1_000_000_000, "1"), (2_500_000_000, "2.5"), (5_000_000_000, "5"),
        (10_000_000_000, "10"), (30_000_000_000, "30"), (60_000_000_000, "60"),
    ]

    /// Per bucket, not cumulative; the last counts what is above every bound.
    private(set) var counts = [UInt64](repeating: 0, count: Histogram.bounds.count + 1)
    private(set) var sumNanoseconds: Double = 0

    package init() {}

    package mutating func count(_ duration: Duration) {
        let value = duration.saturatingNanoseconds
        var index = 0
        while index < Self.bounds.count, value > Self.bounds[index].nanoseconds { index += 1 }
        counts[index] += 1
        sumNanoseconds += Double(max(0, value))
    }

    mutating func merge(_ other: Histogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        sumNanoseconds += other.sumNanoseconds
    }
}
