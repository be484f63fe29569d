import NIOCore
import Testing

@testable import DataPlane

@Suite("A store that does not answer is left alone but for one try in each pause")
struct BreakerTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private static let next = start + Breaker.pause
    private static let instant = TimeAmount.nanoseconds(1)

    /// Opened at the start by failures alone.
    private static func open() -> Breaker {
        var breaker = Breaker()
        for _ in 0..<Breaker.threshold { _ = breaker.exchangeFailed(at: start) }
        return breaker
    }

    @Test("Only failures in a row open it, and the one that does says so")
    func threshold() {
        var breaker = Breaker()
        for _ in 1..<Breaker.threshold {
            let opened = breaker.exchangeFailed(at: Self.start)
            #expect(!opened)
        }
        breaker.exchangeAnswered()
        for _ in 1..<Breaker.threshold {
            let opened = breaker.exchangeFailed(at: Self.start)
            #expect(!opened, "failures before the last answer count")
        }
        let (first, second) = (breaker.mayTry(at: Self.start), breaker.mayTry(at: Self.start))
        #expect(first && second)
        let opened = breaker.exchangeFailed(at: Self.start)
        #expect(opened)
        let refused = !breaker.mayTry(at: Self.start)
        #expect(refused)
        let openedAgain = breaker.exchangeFailed(at: Self.start)
        #expect(!openedAgain, "it was open already")
    }

    @Test("The pause begins with the failure that opened it")
    func pause() {
        var breaker = Breaker()
        for early in (1...Breaker.threshold).reversed() {
            _ = breaker.exchangeFailed(at: Self.start - .milliseconds(Int64(early - 1)))
        }
        let early = breaker.mayTry(at: Self.next - Self.instant)
        #expect(!early)
        let due = breaker.mayTry(at: Self.next)
        #expect(due, "nobody would ever find out that it is back")
    }

    @Test("One tries in each pause, also where the try before it has no outcome yet")
    func oneTry() {
        var breaker = Self.open()
        for number in 0..<3 {
            let due = Self.next + .milliseconds(Int64(number) * 1_500)
            let tries = breaker.mayTry(at: due)
            #expect(tries, "all wait for one that says nothing")
            for moment in [due, due + .milliseconds(1), due + Breaker.pause - Self.instant] {
                let another = breaker.mayTry(at: moment)
                #expect(!another, "all come at once")
            }
        }
    }

    @Test("What fails while it is open pushes the next try no further away, nor do those that are refused")
    func failuresMeanwhile() {
        var breaker = Self.open()
        let meanwhile = Self.start + .milliseconds(600)
        _ = breaker.exchangeFailed(at: meanwhile)
        let refused = !breaker.mayTry(at: meanwhile)
        let timedOut = breaker.exchangeTimedOut(after: breaker.answers, at: meanwhile)
        #expect(refused && !timedOut)
        let first = breaker.mayTry(at: Self.next)
        #expect(first, "a later failure moved the try")
        _ = breaker.exchangeFailed(at: Self.next + .milliseconds(900))
        let second = breaker.mayTry(at: Self.next + Breaker.pause)
        #expect(second, "the failed try moved the next")
    }

    @Test("An answer closes it at once, however many failed, and it takes as many failures again to open it")
    func answer() {
        var breaker = Self.open()
        for _ in 0..<100 { _ = breaker.exchangeFailed(at: Self.start) }
        breaker.exchangeAnswered()
        for _ in 1..<Breaker.threshold {
            let tries = breaker.mayTry(at: Self.start)
            #expect(tries)
            _ = breaker.exchangeFailed(at: Self.start)
        }
        let late = Self.next + .seconds(60)
        let opened = breaker.exchangeFailed(at: late)
        let (early, due) = (
            breaker.mayTry(at: late + Breaker.pause - Self.instant), breaker.mayTry(at: late + Breaker.pause)
        )
        #expect(opened && !early && due)
    }

    @Test("Slow exchanges, however many, do not open it where others were answered since they began")
    func slowExchanges() {
        var breaker = Breaker()
        let earlier = breaker.answers
        breaker.exchangeAnswered()
        for _ in 0..<Breaker.threshold * 2 {
            let opened = breaker.exchangeTimedOut(after: earlier, at: Self.start)
            #expect(!opened, "one caller's slow requests close the store for all")
        }
        let later = breaker.answers
        for number in 1...Breaker.threshold {
            let opened = breaker.exchangeTimedOut(after: later, at: Self.start)
            #expect(opened == (number == Breaker.threshold), "nothing was answered since they began")
        }
        let tries = breaker.mayTry(at: Self.start)
        #expect(!tries)
    }
}
