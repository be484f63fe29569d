import Foundation
import SQLiteState
import Testing
import Valet
import WireFormats

@Suite("A process that is killed in the middle of its commits")
struct CrashTests {
    @Test("What was acknowledged is kept, and nothing is there twice or by half", arguments: [50, 500, 2000])
    func kill(count: Int) async throws {
        try await withFolder { folder in
            let path = folder + "/state.db"
            let lines = try await acknowledged(by: try statebench(), at: path, killedAfter: count)
            let isKilled = lines.count >= count
            #expect(isKilled, "it ended by itself")
            let state = try SQLiteState(.file(path: path))
            var completions: Set<String> = []
            for line in lines {
                let words = line.split(separator: " ")
                try #require(words.count == 2)
                let slot = try #require(try await state.slot(String(words[1])), "\(line) is lost")
                if words[0] == "completed" {
                    #expect(slot.state == .completed, "\(line) is lost")
                    completions.insert(slot.id)
                }
            }
            #expect(!completions.isEmpty)

            let funnel = try await state.funnel()
            let issued = funnel.reached[.init(.issued), default: 0]
            let completed = funnel.reached[.init(.completed), default: 0]
            // At most what each of the 16 was about to acknowledge.
            #expect(completed >= completions.count && completed <= completions.count + 16)
            #expect(issued >= completed && issued <= completed + 16)
            // Each has its event, once.
            let events = try await state.claim(at: Instant(nanosecondsSince1970: .max), lease: .zero, limit: .max)
            let told = events.filter { $0.event.kind == .completed }.map(\.event.slot.id)
            #expect(told.count == completed && Set(told).count == completed)
            #expect(completions.isSubset(of: told))
            #expect(events.count == issued + completed)
            await state.close()
        }
    }

    /// All that the process says until it is killed, which it is after so many lines. It waits for whoever reads them, so
    /// that a busy machine does not make them many more.
    private func acknowledged(by worker: URL, at path: String, killedAfter count: Int) async throws -> [Substring] {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try Self.acknowledged(by: worker, at: path, killedAfter: count) })
            }
        }
    }

    private static func acknowledged(by worker: URL, at path: String, killedAfter count: Int) throws -> [Substring] {
        let process = Process()
        process.executableURL = worker
        process.arguments = ["work", path, "16"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        var said = Data()
        var lines = 0
        while true {
            let bytes = pipe.fileHandleForReading.availableData
            guard !bytes.isEmpty else { break }
            said += bytes
            let before = lines
            lines += bytes.count { $0 == UInt8(ascii: "\n") }
            if before < count, lines >= count { _ = Foundation.kill(process.processIdentifier, SIGKILL) }
        }
        process.waitUntilExit()
        return String(decoding: said, as: UTF8.self).split(separator: "\n")
    }

    /// Beside the tests, where the build puts every product.
    private func statebench() throws -> URL {
        let tests = URL(fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        let beside = tests.deletingLastPathComponent().appendingPathComponent("statebench")
        try #require(FileManager.default.isExecutableFile(atPath: beside.path))
        return beside
    }
}
