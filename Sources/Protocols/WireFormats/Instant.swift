/// A point in time: nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX time).
///
/// Reaches from 1677 to 2262. Arithmetic saturates at those ends instead of trapping, because operands come from the
/// wire: a year 9999 in a request is merely far away.
public struct Instant: Hashable, Comparable, Sendable {
    public var nanosecondsSince1970: Int64

    public init(nanosecondsSince1970: Int64) {
        self.nanosecondsSince1970 = nanosecondsSince1970
    }

    public init(secondsSince1970: Int64) {
        nanosecondsSince1970 = saturating(
            secondsSince1970.multipliedReportingOverflow(by: 1_000_000_000),
            secondsSince1970
        )
    }

    /// Whole seconds, rounded towards the past.
    public var secondsSince1970: Int64 {
        let (quotient, remainder) = nanosecondsSince1970.quotientAndRemainder(dividingBy: 1_000_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// The milliseconds within the second, 0...999.
    public var milliseconds: Int64 {
        let remainder = nanosecondsSince1970 % 1_000_000_000
        return (remainder < 0 ? remainder + 1_000_000_000 : remainder) / 1_000_000
    }

    /// Days since 1970-01-01, rounded towards the past.
    public var daysSince1970: Int64 {
        let (quotient, remainder) = secondsSince1970.quotientAndRemainder(dividingBy: 86_400)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// How long after `earlier` this is; negative where it is before.
    public func duration(since earlier: Instant) -> Duration {
        .nanoseconds(nanosecondsSince1970) - .nanoseconds(earlier.nanosecondsSince1970)
    }

    public static func < (left: Instant, right: Instant) -> Bool {
        left.nanosecondsSince1970 < right.nanosecondsSince1970
    }

    public static func + (instant: Instant, duration: Duration) -> Instant {
        let step = duration.saturatingNanoseconds
        return Instant(
            nanosecondsSince1970: saturating(instant.nanosecondsSince1970.addingReportingOverflow(step), step)
        )
    }

    public static func - (instant: Instant, duration: Duration) -> Instant {
        instant + (.zero - duration)
    }
}

extension Duration {
    /// Nanoseconds, held within `Int64`.
    public var saturatingNanoseconds: Int64 {
        Int64(clamping: attoseconds / 1_000_000_000)
    }
}

private func saturating(_ result: (partialValue: Int64, overflow: Bool), _ sign: Int64) -> Int64 {
    guard result.overflow else { return result.partialValue }
    return sign < 0 ? .min : .max
}
