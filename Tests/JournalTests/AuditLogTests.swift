import Foundation
import Identity
import Testing
import WireFormats

@testable import Journal

struct AuditLogTests {
    private let now: @Sendable () -> Instant = { newYear }

    @Test func aLineSaysWhoDidWhatAndWhy() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("audit.jsonl")
        let log = try AuditLog(.init(path: path), now: now)
        await log.append(7...7)
        let all = try lines(path)
        #expect(all.count == 2)
        let opened = try object(all[0])
        #expect(opened["event"] as? String == "file_opened")
        #expect(opened["seq"] as? Int == 1)
        #expect(opened["prev"] as? String == String(repeating: "0", count: 64))
        let line = try object(all[1])
        #expect(line["seq"] as? Int == 2)
        #expect(line["prev"] as? String == opened["hash"] as? String)
        #expect(line["who"] as? String == "user:alice")
        #expect(line["action"] as? String == "get_object")
        #expect(line["bucket"] as? String == "photos")
        #expect(line["key"] as? String == "a/b.txt")
        #expect(line["verdict"] as? String == "allowed")
        #expect(line["reason"] as? String == "role user on allowed bucket")
        #expect(line["source"] as? String == "192.0.2.7")
        #expect(line["request_id"] as? String == "0000000000000007")
        #expect(line["hmac"] == nil)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        await log.close()
    }

    @Test func keysAreWrittenByteForByte() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("audit.jsonl")
        let log = try AuditLog(.init(path: path), now: now)
        let key = "q\"uo\\te/\u{85}\u{0}\n/e\u{301}\u{1F600}"
        let journal = LoopJournal(accessLog: nil, auditLog: log)
        journal.decided(record(key: key))
        journal.flush()
        await log.close()
        let line = try object(try lines(path)[1])
        #expect((line["key"] as? String).map { Array($0.utf8) } == Array(key.utf8))
        #expect(AuditVerifier.verify(path: path).broken == nil)
    }

    @Test func bothEndsOfACopyAreWritten() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("audit.jsonl")
        let log = try AuditLog(.init(path: path), now: now)
        let journal = LoopJournal(accessLog: nil, auditLog: log)
        var copy = record()
        copy.copied = CopiedFrom(bucket: "docs", key: Array("from \"here\"".utf8))
        journal.decided(copy)
        journal.flush()
        await log.close()
        let from = try object(try lines(path)[1])["copied_from"] as? [String: String]
        #expect(from == ["bucket": "docs", "key": "from \"here\""])
        #expect(AuditVerifier.verify(path: path).broken == nil)
    }

    @Test func nothingIsWrittenWhereNothingWasDecided() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("audit.jsonl")
        let log = try AuditLog(.init(path: path), now: now)
        let journal = LoopJournal(accessLog: nil, auditLog: log)
        var health = record()
        health.verdict = .undecided
        journal.decided(health)
        journal.flush()
        await log.close()
        #expect(try lines(path).count == 1)
    }

    @Test func theControlPlanesActionsJoinTheChain() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("audit.jsonl")
        let log = try AuditLog(.init(path: path), now: now)
        log.record(
            AuditedAction(
                at: newYear,
                principal: .user("root"),
                source: "127.0.0.1",
                action: "presign",
                bucket: "photos",
                key: Array("a".utf8),
                verdict: .allowed,
                reason: "ok",
                validUntil: newYear + .seconds(60)
            )
        )
        await log.close()
        let line = try object(try lines(path)[1])
        #expect(line["valid_until"] as? String == "2027-01-01T00:01:00.123Z")
        #expect(AuditVerifier.verify(path: path).broken == nil)
    }

    @Test func theChainContinuesOverARestart() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("audit.jsonl")
        for _ in 0..<3 {
            let log = try AuditLog(.init(path: path), now: now)
            await log.append(1...5)
            await log.close()
        }
        let report = AuditVerifier.verify(path: path)
        #expect(report.broken == nil)
        #expect(report.lastSequence == 1 + 15 + 2)
        #expect(try lines(path).filter { $0.contains("\"event\":\"started\"") }.count == 2)
    }

    @Test func theChainContinuesOverRotationAndOnlySoManyFilesAreKept() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("audit.jsonl")
        let settings = AuditLog.Settings(path: path, rotateSize: 2000, keep: 3)
        var log = try AuditLog(settings, now: now)
        await log.append(1...20)
        await log.close()
        log = try AuditLog(settings, now: now)
        await log.append(21...40)
        await log.close()
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
        #expect(names == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2", "audit.jsonl.3"])
        let report = AuditVerifier.verify(path: path)
        #expect(report.broken == nil)
        #expect(report.files == 4)
        #expect((report.firstSequence ?? 0) > 1)
        #expect((report.lastSequence ?? 0) >= 41)
    }

    @Test func aRestartRightAfterARotationFindsTheEndInTheRotatedFile() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("audit.jsonl")
        var log = try AuditLog(.init(path: path), now: now)
        await log.append(1...3)
        await log.close()
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        log = try AuditLog(.init(path: path), now: now)
        await log.append(4...6)
        await log.close()
        let report = AuditVerifier.verify(path: path)
        #expect(report.broken == nil)
        #expect(report.lastSequence == 8)
    }

    @Test(arguments: [1, 40, 150])
    func aLineTornByACrashIsRemovedAndNoted(bytesLeft: Int) async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("audit.jsonl")
        var log = try AuditLog(.init(path: path), now: now)
        await log.append(1...3)
        await log.close()
        let whole = try read(path)
        let last = try #require(whole.dropLast().lastIndex(of: 0x0A))
        try write(whole[...(last + bytesLeft)], to: path)
        log = try AuditLog(.init(path: path), now: now)
        await log.append(4...4)
        await log.close()
        #expect(try lines(path).contains { $0.contains("\"bytes\":\(bytesLeft),\"event\":\"torn_line_removed\"") })
        #expect(AuditVerifier.verify(path: path).broken == nil)
    }

    @Test func anUnreadableEndIsKeptAndTheBreakShows() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("audit.jsonl")
        var log = try AuditLog(.init(path: path), now: now)
        await log.append(1...3)
        await log.close()
        try write(try read(path) + Array("{\"made\":\"up\"}\n".utf8), to: path)
        log = try AuditLog(.init(path: path), now: now)
        await log.append(4...4)
        await log.close()
        let fault = try #require(AuditVerifier.verify(path: path).broken)
        #expect(fault.file == path + ".1")
        #expect(fault.line == 5)
        #expect(try lines(path).contains { $0.contains("chain_restarted") })
    }

    @Test func aSecondProcessMayNotWriteTheSameFile() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("audit.jsonl")
        let log = try AuditLog(.init(path: path), now: now)
        #expect(throws: LogFileError.self) { try AuditLog(.init(path: path), now: now) }
        await log.close()
    }

    @Test func aFailingDiskIsVisibleAndNothingIsLostMeanwhile() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("audit.jsonl")
        let log = try AuditLog(.init(path: path, rotateSize: 1000, keep: 2), now: now)
        await log.append(1...3)
        #expect(log.isHealthy)
        // The directory goes away: the next file can't be made.
        try FileManager.default.moveItem(atPath: directory.path, toPath: directory.path + "-away")
        await log.append(4...9)
        #expect(log.errors > 0)
        try FileManager.default.moveItem(atPath: directory.path + "-away", toPath: directory.path)
        await log.flush()
        await log.append(10...10)
        #expect(log.isHealthy)
        #expect(log.droppedLines == 0)
        await log.close()
        #expect(AuditVerifier.verify(path: path).broken == nil)
    }

    @Test func droppedLinesAreNotedInTheChain() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("audit.jsonl")
        var writer = try AuditWriter(.init(path: path), now: now)
        _ = try writer.write(auditBodies(1...2), droppedSoFar: 0)
        _ = try writer.write(auditBodies(3...4), droppedSoFar: 17)
        _ = try writer.write(auditBodies(5...6), droppedSoFar: 17)
        writer.close()
        let report = AuditVerifier.verify(path: path)
        #expect(report.broken == nil)
        #expect(report.droppedLines == 17)
    }

    @Test func overloadMakesTheLogUnhealthyUntilItCatchesUp() async throws {
        let directory = try TemporaryDirectory()
        let log = try AuditLog(.init(path: directory.file("audit.jsonl"), maximumBacklog: 10), now: now)
        log.submit(auditBodies(1...3), count: 3)
        #expect(!log.isHealthy)
        #expect(log.droppedLines == 3)
        await log.close()
    }

    @Test func afterAnOverflowTheNextDecisionMakesTheLogHealthyAgain() async throws {
        let directory = try TemporaryDirectory()
        let size = auditBodies(1...1).count
        let log = try AuditLog(.init(path: directory.file("audit.jsonl"), maximumBacklog: size * 2), now: now)
        let journal = LoopJournal(accessLog: nil, auditLog: log)
        log.submit(auditBodies(1...3), count: 3)
        #expect(!journal.auditIsHealthy)
        journal.decided(record(4))
        journal.flush()
        await log.flush()
        #expect(journal.auditIsHealthy)
        await log.close()
    }

    @Test func aLoopWithoutAnAuditLogHasNothingToMiss() {
        #expect(LoopJournal(accessLog: nil, auditLog: nil).auditIsHealthy)
    }
}
