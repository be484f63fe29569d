/// Timestamps as text, always UTC: the compact AWS form, HTTP dates, and ISO 8601. Nothing here touches Foundation.
public enum Timestamp {
    // MARK: AWS: `20130524T000000Z`

    public static func amz(_ instant: Instant) -> String {
        string { appendAmz(instant, to: &$0) }
    }

    public static func appendAmz(_ instant: Instant, to bytes: inout [UInt8]) {
        let time = CivilTime(instant)
        bytes.append(digits: time.year, width: 4)
        bytes.append(digits: time.month, width: 2)
        bytes.append(digits: time.day, width: 2)
        bytes.append(UInt8(ascii: "T"))
        bytes.append(digits: time.hour, width: 2)
        bytes.append(digits: time.minute, width: 2)
        bytes.append(digits: time.second, width: 2)
        bytes.append(UInt8(ascii: "Z"))
    }

    /// Exactly `YYYYMMDD'T'HHMMSS'Z'`; anything else is nil.
    public static func parseAmz(_ bytes: some Collection<UInt8>) -> Instant? {
        guard bytes.count == 16 else { return nil }
        var scanner = TimeScanner(bytes)
        guard let year = scanner.number(width: 4), let month = scanner.number(width: 2),
            let day = scanner.number(width: 2), scanner.skip("T"), let hour = scanner.number(width: 2),
            let minute = scanner.number(width: 2), let second = scanner.number(width: 2), scanner.skip("Z")
        else { return nil }
        return CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)?.instant
    }

    // MARK: HTTP: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7)

    public static func http(_ instant: Instant) -> String {
        string { appendHTTP(instant, to: &$0) }
    }

    public static func appendHTTP(_ instant: Instant, to bytes: inout [UInt8]) {
        let time = CivilTime(instant)
        let weekday = ((instant.daysSince1970 + 4) % 7 + 7) % 7
        bytes.append(contentsOf: weekdayNames[Int(weekday)].utf8.prefix(3))
        bytes.append(contentsOf: ", ".utf8)
        bytes.append(digits: time.day, width: 2)
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: monthNames[Int(time.month) - 1].utf8)
        bytes.append(UInt8(ascii: " "))
        bytes.append(digits: time.year, width: 4)
        bytes.append(UInt8(ascii: " "))
        appendClock(time, to: &bytes)
        bytes.append(contentsOf: " GMT".utf8)
    }

    /// All three forms of RFC 9110: IMF-fixdate, RFC 850 (two-digit years below 70 are 20xx) and asctime.
    /// The weekday must be a weekday's name but is not compared with the date.
    public static func parseHTTP(_ bytes: some Collection<UInt8>) -> Instant? {
        guard (24...40).contains(bytes.count) else { return nil }
        var scanner = TimeScanner(bytes)
        guard let weekday = scanner.name() else { return nil }
        let short = weekdayNames.contains { $0.prefix(3).utf8.elementsEqual(weekday) }
        let long = weekdayNames.contains { $0.utf8.elementsEqual(weekday) }
        if short, scanner.skip(", ") {
            guard let day = scanner.number(width: 2), scanner.skip(" "), let month = scanner.month(),
                scanner.skip(" "), let year = scanner.number(width: 4), scanner.skip(" "),
                let clock = scanner.clock(), scanner.skip(" GMT"), scanner.atEnd
            else { return nil }
            return instant(year, month, day, clock)
        }
        if long, scanner.skip(", ") {
            guard let day = scanner.number(width: 2), scanner.skip("-"), let month = scanner.month(),
                scanner.skip("-"), let year = scanner.number(width: 2), scanner.skip(" "),
                let clock = scanner.clock(), scanner.skip(" GMT"), scanner.atEnd
            else { return nil }
            return instant(year + (year < 70 ? 2000 : 1900), month, day, clock)
        }
        guard short, scanner.skip(" "), let month = scanner.month(), scanner.skip(" "),
            let day = scanner.skip(" ") ? scanner.number(width: 1) : scanner.number(width: 2), scanner.skip(" "),
            let clock = scanner.clock(), scanner.skip(" "), let year = scanner.number(width: 4), scanner.atEnd
        else { return nil }
        return instant(year, month, day, clock)
    }

    // MARK: ISO 8601: `2027-01-01T00:00:00Z`

    public static func iso8601(_ instant: Instant) -> String {
        string {
            appendDateAndClock(instant, to: &$0)
            $0.append(UInt8(ascii: "Z"))
        }
    }

    /// With exactly three decimals, as S3 writes `LastModified`: `2027-01-01T00:00:00.000Z`.
    public static func iso8601Milliseconds(_ instant: Instant) -> String {
        string { appendISO8601Milliseconds(instant, to: &$0) }
    }

    public static func appendISO8601Milliseconds(_ instant: Instant, to bytes: inout [UInt8]) {
        appendDateAndClock(instant, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        bytes.append(digits: instant.milliseconds, width: 3)
        bytes.append(UInt8(ascii: "Z"))
    }

    /// RFC 3339 with `T`, 0-9 decimals, and `Z` or a numeric offset.
    public static func parseISO8601(_ bytes: some Collection<UInt8>) -> Instant? {
        guard (20...35).contains(bytes.count) else { return nil }
        var scanner = TimeScanner(bytes)
        guard let year = scanner.number(width: 4), scanner.skip("-"), let month = scanner.number(width: 2),
            scanner.skip("-"), let day = scanner.number(width: 2), scanner.skip("T"), let clock = scanner.clock()
        else { return nil }
        var nanoseconds: Int64 = 0
        if scanner.skip(".") {
            guard let fraction = scanner.fraction() else { return nil }
            nanoseconds = fraction
        }
        guard let offset = scanner.zone(), scanner.atEnd, let whole = instant(year, month, day, clock) else {
            return nil
        }
        return whole + .nanoseconds(nanoseconds) - .seconds(offset)
    }

    // MARK: Parts

    private static func string(_ write: (inout [UInt8]) -> Void) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        write(&bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func appendDateAndClock(_ instant: Instant, to bytes: inout [UInt8]) {
        let time = CivilTime(instant)
        bytes.append(digits: time.year, width: 4)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(digits: time.month, width: 2)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(digits: time.day, width: 2)
        bytes.append(UInt8(ascii: "T"))
        appendClock(time, to: &bytes)
    }

    private static func appendClock(_ time: CivilTime, to bytes: inout [UInt8]) {
        bytes.append(digits: time.hour, width: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(digits: time.minute, width: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(digits: time.second, width: 2)
    }

    private static func instant(
        _ year: Int64,
        _ month: Int64,
        _ day: Int64,
        _ clock: (hour: Int64, minute: Int64, second: Int64)
    ) -> Instant? {
        CivilTime(
            year: year,
            month: month,
            day: day,
            hour: clock.hour,
            minute: clock.minute,
            second: clock.second
        )?.instant
    }
}

let weekdayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
let monthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

extension [UInt8] {
    /// Appends a non-negative number in decimal, padded with zeros to `width`.
    mutating func append(digits value: Int64, width: Int) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: width) { digits in
            var rest = value
            for place in (0..<width).reversed() {
                digits[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            append(contentsOf: UnsafeBufferPointer(digits))
        }
    }
}
