import Testing
import WireFormats

@Suite struct SizesTests {
    @Test(
        arguments: [
            ("0", 0), ("100", 100), ("7B", 7), ("1KB", 1000), ("1kB", 1000), ("32KiB", 32_768), ("1MB", 1_000_000),
            ("8 MiB", 8_388_608), ("5TiB", 5_497_558_138_880), ("1GB", 1_000_000_000), ("2GiB", 2_147_483_648),
            ("9223372036854775807", .max),
        ] as [(String, Int64)]
    )
    func sizesAreRead(_ text: String, _ bytes: Int64) {
        #expect(Sizes.parse(text) == bytes)
        #expect(Sizes.parse(Sizes.render(bytes)) == bytes)
    }

    @Test(arguments: [
        "", "B", "KiB", "-1", "+1", "1.5GiB", "1 000", "1kib", "1K", "1PiB", "1  MiB", "1MiB ", " 1",
        "9223372036854775808",
        "9000000TiB", "0x10", "１",
    ])
    func anythingElseIsNil(_ text: String) {
        #expect(Sizes.parse(text) == nil)
    }
}

@Suite struct DurationsTests {
    @Test(
        arguments: [
            ("200ms", .milliseconds(200)), ("10s", .seconds(10)), ("5m", .seconds(300)), ("1h", .seconds(3600)),
            ("30d", .seconds(2_592_000)), ("0s", .zero),
        ] as [(String, Duration)]
    )
    func durationsAreRead(_ text: String, _ duration: Duration) {
        #expect(Durations.parse(text) == duration)
        #expect(Durations.parse(Durations.render(duration)) == duration)
    }

    @Test(arguments: [
        "", "s", "10", "-1s", "+1s", "1.5s", "1 s", "1S", "1w", "1h30m", "99999999999999999999s", "9999999999999d",
    ])
    func anythingElseIsNil(_ text: String) {
        #expect(Durations.parse(text) == nil)
    }
}

@Suite struct SecretTests {
    @Test func noWayOfPrintingShowsTheValue() {
        struct Holder { let secret = Secret("planted") }
        let secret = Secret("planted")
        var dumped = ""
        dump(Holder(), to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), "\(Holder())", String(reflecting: Holder()), dumped] {
            #expect(!text.contains("planted"))
        }
        #expect("\(secret)" == "***")
        #expect(secret.reveal() == "planted")
    }
}

@Suite struct ConstantTimeTests {
    @Test func equalityIsEquality() {
        let bytes: [UInt8] = [1, 2, 3]
        #expect(constantTimeEqual(bytes, bytes))
        #expect(constantTimeEqual([UInt8](), [UInt8]()))
        #expect(!constantTimeEqual(bytes, [1, 2]))
        #expect(!constantTimeEqual(bytes, [1, 2, 4]))
        #expect(!constantTimeEqual(bytes, [129, 2, 3]))
    }
}
