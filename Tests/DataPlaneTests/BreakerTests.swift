import Identity
import NIOCore
import Testing

@testable import DataPlane

@Suite("A store that does not answer is left alone but for one try in each pause")
struct BreakerTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private static let next = start + Breaker.pause
    private static let instant = TimeAmount.nanoseconds(1)

    private let one = Breaker.Caller(.user("one"), from: [])
    private let other = Breaker.Caller(.user("other"), from: [])

    /// Opened at the start by failures alone.
    private static func open() -> Breaker {
        var breaker = Breaker()
        for _ in 0..<Breaker.threshold { _ = breaker.exchangeFailed(of: nil, at: start) }
        return breaker
    }

    @Test("Only failures in a row open it, and the one that does says so")
    func threshold() {
        var breaker = Breaker()
        for _ in 1..<Breaker.threshold {
            let opened = breaker.exchangeFailed(of: nil, at: Self.start)
            #expect(!opened)
        }
        breaker.exchangeAnswered()
        for _ in 1..<Breaker.threshold {
            let opened = breaker.exchangeFailed(of: nil, at: Self.start)
            #expect(!opened, "failures before the last answer count")
        }
        let (first, second) = (breaker.mayTry(one, at: Self.start), breaker.mayTry(one, at: Self.start))
        #expect(first && second)
        let opened = breaker.exchangeFailed(of: nil, at: Self.start)
        #expect(opened)
        let refused = !breaker.mayTry(one, at: Self.start)
        #expect(refused)
        let openedAgain = breaker.exchangeFailed(of: nil, at: Self.start)
        #expect(!openedAgain, "it was open already")
    }

    @Test("The pause begins with the failure that opened it")
    func pause() {
        var breaker = Breaker()
        for early in (1...Breaker.threshold).reversed() {
            _ = breaker.exchangeFailed(of: nil, at: Self.start - .milliseconds(Int64(early - 1)))
        }
        let early = breaker.mayTry(one, at: Self.next - Self.instant)
        #expect(!early)
        let due = breaker.mayTry(one, at: Self.next)
        #expect(due, "nobody would ever find out that it is back")
    }

    @Test("One tries in each pause, also where the try before it has no outcome yet")
    func oneTry() {
        var breaker = Self.open()
        for number in 0..<3 {
            let due = Self.next + .milliseconds(Int64(number) * 1_500)
            let tries = breaker.mayTry(one, at: due)
            #expect(tries, "all wait for one that says nothing")
            for moment in [due, due + .milliseconds(1), due + Breaker.pause - Self.instant] {
                let another = breaker.mayTry(one, at: moment)
                #expect(!another, "all come at once")
            }
        }
    }

    @Test("What fails while it is open pushes the next try no further away, nor do those that are refused")
    func failuresMeanwhile() {
        var breaker = Self.open()
        let meanwhile = Self.start + .milliseconds(600)
        _ = breaker.exchangeFailed(of: nil, at: meanwhile)
        let refused = !breaker.mayTry(one, at: meanwhile)
        let timedOut = breaker.exchangeTimedOut(of: one, after: breaker.answers, at: meanwhile)
        #expect(refused && !timedOut)
        let first = breaker.mayTry(one, at: Self.next)
        #expect(first, "a later failure moved the try")
        _ = breaker.exchangeFailed(of: nil, at: Self.next + .milliseconds(900))
        let second = breaker.mayTry(one, at: Self.next + Breaker.pause)
        #expect(second, "the failed try moved the next")
    }

    @Test("An answer closes it at once, however many failed, and it takes as many failures again to open it")
    func answer() {
        var breaker = Self.open()
        for _ in 0..<100 { _ = breaker.exchangeFailed(of: nil, at: Self.start) }
        breaker.exchangeAnswered()
        for _ in 1..<Breaker.threshold {
            let tries = breaker.mayTry(one, at: Self.start)
            #expect(tries)
            _ = breaker.exchangeFailed(of: nil, at: Self.start)
        }
        let late = Self.next + .seconds(60)
        let opened = breaker.exchangeFailed(of: nil, at: late)
        let (early, due) = (
            breaker.mayTry(one, at: late + Breaker.pause - Self.instant), breaker.mayTry(one, at: late + Breaker.pause)
        )
        #expect(opened && !early && due)
    }

    @Test("Slow exchanges, however many, do not open it where others were answered since they began")
    func slowExchanges() {
        var breaker = Breaker()
        let earlier = breaker.answers
        breaker.exchangeAnswered()
        for _ in 0..<Breaker.threshold * 2 {
            let opened = breaker.exchangeTimedOut(of: one, after: earlier, at: Self.start)
            #expect(!opened, "one caller's slow requests close the store for all")
        }
        let later = breaker.answers
        for number in 1...Breaker.threshold {
            let opened = breaker.exchangeTimedOut(of: one, after: later, at: Self.start)
            #expect(opened == (number == Breaker.threshold), "nothing was answered since they began")
        }
        let tries = breaker.mayTry(one, at: Self.start)
        #expect(!tries)
    }

    @Test("What one caller's exchanges did to it leaves the store alone for that caller only")
    func oneCaller() {
        var breaker = Breaker()
        for _ in 0..<Breaker.threshold * 2 { _ = breaker.exchangeTimedOut(of: one, after: 0, at: Self.start) }
        let refused = !breaker.mayTry(one, at: Self.start)
        #expect(refused)
        for _ in 0..<3 {
            let passes = breaker.mayTry(other, at: Self.start)
            #expect(passes, "one caller closes the store for all")
        }
        let (first, second) = (breaker.mayTry(one, at: Self.next), breaker.mayTry(one, at: Self.next))
        #expect(first && !second)
        let others = breaker.mayTry(other, at: Self.next)
        #expect(others, "the try of one is taken from the others")
        breaker.exchangeAnswered()
        let again = breaker.mayTry(one, at: Self.start)
        #expect(again)
    }

    @Test("The first failure of somebody else closes it for all, and is told", arguments: [true, false])
    func secondCaller(isKnown: Bool) {
        var breaker = Breaker()
        for _ in 0..<Breaker.threshold { _ = breaker.exchangeFailed(of: one, at: Self.start) }
        let told = breaker.exchangeFailed(of: isKnown ? other : nil, at: Self.start)
        let toldAgain = breaker.exchangeFailed(of: one, at: Self.start)
        #expect(told && !toldAgain)
        let passes = breaker.mayTry(other, at: Self.start)
        #expect(!passes)
    }

    @Test("Nobody known is told apart by address")
    func anonymous() {
        let (near, far) = (Breaker.Caller(.anonymous, from: [1]), Breaker.Caller(nil, from: [2]))
        #expect(near != far && near == Breaker.Caller(nil, from: [1]))
        #expect(one == Breaker.Caller(.user("one"), from: [9]))
    }
}
