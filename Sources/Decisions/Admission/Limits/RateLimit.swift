import WireFormats

/// So many requests, or bytes, in any span of a given length: `100/60s`, `10GiB/1h`. The window slides: every
/// interval of that length counts, not only those that begin at a round minute.
public struct RateLimit: Hashable, Sendable {
    /// How much fits into one window; at least 1.
    public let amount: Int64
    /// Between 1 ms and 366 days.
    public let window: Duration

    public static let windows: ClosedRange<Duration> = .milliseconds(1) ... .seconds(366 * 86_400)

    /// Nil when the amount is not positive or the window out of range.
    public init?(amount: Int64, window: Duration) {
        guard amount > 0, Self.windows.contains(window) else { return nil }
        self.amount = amount
        self.window = window
    }

    private init(knownAmount amount: Int64, window: Duration) {
        self.amount = amount
        self.window = window
    }

    /// A `requests` setting: a whole number, a slash, a duration with unit (`100/60s`).
    public init(requests text: String) throws(RateLimitError) {
        try self.init(text, example: "100/60s") { amount in
            amount.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int64(amount) : nil
        }
    }

    /// A `bytes` setting: a byte count, a slash, a duration with unit (`10GiB/1h`).
    public init(bytes text: String) throws(RateLimitError) {
        try self.init(text, example: "10GiB/1h", amount: Sizes.parse)
    }

    private init(_ text: String, example: String, amount: (String) -> Int64?) throws(RateLimitError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw RateLimitError("'\(text)' is not a limit; write it like \(example)") }
        guard let count = amount(String(parts[0])), count > 0 else {
            throw RateLimitError("'\(parts[0])' is not a positive amount; write the limit like \(example)")
        }
        guard let window = Durations.parse(String(parts[1])), Self.windows.contains(window) else {
            throw RateLimitError("'\(parts[1])' is not a window between 1ms and 366d; write the limit like \(example)")
        }
        self.init(knownAmount: count, window: window)
    }

    /// How often one address may fail to authenticate before it is answered 429 instead of 403: 100 times in any
    /// minute. Far above what a misconfigured client does, far below what guessing needs.
    public static let failedAuthentications = RateLimit(knownAmount: 100, window: .seconds(60))

    /// How often one address may ask for sessions: 600 times in any minute. Jobs that begin together behind one address
    /// get theirs; signatures are not verified for anybody without end.
    public static let sts = RateLimit(knownAmount: 600, window: .seconds(60))

    var windowNanoseconds: Int64 { window.saturatingNanoseconds }
}

/// What is wrong with a limit in the configuration.
public struct RateLimitError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
