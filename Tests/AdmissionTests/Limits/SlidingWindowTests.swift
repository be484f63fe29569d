import Testing

@testable import Admission

/// The window by its definition: every event is kept, and looked at every time.
private struct NaiveWindow {
    let window: Int64
    var events: [(time: Int64, weight: Int64)] = []

    func used(at now: Int64) -> Int64 { events.reduce(0) { now - $1.time < window ? $0 + $1.weight : $0 } }

    /// The first moment from `now` on at which less than `amount` is used.
    func room(at now: Int64, below amount: Int64) -> Int64 {
        let ends = events.map { $0.time + window }.filter { $0 > now }.sorted()
        return ([now] + ends).first { used(at: $0) < amount } ?? .max
    }
}

@Suite struct SlidingWindowTests {
    private static let second: Int64 = 1_000_000_000

    @Test(arguments: 0..<24)
    func agreesWithTheDefinitionExactly(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let window = Int64.random(in: 1...100, using: &random) * Self.second
        let limit = Int64.random(in: 1...60, using: &random)
        let heaviest: Int64 = seed.isMultiple(of: 2) ? 1 : 9
        var subject = SlidingWindow(window: window, precision: .exactAtFirst)
        var reference = NaiveWindow(window: window)
        var now = Int64.random(in: -5...5, using: &random) * Self.second
        for _ in 0..<1500 {
            // Often the same instant, often exactly a window later, else anything.
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4: break
            case 4: now += window
            case 5: now += window - 1
            default: now += Int64.random(in: 0...(window / 8), using: &random)
            }
            #expect(subject.used(at: now) == reference.used(at: now))
            let room = reference.room(at: now, below: limit)
            #expect(subject.wait(at: now, below: limit) == (room > now ? room - now : nil))
            if room == now {
                let weight = Int64.random(in: 1...heaviest, using: &random)
                subject.add(weight, at: now, room: .max)
                reference.events.append((now, weight))
            }
        }
    }

    @Test(arguments: 0..<24)
    func countersNeverFallBelowTheDefinitionNorPastOnePartMore(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let window = Int64.random(in: 1...10_000_000_000, using: &random)
        let step = max(1, (window + 63) / 64)
        var subject = SlidingWindow(window: window, precision: .counted)
        var reference = NaiveWindow(window: window)
        var wider = NaiveWindow(window: window + step)
        var now = Int64.random(in: -3 * window...3 * window, using: &random)
        for _ in 0..<1000 {
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<3: break
            case 3: now += window
            case 4: now += step
            case 5: now += window * 3
            default: now += Int64.random(in: 0...max(1, window / 20), using: &random)
            }
            let used = subject.used(at: now)
            #expect(used >= reference.used(at: now))
            #expect(used <= wider.used(at: now))
            let amount = Int64.random(in: 1...50, using: &random)
            if let wait = subject.wait(at: now, below: amount) {
                // What it says comes true, and not a moment earlier.
                var later = subject
                #expect(later.used(at: now + wait - 1) >= amount)
                #expect(later.used(at: now + wait) < amount)
            } else {
                let weight = Int64.random(in: 1...4, using: &random)
                subject.add(weight, at: now, room: .max)
                reference.events.append((now, weight))
                wider.events.append((now, weight))
            }
        }
    }

    @Test(arguments: [0, 7, 63, 10_000])
    func fallsBackToCountersWithoutForgetting(_ room: Int) {
        let window = 60 * Self.second
        var subject = SlidingWindow(window: window, precision: .exactAtFirst)
        var reference = NaiveWindow(window: window)
        for index in 0..<12_000 {
            let now = Int64(index) * 4_000_000
            subject.add(1, at: now, room: room - subject.logCapacity)
            reference.events.append((now, 1))
            #expect(subject.logCapacity <= room)
            if index.isMultiple(of: 97) || index > 11_900 { #expect(subject.used(at: now) >= reference.used(at: now)) }
        }
        #expect(subject.logCapacity == 0, "more events than the log holds")
        let end = 12_000 * Int64(4_000_000)
        #expect(subject.used(at: end + window + window / 64 + 1) == 0)
    }

    @Test func tenThousandEventsAreExactAndGiveTheirMemoryBack() {
        let window = 10 * Self.second
        var subject = SlidingWindow(window: window, precision: .exactAtFirst)
        for index in 0..<10_000 { subject.add(1, at: Int64(index) * 1000, room: .max) }
        #expect(subject.wait(at: 10_000_000, below: 10_000) == window - 10_000_000)
        #expect(subject.used(at: window + 4999 * 1000) == 5000)
        #expect(subject.logCapacity == 10_000)
        #expect(subject.used(at: window + 10_000_000) == 0)
        #expect(subject.logCapacity == 0)
    }

    @Test(arguments: [SlidingWindow.Precision.exactAtFirst, .counted])
    func anotherWindowLengthKeepsWhatItStillCovers(_ precision: SlidingWindow.Precision) {
        var subject = SlidingWindow(window: 60 * Self.second, precision: precision)
        for index in 0..<60 { subject.add(1, at: Int64(index) * Self.second, room: .max) }
        var shorter = subject
        shorter.adopt(window: 10 * Self.second, at: 59 * Self.second)
        #expect((10...12).contains(shorter.used(at: 59 * Self.second)))
        var longer = subject
        longer.adopt(window: 600 * Self.second, at: 59 * Self.second)
        #expect(longer.used(at: 300 * Self.second) == 60)
    }

    @Test func absurdWeightsDoNotOverflow() {
        var subject = SlidingWindow(window: Self.second, precision: .exactAtFirst)
        for _ in 0..<10_050 { subject.add(.max, at: 0, room: .max) }
        subject.add(-5, at: 0, room: .max)
        #expect(subject.used(at: 0) == 10_050 * SlidingWindow.maximumWeight)
    }
}
