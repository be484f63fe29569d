import Foundation
import Testing
import WireFormats

@testable import Journal

/// Every way to tamper with a log, and where the verifier must point.
struct AuditVerifierTests {
    private static let key = Secret<[UInt8]>(Array("0123456789abcdef0123456789abcdef".utf8))

    /// `audit.jsonl.2`, `.1` and the written file, ten decisions in all.
    private func makeLog(_ directory: TemporaryDirectory, key: Secret<[UInt8]>? = nil) throws -> [String] {
        let path = directory.file("audit.jsonl")
        var writer = try AuditWriter(.init(path: path, rotateSize: 1500, keep: 9, hmacKey: key), now: { newYear })
        for number in UInt64(1)...10 { _ = try writer.write(auditBodies(number...number), droppedSoFar: 0) }
        writer.close()
        let files = AuditFiles(path: path).oldestFirst
        try #require(files.count >= 3)
        return files
    }

    private func edit(_ file: String, _ change: (inout [String]) -> Void) throws {
        var all = try lines(file)
        change(&all)
        try write(all.map { $0 + "\n" }.joined().utf8, to: file)
    }

    @Test func anUntouchedLogHolds() throws {
        let directory = try TemporaryDirectory()
        let files = try makeLog(directory)
        let report = AuditVerifier.verify(path: directory.file("audit.jsonl"), expectedStart: 1)
        #expect(report.broken == nil)
        #expect(report.files == files.count)
        #expect(report.lines == 10 + files.count)
        #expect(report.lastSequence == UInt64(10 + files.count))
        #expect(report.lastHash.count == 64)
    }

    @Test func anEditedLineIsNamed() throws {
        let directory = try TemporaryDirectory()
        let files = try makeLog(directory)
        try edit(files[1]) { $0[1] = $0[1].replacingOccurrences(of: "alice", with: "mallo") }
        let fault = AuditVerifier.verify(path: directory.file("audit.jsonl")).broken
        #expect(fault?.file == files[1])
        #expect(fault?.line == 2)
        #expect(fault?.reason.contains("changed") == true)
    }

    @Test func anEditedLineWithAFreshHashIsFoundByTheNext() throws {
        let directory = try TemporaryDirectory()
        let files = try makeLog(directory)
        var forged = ""
        try edit(files[0]) { all in
            let line = Array(all[1].utf8)
            guard let sealed = SealedAuditLine(line[...]) else { return }
            var chain = AuditChain(after: sealed.sequence - 1, hash: Array(sealed.previous), key: nil)
            var bytes: [UInt8] = []
            chain.seal(String(decoding: sealed.body, as: UTF8.self).replacing("alice", with: "bob").utf8, to: &bytes)
            forged = String(decoding: bytes.dropLast(), as: UTF8.self)
            all[1] = forged
        }
        #expect(forged.contains("bob"))
        let fault = AuditVerifier.verify(path: directory.file("audit.jsonl")).broken
        #expect(fault?.file == files[0])
        #expect(fault?.line == 3)
    }

    @Test func aRemovedLineIsNamed() throws {
        let directory = try TemporaryDirectory()
        let files = try makeLog(directory)
        try edit(files[1]) { $0.remove(at: 1) }
        let fault = AuditVerifier.verify(path: directory.file("audit.jsonl")).broken
        #expect(fault?.file == files[1])
        #expect(fault?.line == 2)
        #expect(fault?.reason.contains("missing") == true)
    }

    @Test func swappedLinesAreNamed() throws {
        let directory = try TemporaryDirectory()
        let files = try makeLog(directory)
        try edit(files[0]) { $0.swapAt(1, 2) }
        let fault = AuditVerifier.verify(path: directory.file("audit.jsonl")).broken
        #expect(fault?.file == files[0])
        #expect(fault?.line == 2)
    }

    @Test func aRepeatedLineIsNamed() throws {
        let directory = try TemporaryDirectory()
        let files = try makeLog(directory)
        try edit(files[0]) { $0.insert($0[1], at: 2) }
        let fault = AuditVerifier.verify(path: directory.file("audit.jsonl")).broken
        #expect(fault?.line == 3)
        #expect(fault?.reason.contains("repeated") == true)
    }

    @Test func aMissingFileBetweenTwoIsNamed() throws {
        let directory = try TemporaryDirectory()
        let files = try makeLog(directory)
        try FileManager.default.removeItem(atPath: files[1])
        let fault = AuditVerifier.verify(path: directory.file("audit.jsonl")).broken
        #expect(fault?.file == files[2])
        #expect(fault?.line == 1)
    }

    @Test func aHeadCutOffIsNamed() throws {
        let directory = try TemporaryDirectory()
        let files = try makeLog(directory)
        try edit(files[0]) { $0.removeFirst(2) }
        let fault = AuditVerifier.verify(path: directory.file("audit.jsonl")).broken
        #expect(fault?.file == files[0])
        #expect(fault?.line == 1)
        #expect(fault?.reason.contains("head") == true)
    }

    @Test func aMissingOldestFileIsNamedWhereTheStartIsKnown() throws {
        let directory = try TemporaryDirectory()
        let files = try makeLog(directory)
        try FileManager.default.removeItem(atPath: files[0])
        let path = directory.file("audit.jsonl")
        #expect(AuditVerifier.verify(path: path).broken == nil)
        #expect(AuditVerifier.verify(path: path, expectedStart: 1).broken?.line == 1)
    }

    @Test func anIncompleteLastLineIsNamed() throws {
        let directory = try TemporaryDirectory()
        let files = try makeLog(directory)
        try write(try read(files[0]).dropLast(5), to: files[0])
        #expect(AuditVerifier.verify(path: directory.file("audit.jsonl")).broken?.file == files[0])
    }

    @Test(arguments: ["", "garbage\n", "{\"seq\":0,\"prev\":\"\"}\n", "\u{0}\u{0}\u{0}\n"])
    func garbageIsNamedAndNeverTrapped(text: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("audit.jsonl")
        #expect(AuditVerifier.verify(path: path).broken != nil)
        try write(text.utf8, to: path)
        let report = AuditVerifier.verify(path: path)
        #expect((report.broken == nil) == text.isEmpty)
    }

    @Test func withTheKeyAWholeForgedChainIsFound() throws {
        let directory = try TemporaryDirectory()
        let files = try makeLog(directory, key: Self.key)
        let path = directory.file("audit.jsonl")
        #expect(AuditVerifier.verify(path: path, key: Self.key).broken == nil)
        #expect(AuditVerifier.verify(path: path).broken == nil)
        let other = Secret<[UInt8]>(Array("another key of thirty-two bytes!".utf8))
        #expect(AuditVerifier.verify(path: path, key: other).broken?.reason.contains("HMAC") == true)
        for file in files { try FileManager.default.removeItem(atPath: file) }
        _ = try makeLog(directory)
        #expect(AuditVerifier.verify(path: path, key: Self.key).broken?.reason.contains("HMAC") == true)
    }
}
