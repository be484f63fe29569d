/// The limits that one principal, or address, is held to; absent ones don't limit.
public struct RequestLimits: Hashable, Sendable {
    public var requests: RateLimit?
    /// Both directions together. A request is admitted while the window has room at all: what flows afterwards is
    /// charged in full and delays the next one.
    public var bytes: RateLimit?
    /// How many requests may be under way at once; nil or 0: any number.
    public var concurrentRequests: Int?

    public init(requests: RateLimit? = nil, bytes: RateLimit? = nil, concurrentRequests: Int? = nil) {
        self.requests = requests
        self.bytes = bytes
        self.concurrentRequests = concurrentRequests.flatMap { $0 > 0 ? $0 : nil }
    }

    public static let unlimited = RequestLimits()
    /// For ``LimitKey/failedAuthentication(from:)``.
    public static let failedAuthentications = RequestLimits(requests: .failedAuthentications)
    /// For ``LimitKey/sts(from:)``.
    public static let sts = RequestLimits(requests: .sts)

    public var isUnlimited: Bool { requests == nil && bytes == nil && concurrentRequests == nil }
}

/// Which limit a request ran into.
public enum LimitKind: String, CaseIterable, Sendable {
    case requests
    case bytes
    case concurrentRequests = "concurrent_requests"
}

/// A request over a limit: 429 `SlowDown`. It was not counted.
public struct LimitRefusal: Hashable, Sendable {
    public let limit: LimitKind
    /// After this time the same request is admitted, if the caller sends no other one meanwhile.
    public let retryAfter: Duration

    /// `Retry-After`: whole seconds, rounded up, at least 1 (RFC 9110, section 10.2.3).
    public var retryAfterSeconds: Int64 {
        let (seconds, fraction) = retryAfter.components
        return max(1, fraction > 0 ? seconds + 1 : seconds)
    }
}
