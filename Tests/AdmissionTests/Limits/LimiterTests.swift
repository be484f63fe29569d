import Identity
import Testing
import WireFormats

@testable import Admission

@Suite struct LimiterTests {
    private static let start = Instant(secondsSince1970: 1_800_000_000)

    private func ask(_ limiter: Limiter, _ name: Int, _ limits: RequestLimits, _ now: Instant) -> Bool {
        limiter.count(.principal(.user(String(name))), limits, at: now) == nil
    }

    @Test(arguments: 0..<6)
    func everyCallerIsHeldToTheDefinition(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let limiter = Limiter(activeCallers: 64, shards: 4)
        let amount = Int64.random(in: 1...40, using: &random)
        let seconds = Int64.random(in: 1...120, using: &random)
        let limits = RequestLimits(requests: RateLimit(amount: amount, window: .seconds(seconds)))
        var past: [Int: [Instant]] = [:]
        var now = Self.start
        for _ in 0..<8000 {
            now = now + .milliseconds(Int.random(in: 0...200, using: &random))
            let caller = Int.random(in: 0..<20, using: &random)
            let used = past[caller, default: []].filter { now.duration(since: $0) < .seconds(seconds) }
            let admitted = ask(limiter, caller, limits, now)
            #expect(admitted == (used.count < Int(amount)))
            past[caller] = used + (admitted ? [now] : [])
        }
    }

    @Test func oneHundredThousandCallersAreExactAndMemoryStaysBoundedBeyond() throws {
        let limiter = Limiter()
        let limits = RequestLimits(requests: try RateLimit(requests: "2/60s"))
        for _ in 0..<2 {
            var refused = 0
            for name in 0..<100_000 where !ask(limiter, name, limits, Self.start) { refused += 1 }
            #expect(refused == 0)
        }
        var admitted = 0
        for name in 0..<100_000 where ask(limiter, name, limits, Self.start + .seconds(59)) { admitted += 1 }
        #expect(admitted == 0)
        for name in 100_000..<200_000 { _ = ask(limiter, name, limits, Self.start + .seconds(59)) }
        #expect(limiter.accountCount <= Limiter.activeCallers * 5 / 4 + 16 * 64 + Limiter.sharedAccounts)
        #expect(limiter.exactEventCapacity <= Limiter.exactEvents)
    }

    @Test func threadsTogetherGetNoMoreThanOneWould() async throws {
        let limiter = Limiter()
        let limits = RequestLimits(requests: try RateLimit(requests: "1000/60s"), concurrentRequests: 50)
        let admitted = await withTaskGroup(of: Int.self) { group in
            for task in 0..<4 {
                group.addTask {
                    (0..<2000).count { ask(limiter, 1, limits, Self.start + .microseconds(task * 7 + $0)) }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(admitted == 1000)
    }

    @Test func withoutLimitsNothingIsKept() {
        let limiter = Limiter()
        for name in 0..<100 { #expect(ask(limiter, name, .unlimited, Self.start)) }
        #expect(limiter.accountCount == 0)
    }

    @Test func failedAuthenticationsHaveABudgetPerAddress() throws {
        let limiter = Limiter()
        let attacker = try #require(IPAddress("2001:db8::1"))
        let neighbour = try #require(IPAddress("2001:db8::ffff"))
        let other = try #require(IPAddress("192.0.2.7"))
        let limits = RequestLimits.failedAuthentications
        for _ in 0..<100 {
            #expect(limiter.count(.failedAuthentication(from: attacker), limits, at: Self.start) == nil)
        }
        let refusal = limiter.count(.failedAuthentication(from: neighbour), limits, at: Self.start + .seconds(20))
        #expect(refusal?.retryAfterSeconds == 40)
        #expect(limiter.count(.failedAuthentication(from: other), limits, at: Self.start) == nil)
        #expect(limiter.count(.anonymous(from: attacker), limits, at: Self.start) == nil)
    }

    @Test func aLimitOfMillionsIsNeverExceeded() throws {
        let limiter = Limiter()
        let limits = RequestLimits(requests: try RateLimit(requests: "20000/10s"))
        var admitted: [Int64] = []
        for index in 0..<120_000 {
            let now = Self.start + .microseconds(index * 250)
            if ask(limiter, 1, limits, now) { admitted.append(now.nanosecondsSince1970) }
        }
        var first = 0
        var most = 0
        for last in admitted.indices {
            while admitted[last] - admitted[first] >= 10_000_000_000 { first += 1 }
            most = max(most, last - first + 1)
        }
        #expect(most <= 20_000)
        #expect(admitted.count > 20_000 * 29 / 10, "nor held back by more than a part of the window")
    }
}
