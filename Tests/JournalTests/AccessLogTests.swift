import Foundation
import Identity
import Testing
import WireFormats

@testable import Journal

struct AccessLogFormatTests {
    private func line(_ record: RequestRecord, _ format: AccessLogFormat = .json) -> String {
        var clock = LineClock()
        var bytes: [UInt8] = []
        format.append(record, clock: &clock, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func aJSONLineHoldsWhatHappened() throws {
        let text = line(record(0x1234))
        #expect(text.hasSuffix("}\n"))
        let fields = try object(text)
        #expect(fields["time"] as? String == "2027-01-01T00:00:00.123Z")
        #expect(fields["request_id"] as? String == "0000000000001234")
        #expect(fields["client"] as? String == "192.0.2.7")
        #expect(fields["principal"] as? String == "user:alice")
        #expect(fields["path"] as? String == "/photos/a/b.txt")
        #expect(fields["operation"] as? String == "get_object")
        #expect(fields["status"] as? Int == 200)
        #expect(fields["bytes_out"] as? Int == 1024)
        #expect(fields["duration_ms"] as? Double == 1.234)
        #expect(fields["backend_ms"] as? Double == 0.9)
        #expect(fields["verdict"] as? String == "allowed")
    }

    @Test(arguments: [("dir/a b", "dir/a b"), ("x\ny \u{1B}\"", "x\ny \u{1B}\"")])
    func aCopyNamesItsSource(key: String, shown: String) throws {
        var copy = record()
        copy.copied = CopiedFrom(bucket: "docs", key: Array(key.utf8))
        #expect(try object(line(copy))["copied_from"] as? String == "docs/" + shown)
        #expect(try object(line(record()))["copied_from"] == nil)
        let text = line(copy, .text)
        #expect(text.contains(" from=docs/"))
        #expect(text.filter { $0 == "\n" }.count == 1)
    }

    @Test func aTextLineIsOneLineWhateverTheClientSent() {
        var nasty = record()
        nasty.path = Array("/a\nb\r\u{1B}[31m\u{85}é".utf8) + [0xFF]
        nasty.reason = "x\ny"
        let text = line(nasty, .text)
        #expect(text.filter { $0 == "\n" }.count == 1)
        #expect(!text.utf8.contains(0x1B))
        #expect(text.contains("/a\\nb\\r\\u001b[31m\\u0085é\\ufffd"))
    }

    @Test(arguments: [
        Array("\"\\\u{0}\u{1F}\u{7F}\u{85}\u{2028}😀ü".utf8), [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF5, 0x80],
        [0xE2, 0x82],
        [0xF0, 0x9F, 0x98], [0x80], [0xC2],
    ])
    func everyByteSequenceBecomesAJSONString(bytes: [UInt8]) throws {
        var odd = record()
        odd.userAgent = bytes
        let fields = try object(line(odd))
        let expected = String(decoding: bytes, as: UTF8.self)
        let got = try #require(fields["user_agent"] as? String)
        if String(validating: bytes, as: UTF8.self) != nil {
            #expect(Array(got.utf8) == Array(expected.utf8))
        } else {
            #expect(got.unicodeScalars.allSatisfy { $0 == "\u{FFFD}" })
        }
    }

    @Test func theTokenOfALinkIsNotWritten() {
        var link = record()
        link.path = Array("/-/l/s3cr3t-token/dir/a.txt".utf8)
        #expect(!line(link).contains("s3cr3t"))
        #expect(line(link).contains("/-/l/***/dir/a.txt"))
        link.path = Array("/-/l/s3cr3t-token".utf8)
        #expect(!line(link, .text).contains("s3cr3t"))
    }

    @Test func longValuesAreCutBetweenScalars() throws {
        var long = record()
        long.userAgent = Array(String(repeating: "é", count: 4000).utf8)
        let fields = try object(line(long))
        let agent = try #require(fields["user_agent"] as? String)
        #expect(agent == String(repeating: "é", count: 256) + "…")
    }

    @Test func unknownCallersAreADash() throws {
        var unknown = record()
        unknown.principal = nil
        unknown.verdict = .unauthenticated
        #expect(try object(line(unknown))["principal"] as? String == "-")
    }
}

struct AccessLogTests {
    @Test func linesReachTheFileInOrder() async throws {
        let directory = try TemporaryDirectory()
        let log = try AccessLog(path: directory.file("access.log"), format: .json)
        let journal = LoopJournal(accessLog: log, auditLog: nil)
        var asked = 0
        journal.scheduleFlush = { asked += 1 }
        for number in 1...50 { journal.finished(record(UInt64(number))) }
        #expect(asked == 1)
        journal.flush()
        await log.flush()
        let ids = try lines(directory.file("access.log")).map { try object($0)["request_id"] as? String }
        #expect(ids == (1...50).map { RequestID(random: $0).description })
        journal.finished(record(51))
        #expect(asked == 2)
        #expect(log.droppedLines == 0)
    }

    @Test func aBigBufferLeavesWithoutBeingAsked() async throws {
        let directory = try TemporaryDirectory()
        let log = try AccessLog(path: directory.file("access.log"), format: .json)
        let journal = LoopJournal(accessLog: log, auditLog: nil)
        for number in 1...1000 { journal.finished(record(UInt64(number))) }
        await log.flush()
        #expect(try lines(directory.file("access.log")).count > 500)
    }

    @Test func afterLogrotateTheNewFileIsUsed() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("access.log")
        let log = try AccessLog(path: path, format: .text)
        log.submit(Array("one\n".utf8), count: 1)
        await log.flush()
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        log.submit(Array("two\n".utf8), count: 1)
        await log.flush()
        try log.reopen()
        log.submit(Array("three\n".utf8), count: 1)
        await log.flush()
        #expect(try lines(path + ".1") == ["one", "two"])
        #expect(try lines(path) == ["three"])
    }

    @Test func aFileThatCannotBeOpenedIsAnError() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("missing/access.log")
        #expect(throws: LogFileError.self) { try AccessLog(path: path, format: .json) }
    }

    @Test func aBacklogBeyondItsBoundIsDroppedAndCounted() async throws {
        let gate = DispatchSemaphore(value: 0)
        let queue = LineQueue(label: "test", maximumBytes: 10) { chunks in
            gate.wait()
            return chunks.count
        }
        #expect(queue.submit(.init(bytes: [1, 2, 3, 4, 5, 6], lines: 2)))
        #expect(!queue.submit(.init(bytes: [1, 2, 3, 4, 5, 6], lines: 3)))
        #expect(queue.droppedLines == 3)
        gate.signal()
        await queue.flush()
        #expect(queue.submit(.init(bytes: [1, 2, 3, 4, 5, 6], lines: 2)))
        gate.signal()
        await queue.flush()
        #expect(queue.droppedLines == 3)
    }

    @Test func aFullDiskCostsLinesNotTheProcess() async throws {
        let log = try AccessLog(path: "/dev/full", format: .json)
        log.submit(Array("one\ntwo\n".utf8), count: 2)
        await log.flush()
        #expect(log.droppedLines == 2)
    }
}
