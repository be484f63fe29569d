/// The limits that one principal, or address, is held to; absent ones don't limit.
package struct RequestLimits: Hashable, Sendable {
    package var requests: RateLimit?
    /// Both directions together. A request is admitted while the window has room at all: what flows afterwards is
    /// charged in full and delays the next one.
    package var bytes: RateLimit?
    /// How many requests may be under way at once; nil or 0: any number.
    package var concurrentRequests: Int?

    package init(requests: RateLimit? = nil, bytes: RateLimit? = nil, concurrentRequests: Int? = nil) {
        self.requests = requests
        self.bytes = bytes
        self.concurrentRequests = concurrentRequests.flatMap { $0 > 0 ? $0 : nil }
    }

    package static let unlimited = RequestLimits()
    /// For ``LimitKey/failedAuthentication(from:)``.
    package static let failedAuthentications = RequestLimits(requests: .failedAuthentications)

    package var isUnlimited: Bool { requests == nil && bytes == nil && concurrentRequests == nil }
}

/// Which limit a request ran into.
package enum LimitKind: String, CaseIterable, Sendable {
    case requests
    case bytes
    case concurrentRequests = "concurrent_requests"
}

/// A request over a limit: 429 `SlowDown`. It was not counted.
package struct LimitRefusal: Hashable, Sendable {
    package let limit: LimitKind
    /// After this time the same request is admitted, if the caller sends no other one meanwhile.
    package let retryAfter: Duration

    /// `Retry-After`: whole seconds, rounded up, at least 1 (RFC 9110, section 10.2.3).
    package var retryAfterSeconds: Int64 {
        let (seconds, fraction) = retryAfter.components
        return max(1, fraction > 0 ? seconds + 1 : seconds)
    }
}
