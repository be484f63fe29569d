import NIOCore
import Testing

@testable import DataPlane

@Suite("Requests that connections lost go out again, a few times, after pauses that grow")
struct ReplaysTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    @Test("A dead pooled connection is replaced at once, and once")
    func pooled() {
        var replays = Replays()
        let first = replays.next(wasPooled: true, within: .seconds(60), now: Self.start)
        #expect(first == .zero)
        let second = replays.next(wasPooled: true, within: .seconds(60), now: Self.start) ?? .zero
        #expect(second >= .milliseconds(50))
    }

    @Test("Pauses double, with at most half as much again; then it is enough")
    func pauses() {
        var jitter: Set<Int64> = []
        for _ in 0..<20 {
            var replays = Replays()
            for number in 0..<Replays.limit {
                let least = TimeAmount.milliseconds(50 << Int64(number))
                let pause = replays.next(wasPooled: false, within: .seconds(60), now: Self.start) ?? .zero
                #expect(pause >= least && pause.nanoseconds <= least.nanoseconds * 3 / 2)
                jitter.insert(pause.nanoseconds - least.nanoseconds)
            }
            let beyond = replays.next(wasPooled: false, within: .seconds(60), now: Self.start)
            #expect(beyond == nil)
        }
        #expect(jitter.count > 50, "everybody comes back at the same moment")
    }

    @Test("After the window there is no next time")
    func window() {
        var replays = Replays()
        let first = replays.next(wasPooled: true, within: .milliseconds(200), now: Self.start)
        #expect(first != nil)
        let late = replays.next(wasPooled: false, within: .milliseconds(200), now: Self.start + .milliseconds(199))
        #expect(late == nil)
    }
}
