import S3API
import Testing

@Suite("Ranges of copied parts")
struct CopySourceRangeTests {
    @Test(
        "Two offsets in order",
        arguments: [
            ("bytes=0-0", Int64(0), Int64(0)), ("bytes=5-9", 5, 9), ("bytes=007-8", 7, 8),
            ("bytes=0-999999999999999999", 0, 999_999_999_999_999_999),
        ]
    )
    func good(text: String, first: Int64, last: Int64) throws {
        #expect(try CopySourceRange(parsing: text.utf8) == CopySourceRange(first: first, last: last))
    }

    @Test(
        "Anything else is refused",
        arguments: [
            "", "bytes=", "bytes=-", "bytes=0-", "bytes=-1", "bytes=2-1", "0-1", "bytes 0-1", "bytes=0-1,2-3",
            "bytes=0 -1",
            "bytes=+0-1", "bytes=0-1-2", "bytes=0x0-1", "Bytes=0-1", "bytes=0-9999999999999999999", "bytes=٠-١",
        ]
    )
    func bad(text: String) {
        #expect(throws: S3Error.self) { try CopySourceRange(parsing: text.utf8) }
    }

    @Test("Written as a Range")
    func written() {
        #expect(CopySourceRange(first: 3, last: 7).range == "bytes=3-7")
        #expect(CopySourceRange(first: 3, last: 7).length == 5)
    }
}
