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

    @Test(arguments: [Int64.min, .min + 1, -1_000_000_001, -1_000_000_000, -1, 0, 1, .max - 1, .max])
    func everyInstantHasMillisecondsAndATextInBothForms(_ nanoseconds: Int64) {
        let instant = Instant(nanosecondsSince1970: nanoseconds)
        #expect((0...999).contains(instant.milliseconds))
        for text in [Timestamp.iso8601(instant), Timestamp.iso8601Milliseconds(instant)] {
            #expect(
                Timestamp.parseISO8601(text.utf8)?.secondsSince1970 == instant.secondsSince1970 || nanoseconds == .min
            )
        }
        #expect(Timestamp.parseHTTP(Timestamp.http(instant).utf8) != nil)
        #expect(Timestamp.parseAmz(Timestamp.amz(instant).utf8) != nil)
    }

    @Test func theYearOneIsTheEarliestTimeThatThereIs() throws {
        let zero = try #require(Timestamp.parseISO8601("0001-01-01T00:00:00Z".utf8))
        #expect(zero.nanosecondsSince1970 == .min)
        #expect(Timestamp.iso8601Milliseconds(zero) == "1677-09-21T00:12:43.145Z")
    }

    @Test func durationsBetweenInstantsHaveASign() {
        let early = Instant(secondsSince1970: 100)
        let late = early + .milliseconds(1500)
        #expect(late.duration(since: early) == .milliseconds(1500))
        #expect(early.duration(since: late) == .milliseconds(-1500))
        #expect(early < late)
    }
}
