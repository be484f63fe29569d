import Testing
import WireFormats

@Suite struct InstantTests {
    @Test func farAwayTimesSaturateInsteadOfTrapping() {
        #expect(Instant(secondsSince1970: .max).nanosecondsSince1970 == .max)
        #expect(Instant(secondsSince1970: .min).nanosecondsSince1970 == .min)
        #expect((Instant(nanosecondsSince1970: .max) + .seconds(1)).nanosecondsSince1970 == .max)
        #expect((Instant(nanosecondsSince1970: .min) - .seconds(1)).nanosecondsSince1970 == .min)
        #expect((Instant(secondsSince1970: 0) + .seconds(Int64.max)).nanosecondsSince1970 == .max)
    }

    @Test func secondsRoundTowardsThePast() {
        let instant = Instant(nanosecondsSince1970: -1)
        #expect(instant.secondsSince1970 == -1)
        #expect(instant.milliseconds == 999)
        #expect(instant.daysSince1970 == -1)
    }

    @Test func durationsBetweenInstantsHaveASign() {
        let early = Instant(secondsSince1970: 100)
        let late = early + .milliseconds(1500)
        #expect(late.duration(since: early) == .milliseconds(1500))
        #expect(early.duration(since: late) == .milliseconds(-1500))
        #expect(early < late)
    }
}
