import Identity
import Testing
import WireFormats

@testable import Admission

@Suite struct LimitLedgerTests {
    private static let start = Instant(secondsSince1970: 1_800_000_000)

    private func ledger(capacity: Int = 100, shared: Int = 4, exactEvents: Int = 100_000) -> LimitLedger {
        LimitLedger(.init(capacity: capacity, sharedAccounts: shared, exactEvents: exactEvents))
    }

    private func key(_ number: Int) -> HashedLimitKey { HashedLimitKey(.principal(.user("u\(number)"))) }

    private func limits(_ requests: String) throws -> RequestLimits {
        RequestLimits(requests: try RateLimit(requests: requests))
    }

    /// Admits and releases; the refusal otherwise.
    private func ask(
        _ ledger: inout LimitLedger,
        _ key: HashedLimitKey,
        _ limits: RequestLimits,
        _ now: Instant
    ) -> LimitRefusal? {
        switch ledger.admit(key, limits, at: now) {
        case .admitted(let permit):
            ledger.release(permit)
            return nil
        case .refused(let refusal):
            return refusal
        }
    }

    @Test func noDoubleBurstAcrossABoundary() throws {
        var ledger = ledger()
        let limits = try limits("100/60s")
        var admitted: [Int] = []
        // A burst just before and just after the full minute, then one request a second.
        let milliseconds =
            (0..<100).map { 59_900 + $0 / 2 } + (0..<100).map { 60_000 + $0 } + (0..<200).map { 61_000 + $0 * 1000 }
        for at in milliseconds where ask(&ledger, key(1), limits, Self.start + .milliseconds(at)) == nil {
            admitted.append(at)
        }
        for end in milliseconds {
            #expect(admitted.filter { $0 <= end && $0 > end - 60_000 }.count <= 100)
        }
        #expect(admitted.prefix(101).last == 120_000, "the first place to come free is that of the first request")
    }

    @Test func refusedRequestsAreNotCounted() throws {
        var ledger = ledger()
        let limits = try limits("3/10s")
        for _ in 0..<3 { #expect(ask(&ledger, key(1), limits, Self.start) == nil) }
        for second in 1..<10 {
            let refusal = ask(&ledger, key(1), limits, Self.start + .seconds(second))
            #expect(refusal == LimitRefusal(limit: .requests, retryAfter: .seconds(10 - second)))
        }
        for _ in 0..<3 { #expect(ask(&ledger, key(1), limits, Self.start + .seconds(10)) == nil) }
        #expect(ask(&ledger, key(1), limits, Self.start + .seconds(10)) != nil)
    }

    @Test func callersDoNotShareABudget() throws {
        var ledger = ledger()
        let limits = try limits("1/60s")
        let address = try #require(IPAddress("192.0.2.1"))
        let keys: [LimitKey] = [
            .principal(.user("a")), .principal(.key("a")), .principal(.user("b")), .anonymous(from: address),
            .failedAuthentication(from: address),
        ]
        for key in keys { #expect(ask(&ledger, HashedLimitKey(key), limits, Self.start) == nil) }
        for key in keys { #expect(ask(&ledger, HashedLimitKey(key), limits, Self.start) != nil) }
    }

    @Test func anIPv6SubscriberIsOneCaller() throws {
        let first = try #require(IPAddress("2001:db8:1:2::1"))
        let second = try #require(IPAddress("2001:db8:1:2:ffff::9"))
        let other = try #require(IPAddress("2001:db8:1:3::1"))
        #expect(LimitKey.anonymous(from: first) == .anonymous(from: second))
        #expect(LimitKey.anonymous(from: first) != .anonymous(from: other))
        #expect(LimitKey.anonymous(from: first) != .failedAuthentication(from: first))
    }

    @Test func requestsUnderWayAreLimitedAndTheRefusedOneTakesNothing() throws {
        var ledger = ledger()
        let limits = RequestLimits(requests: try RateLimit(requests: "3/60s"), concurrentRequests: 2)
        var permits: [LimitLedger.Permit] = []
        for _ in 0..<2 {
            guard case .admitted(let permit) = ledger.admit(key(1), limits, at: Self.start) else {
                Issue.record("refused")
                return
            }
            permits.append(permit)
        }
        let refusal = ask(&ledger, key(1), limits, Self.start)
        #expect(refusal?.limit == .concurrentRequests)
        #expect(refusal?.retryAfterSeconds == 1)
        ledger.release(permits[0])
        #expect(ask(&ledger, key(1), limits, Self.start) == nil)
        #expect(ask(&ledger, key(1), limits, Self.start)?.limit == .requests)
    }

    @Test func bytesDelayTheNextRequestUntilEnoughHasLeftTheWindow() throws {
        var ledger = ledger()
        let limits = RequestLimits(bytes: try RateLimit(bytes: "1000/10s"))
        guard case .admitted(let permit) = ledger.admit(key(1), limits, at: Self.start) else { return }
        ledger.charge(600, to: permit, at: Self.start + .seconds(1))
        #expect(ask(&ledger, key(1), limits, Self.start + .seconds(1)) == nil)
        ledger.charge(900, to: permit, at: Self.start + .seconds(2))
        #expect(
            ask(&ledger, key(1), limits, Self.start + .seconds(3))
                == LimitRefusal(limit: .bytes, retryAfter: .seconds(8))
        )
        ledger.release(permit)
        #expect(ask(&ledger, key(1), limits, Self.start + .seconds(11)) == nil)
    }

    @Test func aClockSetBackNeitherForgetsNorLocksOut() throws {
        var ledger = ledger()
        let limits = try limits("2/60s")
        let ahead = Self.start + .seconds(86_400)
        for _ in 0..<2 { #expect(ask(&ledger, key(1), limits, ahead) == nil) }
        // The clock was a day ahead and is set right: the window is still full, and empties in its time.
        #expect(ask(&ledger, key(1), limits, Self.start)?.retryAfter == .seconds(60))
        #expect(ask(&ledger, key(1), limits, Self.start + .seconds(59)) != nil)
        #expect(ask(&ledger, key(1), limits, Self.start + .seconds(60)) == nil)
    }

    @Test func readingsOfSeveralThreadsDoNotMakeTimeRun() throws {
        var ledger = ledger()
        let limits = try limits("10/1s")
        var admitted = 0
        for index in 0..<1000 {
            // Two clocks 5 ms apart, both standing nearly still.
            let now = Self.start + .milliseconds(index.isMultiple(of: 2) ? 5 : 0) + .microseconds(index)
            if ask(&ledger, key(1), limits, now) == nil { admitted += 1 }
        }
        #expect(admitted == 10)
    }

    @Test func idleAccountsAreClosed() throws {
        var ledger = ledger(capacity: 1000)
        let limits = try limits("5/1s")
        for number in 0..<1000 { #expect(ask(&ledger, key(number), limits, Self.start) == nil) }
        #expect(ledger.accountCount == 1000)
        for _ in 0..<600 { _ = ask(&ledger, key(0), limits, Self.start + .seconds(5)) }
        #expect(ledger.accountCount <= 2)
        #expect(ledger.exactEventCapacity <= 16)
    }

    @Test func activeCallersPushNobodyOutAndAreCountedEvenWhenTooMany() throws {
        var ledger = ledger(capacity: 50, shared: 4)
        let limits = try limits("2/60s")
        var admitted: [Int: Int] = [:]
        for round in 0..<5 {
            for number in 0..<200 where ask(&ledger, key(number), limits, Self.start + .seconds(round)) == nil {
                admitted[number, default: 0] += 1
            }
        }
        #expect(admitted.values.allSatisfy { $0 <= 2 }, "never more than the limit, whoever shares an account")
        #expect((0..<50).allSatisfy { admitted[$0] == 2 }, "who came first is counted exactly")
        #expect(ledger.accountCount <= 54)
    }

    @Test func whoMovesFromASharedAccountTakesNoFreshBudget() throws {
        var ledger = ledger(capacity: 1, shared: 1)
        let limits = try limits("1/60s")
        #expect(ask(&ledger, key(1), limits, Self.start) == nil)
        #expect(ask(&ledger, key(2), limits, Self.start + .seconds(50)) == nil, "shared from here on")
        // Caller 1's account is idle by now; caller 2 could have one of its own.
        #expect(ask(&ledger, key(2), limits, Self.start + .seconds(65)) != nil)
        #expect(ask(&ledger, key(2), limits, Self.start + .seconds(120)) == nil)
    }

    @Test func anAccountWithARequestUnderWayIsNotClosed() throws {
        var ledger = ledger(capacity: 10)
        let limits = RequestLimits(concurrentRequests: 1)
        guard case .admitted(let permit) = ledger.admit(key(0), limits, at: Self.start) else { return }
        for number in 1..<100 { _ = ask(&ledger, key(number), limits, Self.start + .seconds(number)) }
        #expect(ask(&ledger, key(0), limits, Self.start + .seconds(200))?.limit == .concurrentRequests)
        ledger.release(permit)
        #expect(ask(&ledger, key(0), limits, Self.start + .seconds(200)) == nil)
    }

    @Test func aStalePermitTouchesNobodyElse() throws {
        var ledger = ledger(capacity: 1)
        let limits = RequestLimits(bytes: try RateLimit(bytes: "10/1s"), concurrentRequests: 1)
        guard case .admitted(let old) = ledger.admit(key(0), limits, at: Self.start) else { return }
        ledger.release(old)
        guard case .admitted = ledger.admit(key(1), limits, at: Self.start + .seconds(9)) else { return }
        ledger.release(old)
        ledger.charge(1000, to: old, at: Self.start + .seconds(9))
        #expect(ask(&ledger, key(1), limits, Self.start + .seconds(9))?.limit == .concurrentRequests)
    }
}
