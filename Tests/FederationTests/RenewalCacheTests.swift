import Testing
import WireFormats

@testable import Federation

@Suite("Renewal of credentials")
struct RenewalCacheTests {
    /// The cache with a clock that stands still until it is told, and everything it wants done.
    struct Played {
        var cache = RenewalCache<String, String>()
        var now = Instant(secondsSince1970: 1_000_000)
        var exchanges: [(source: String, attempt: Int)] = []
        var changes = 0
        var failures: [String] = []
        var answers: [Int: String] = [:]
        var jitter = 0.0

        mutating func carryOut(_ effects: [RenewalCache<String, String>.Effect]) {
            for effect in effects {
                switch effect {
                case .exchange(let source, let attempt): exchanges.append((source, attempt))
                case .changed: changes += 1
                case .failed(_, let reason): failures.append(reason)
                case .answer(let waiters, let answer): for waiter in waiters { answers[waiter] = Self.text(answer) }
                }
            }
        }

        static func text(_ answer: RenewalCache<String, String>.Answer) -> String {
            switch answer {
            case .ready(let held): held.credential
            case .unavailable(let reason, let retryAfter): "\(reason), again in \(retryAfter)"
            }
        }

        /// What is known at once; nil: the waiter waits.
        @discardableResult
        mutating func need(_ source: String = "role", waiter: Int = 0) -> String? {
            let (need, effects) = cache.need(source, waiter: waiter, at: now, jitter: jitter)
            carryOut(effects)
            guard case .known(let answer) = need else { return nil }
            return Self.text(answer)
        }

        mutating func succeed(_ credential: String, lasting lifetime: Duration = .seconds(3600), attempt: Int? = nil) {
            let (source, last) = exchanges.last ?? ("", 0)
            carryOut(
                cache.succeeded(
                    source,
                    attempt: attempt ?? last,
                    credential,
                    expiresAt: now + lifetime,
                    at: now,
                    jitter: jitter
                )
            )
        }

        mutating func fail(_ reason: String) {
            let (source, attempt) = exchanges.last ?? ("", 0)
            carryOut(cache.failed(source, attempt: attempt, reason: reason, at: now, jitter: jitter))
        }

        mutating func pass(_ time: Duration) {
            now = now + time
            carryOut(cache.tick(at: now, jitter: jitter))
        }

        mutating func retain(_ sources: Set<String>) {
            carryOut(cache.retain(sources, at: now, jitter: jitter))
        }
    }

    @Test("A thousand requests that find nothing cause one exchange, and all get what came of it")
    func thousandColdRequests() {
        var played = Played()
        for waiter in 1...1000 { #expect(played.need(waiter: waiter) == nil) }
        #expect(played.exchanges.count == 1)
        played.succeed("first")
        #expect(played.answers.count == 1000)
        #expect(played.answers.values.allSatisfy { $0 == "first" })
        #expect(played.changes == 1)
        #expect(played.need() == "first")
        #expect(played.exchanges.count == 1)
    }

    @Test("A thousand requests at the time of renewal cause one exchange, and none of them waits")
    func thousandWarmRequests() {
        var played = Played()
        played.retain(["role"])
        played.succeed("first")
        played.now = played.now + .seconds(2700)
        for waiter in 1...1000 { #expect(played.need(waiter: waiter) == "first") }
        #expect(played.exchanges.count == 2)
        played.succeed("second")
        #expect(played.need() == "second")
        #expect(played.answers.isEmpty)
    }

    @Test("What the configuration names is asked for before any request, and renewed after three quarters of its life")
    func background() {
        var played = Played()
        played.retain(["role"])
        #expect(played.exchanges.count == 1)
        played.succeed("first")
        played.pass(.seconds(2699))
        #expect(played.exchanges.count == 1)
        played.pass(.seconds(1))
        #expect(played.exchanges.count == 2)
        played.succeed("second")
        played.pass(.seconds(2700))
        #expect(played.exchanges.count == 3)
    }

    @Test(
        "Chance brings a renewal forward by up to a tenth of the life",
        arguments: [(0.0, 2700), (0.5, 2520), (1.0, 2340)]
    )
    func jitter(_ chance: Double, _ seconds: Int) {
        var played = Played()
        played.jitter = chance
        played.retain(["role"])
        played.succeed("first")
        played.pass(.seconds(seconds - 1))
        #expect(played.exchanges.count == 1)
        played.pass(.milliseconds(1001))
        #expect(played.exchanges.count == 2)
    }

    @Test("A renewal that hangs makes nobody wait while the old credential is good, and is tried again")
    func hangingRenewal() {
        var played = Played()
        played.retain(["role"])
        played.succeed("first")
        played.pass(.seconds(2700))
        #expect(played.exchanges.count == 2)
        played.pass(.seconds(14))
        #expect(played.need() == "first")
        #expect(played.exchanges.count == 2)
        played.pass(.seconds(1))
        #expect(played.failures == ["no answer within 15.0 seconds"])
        #expect(played.need() == "first")
        played.pass(.seconds(1))
        #expect(played.exchanges.count == 3)
        // What hung before answers after all, and is nobody's any more.
        played.succeed("stale", attempt: played.exchanges[1].attempt)
        #expect(played.need() == "first")
        played.succeed("second")
        #expect(played.need() == "second")
    }

    @Test("A renewal that fails makes nobody wait, and pauses twice as long each time, a minute at most")
    func failingRenewal() {
        var played = Played()
        played.jitter = 1
        played.retain(["role"])
        played.succeed("first", lasting: .seconds(36_000))
        played.pass(.seconds(27_000))
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            let before = played.exchanges.count
            played.fail("AccessDenied")
            #expect(played.need() == "first")
            played.pass(.seconds(pause) - .milliseconds(1))
            #expect(played.exchanges.count == before)
            played.pass(.milliseconds(1))
            #expect(played.exchanges.count == before + 1)
        }
        played.succeed("second")
        #expect(played.need() == "second")
        #expect(played.cache.conditions.first?.failures == 8)
        #expect(played.cache.conditions.first?.problem == nil)
    }

    @Test("Requests that wait for an exchange that fails are told so, and those within the pause at once")
    func coldFailure() {
        var played = Played()
        played.jitter = 1
        #expect(played.need(waiter: 1) == nil)
        #expect(played.need(waiter: 2) == nil)
        played.fail("InvalidIdentityToken")
        let told = "InvalidIdentityToken, again in 1.0 seconds"
        #expect(played.answers == [1: told, 2: told])
        #expect(played.need(waiter: 3) == told)
        #expect(played.exchanges.count == 1)
        played.now = played.now + .seconds(1)
        #expect(played.need(waiter: 4) == nil)
        #expect(played.exchanges.count == 2)
    }

    @Test("Requests that wait for an exchange that hangs are told so when its time is over")
    func coldHang() {
        var played = Played()
        played.retain(["role"])
        #expect(played.need(waiter: 1) == nil)
        played.pass(.seconds(15))
        #expect(played.answers[1] == "no answer within 15.0 seconds, again in 1.0 seconds")
    }

    @Test("Nothing is signed with a credential that is about to end")
    func aboutToEnd() {
        var played = Played()
        played.retain(["role"])
        played.succeed("first")
        played.pass(.seconds(2700))
        played.fail("away")
        played.now = played.now + .seconds(840) - .milliseconds(1)
        #expect(played.need() == "first")
        played.fail("away")
        played.now = played.now + .milliseconds(1)
        #expect(played.need()?.hasPrefix("away") == true)
    }

    @Test("A tenth of a short life is what is not used of it")
    func shortLife() {
        var played = Played()
        played.need(waiter: 1)
        played.succeed("first", lasting: .seconds(20))
        #expect(played.cache.held("role")?.usableUntil == played.now + .seconds(18))
    }

    @Test("A credential that has ended when it comes is none")
    func endedAlready() {
        var played = Played()
        played.need(waiter: 1)
        played.succeed("first", lasting: .zero)
        #expect(played.answers[1]?.hasPrefix("the credential that came has ended already") == true)
        #expect(played.cache.held("role") == nil)
    }

    @Test("A store's refusal has another credential asked for: once, and not where it is the newest anyway")
    func refusal() {
        var played = Played()
        played.retain(["role"])
        played.succeed("first")
        let version = played.cache.held("role")?.version ?? 0
        played.carryOut(played.cache.refused("role", version: version, at: played.now))
        #expect(played.exchanges.count == 1)
        played.pass(.seconds(10))
        for _ in 1...100 { played.carryOut(played.cache.refused("role", version: version, at: played.now)) }
        #expect(played.exchanges.count == 2)
        #expect(played.need() == "first")
        played.succeed("second")
        played.pass(.seconds(10))
        played.carryOut(played.cache.refused("role", version: version, at: played.now))
        #expect(played.exchanges.count == 2)
    }

    @Test("Refusals don't shorten the pause after a failure")
    func refusalWhilePaused() {
        var played = Played()
        played.jitter = 1
        played.retain(["role"])
        played.succeed("first")
        let version = played.cache.held("role")?.version ?? 0
        played.pass(.seconds(10))
        played.carryOut(played.cache.refused("role", version: version, at: played.now))
        played.fail("AccessDenied")
        for _ in 1...100 { played.carryOut(played.cache.refused("role", version: version, at: played.now)) }
        #expect(played.exchanges.count == 2)
    }

    @Test("Sources share nothing")
    func sources() {
        var played = Played()
        #expect(played.need("one", waiter: 1) == nil)
        #expect(played.need("two", waiter: 2) == nil)
        #expect(played.exchanges.map(\.source) == ["one", "two"])
        played.succeed("of two")
        #expect(played.answers == [2: "of two"])
    }

    @Test("What the configuration names no more is forgotten when it ends, and not renewed")
    func forgotten() {
        var played = Played()
        played.retain(["role"])
        played.succeed("first")
        played.retain([])
        #expect(played.need() == "first")
        played.pass(.seconds(2600))
        #expect(played.exchanges.count == 1)
        #expect(played.cache.conditions.isEmpty)
        played.pass(.seconds(1000))
        #expect(played.cache.held("role") == nil)
        #expect(played.exchanges.count == 1)
    }

    @Test("A credential that ended is not kept")
    func ended() {
        var played = Played()
        played.retain(["role"])
        played.succeed("first")
        played.pass(.seconds(2700))
        played.fail("away")
        played.now = played.now + .seconds(900)
        played.carryOut(played.cache.tick(at: played.now, jitter: 0))
        #expect(played.cache.held("role") == nil)
    }

    @Test("At the start many sources are asked for a few at a time, and none is left out")
    func manyAtOnce() {
        var played = Played()
        played.retain(Set((1...100).map(String.init)))
        #expect(played.exchanges.count == 16)
        var done = 0
        while done < played.exchanges.count {
            for (source, attempt) in played.exchanges[done...] {
                done += 1
                played.carryOut(
                    played.cache.succeeded(
                        source,
                        attempt: attempt,
                        "c",
                        expiresAt: played.now + .seconds(3600),
                        at: played.now,
                        jitter: 0
                    )
                )
            }
            played.pass(.seconds(1))
        }
        #expect(Set(played.exchanges.map(\.source)).count == 100)
        #expect(played.exchanges.count == 100)
    }

    @Test("Whoever has left is not answered, and the queue is bounded")
    func queue() {
        var played = Played()
        var rules = RenewalRules()
        rules.longestQueue = 2
        played.cache = RenewalCache(rules)
        #expect(played.need(waiter: 1) == nil)
        #expect(played.need(waiter: 2) == nil)
        #expect(played.need(waiter: 3)?.hasPrefix("too many requests wait") == true)
        played.cache.forget(1, of: "role")
        played.succeed("first")
        #expect(played.answers == [2: "first"])
    }
}
