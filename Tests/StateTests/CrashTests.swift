import Foundation
import SQLiteState
import Testing
import Valet
import WireFormats

@Suite("A process that is killed in the middle of its commits")
struct CrashTests {
    @Test("What was acknowledged is kept, and nothing is there twice or by half", arguments: [150, 400, 900])
    func kill(milliseconds: Int) async throws {
        try await withFolder { folder in
            let path = folder + "/state.db"
            let acknowledged = folder + "/acknowledged"
            try #require(FileManager.default.createFile(atPath: acknowledged, contents: nil))
            let process = Process()
            process.executableURL = try statebench()
            process.arguments = ["work", path, "16"]
            process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: acknowledged))
            try process.run()
            try await waitForContent(of: acknowledged)
            try await Task.sleep(for: .milliseconds(milliseconds))
            _ = Foundation.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()

            let lines = try String(contentsOfFile: acknowledged, encoding: .utf8).split(separator: "\n")
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

    private func waitForContent(of path: String) async throws {
        for _ in 0..<600 {
            if try !Data(contentsOf: URL(fileURLWithPath: path)).isEmpty { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("nothing was acknowledged")
    }

    /// Beside the tests, where the build puts every product.
    private func statebench() throws -> URL {
        let tests = URL(fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        let beside = tests.deletingLastPathComponent().appendingPathComponent("statebench")
        try #require(FileManager.default.isExecutableFile(atPath: beside.path))
        return beside
    }
}
