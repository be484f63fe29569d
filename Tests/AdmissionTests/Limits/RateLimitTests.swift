import Testing

@testable import Admission

@Suite struct RateLimitTests {
    @Test(arguments: [
        ("100/60s", 100, Duration.seconds(60)), ("1/1ms", 1, .milliseconds(1)), ("5000/1h", 5000, .seconds(3600)),
        ("10000000/30d", 10_000_000, .seconds(30 * 86_400)),
    ])
    func readsRequests(_ text: String, _ amount: Int64, _ window: Duration) throws {
        let limit = try RateLimit(requests: text)
        #expect(limit.amount == amount)
        #expect(limit.window == window)
    }

    @Test(arguments: [("10GiB/1h", 10 << 30), ("1000/10s", 1000), ("1MB/1m", 1_000_000)])
    func readsBytes(_ text: String, _ amount: Int64) throws {
        #expect(try RateLimit(bytes: text).amount == amount)
    }

    @Test(arguments: [
        "", "/", "100", "100/", "/60s", "100/60", "0/60s", "-1/60s", "+1/60s", "1.5/60s", "100 /60s", "100/60s/1h",
        "100/0s", "100/400d", "1e3/60s", "10KiB/60s", "99999999999999999999/60s", "100/-1s", "\u{0661}/60s",
    ])
    func refusesRequests(_ text: String) {
        #expect(throws: RateLimitError.self) { try RateLimit(requests: text) }
    }

    @Test(arguments: ["", "10GiB", "10XB/1h", "0B/1h", "10GiB/1y", "-1KiB/1s"])
    func refusesBytes(_ text: String) {
        #expect(throws: RateLimitError.self) { try RateLimit(bytes: text) }
    }

    @Test func retryAfterIsRoundedUpToWholeSeconds() {
        #expect(LimitRefusal(limit: .requests, retryAfter: .nanoseconds(1)).retryAfterSeconds == 1)
        #expect(LimitRefusal(limit: .requests, retryAfter: .seconds(2)).retryAfterSeconds == 2)
        #expect(LimitRefusal(limit: .requests, retryAfter: .milliseconds(2001)).retryAfterSeconds == 3)
    }
}
