import Testing
import WireFormats

@Suite struct TimestampTests {
    @Test(
        arguments: [
            (0, "19700101T000000Z", "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z"),
            (784_111_777, "19941106T084937Z", "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"),
            (951_782_400, "20000229T000000Z", "Tue, 29 Feb 2000 00:00:00 GMT", "2000-02-29T00:00:00Z"),
            (1_369_353_600, "20130524T000000Z", "Fri, 24 May 2013 00:00:00 GMT", "2013-05-24T00:00:00Z"),
            (1_798_761_600, "20270101T000000Z", "Fri, 01 Jan 2027 00:00:00 GMT", "2027-01-01T00:00:00Z"),
            (4_107_542_399, "21000228T235959Z", "Sun, 28 Feb 2100 23:59:59 GMT", "2100-02-28T23:59:59Z"),
            (-1, "19691231T235959Z", "Wed, 31 Dec 1969 23:59:59 GMT", "1969-12-31T23:59:59Z"),
        ] as [(Int64, String, String, String)]
    )
    func eachFormGoesBothWays(_ seconds: Int64, _ amz: String, _ http: String, _ iso: String) {
        let instant = Instant(secondsSince1970: seconds)
        #expect(Timestamp.amz(instant) == amz)
        #expect(Timestamp.http(instant) == http)
        #expect(Timestamp.iso8601(instant) == iso)
        #expect(Timestamp.parseAmz(amz.utf8) == instant)
        #expect(Timestamp.parseHTTP(http.utf8) == instant)
        #expect(Timestamp.parseISO8601(iso.utf8) == instant)
    }

    @Test func everyDayOfFourCenturiesComesBack() {
        for day in stride(from: Int64(-100_000), to: 100_000, by: 1) {
            let instant = Instant(secondsSince1970: day * 86_400 + 12_345)
            var bytes: [UInt8] = []
            Timestamp.appendAmz(instant, to: &bytes)
            if Timestamp.parseAmz(bytes) != instant { Issue.record("day \(day)") }
        }
    }

    @Test func millisecondsAreThreeDigits() {
        let instant = Instant(secondsSince1970: 0) + .milliseconds(7)
        #expect(Timestamp.iso8601Milliseconds(instant) == "1970-01-01T00:00:00.007Z")
        #expect(Timestamp.parseISO8601("1970-01-01T00:00:00.007Z".utf8) == instant)
        #expect(Timestamp.iso8601Milliseconds(Instant(nanosecondsSince1970: -1)) == "1969-12-31T23:59:59.999Z")
    }

    @Test(arguments: [
        "", "20130524T000000", "20130524T000000z", "20130524T240000Z", "20130524T006000Z", "20130229T000000Z",
        "20130024T000000Z", "20131324T000000Z", "20130500T000000Z", "20130532T000000Z", "2013052AT000000Z",
        "+0130524T000000Z", "20130524 000000Z", "20130524T000000ZZ", "20130524T000061Z", "２０130524T000Z",
    ])
    func malformedCompactTimesAreNil(_ text: String) {
        #expect(Timestamp.parseAmz(text.utf8) == nil)
    }

    @Test func theObsoleteHTTPFormsAreRead() {
        let instant = Instant(secondsSince1970: 784_111_777)
        #expect(Timestamp.parseHTTP("Sunday, 06-Nov-94 08:49:37 GMT".utf8) == instant)
        #expect(Timestamp.parseHTTP("Sun Nov  6 08:49:37 1994".utf8) == instant)
    }

    @Test(arguments: [
        "", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Son, 06 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ", "1994-11-06T08:49:37Z 00000000",
    ])
    func malformedHTTPDatesAreNil(_ text: String) {
        #expect(Timestamp.parseHTTP(text.utf8) == nil)
    }

    @Test(
        arguments: [
            ("2027-01-01T02:00:00+02:00", 1_798_761_600), ("2026-12-31T23:30:00-00:30", 1_798_761_600),
            ("2027-01-01T00:00:00.000000000Z", 1_798_761_600),
        ] as [(String, Int64)]
    )
    func offsetsAndFractionsAreRead(_ text: String, _ seconds: Int64) {
        #expect(Timestamp.parseISO8601(text.utf8) == Instant(secondsSince1970: seconds))
    }

    @Test(arguments: [
        "2027-01-01", "2027-01-01T00:00:00", "2027-01-01 00:00:00Z", "2027-01-01T00:00:00.Z",
        "2027-01-01T00:00:00.0000000000Z", "2027-01-01T00:00:00+0200", "2027-01-01T00:00:00+24:00",
        "2027-02-29T00:00:00Z", "2027-01-01T00:00:00Zx", "2027-1-01T00:00:00Z0",
    ])
    func malformedISOTimesAreNil(_ text: String) {
        #expect(Timestamp.parseISO8601(text.utf8) == nil)
    }

    @Test func theFarFutureDoesNotTrap() {
        #expect(Timestamp.parseAmz("99991231T235959Z".utf8)?.nanosecondsSince1970 == .max)
        #expect(Timestamp.parseISO8601("0000-01-01T00:00:00+23:59".utf8)?.nanosecondsSince1970 == .min)
        _ = Timestamp.amz(Instant(nanosecondsSince1970: .min))
        _ = Timestamp.http(Instant(nanosecondsSince1970: .max))
    }
}
