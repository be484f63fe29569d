import Foundation
import Testing
import Valet

@testable import SQLiteState

@Suite("A state's file is for one instance, and has to stay where it is")
struct StateClaimTests {
    @Test("Another instance is refused, however it spells the path, until the first one closes")
    func oneInstance() async throws {
        try await withFolder { folder in
            let path = folder + "/state.db"
            let first = try SQLiteState(.file(path: path))
            try FileManager.default.createSymbolicLink(atPath: folder + "/again", withDestinationPath: folder)
            try FileManager.default.createSymbolicLink(atPath: folder + "/other.db", withDestinationPath: path)
            for other in [path, folder + "/./state.db", folder + "/again/state.db", folder + "/other.db"] {
                #expect(fault(opening: other).contains("another instance"), "\(other)")
            }
            try await first.insert(try slot())
            await first.close()
            let second = try SQLiteState(.file(path: path))
            #expect(try await second.funnel().open == 1)
            await second.close()
        }
    }

    @Test("What was refused leaves the file to whoever comes next")
    func refusedLeavesNothing() async throws {
        try await withFolder { folder in
            let path = folder + "/state.db"
            try Data(repeating: 0x61, count: 5000).write(to: URL(fileURLWithPath: path))
            #expect(fault(opening: path).contains("not an SQLite database"))
            try FileManager.default.removeItem(atPath: path)
            await (try SQLiteState(.file(path: path))).close()
        }
    }

    @Test("Where the file was moved away, or another stands there, the state is away until it comes back")
    func moved() async throws {
        try await withFolder { folder in
            let path = folder + "/state.db"
            let state = try SQLiteState(.file(path: path))
            try await state.insert(try slot())
            try FileManager.default.moveItem(atPath: path, toPath: path + ".moved")
            for isReplaced in [false, true] {
                if isReplaced { try Data().write(to: URL(fileURLWithPath: path)) }
                await #expect(throws: StateError.unavailable("its file was removed or replaced")) {
                    try await state.insert(try slot(2))
                }
                await #expect(throws: StateError.self) { try await state.changes(since: 0, limit: 1) }
            }
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.moveItem(atPath: path + ".moved", toPath: path)
            try await state.insert(try slot(3))
            #expect(try await state.funnel().open == 2)
            await state.close()
        }
    }

    @Test("The file is looked for when it is a change's turn, by the queue that writes")
    func movedWhileWaiting() async throws {
        try await withFolder { folder in
            let path = folder + "/state.db"
            let state = try SQLiteState(.file(path: path))
            let (began, go) = (AsyncStream<Void>.makeStream(), DispatchSemaphore(value: 0))
            let busy = Task {
                try await state.write { _ in
                    began.continuation.finish()
                    go.wait()
                }
            }
            for await _ in began.stream {}
            let waiting = Task { _ = try await state.insert(try slot(2)) }
            try await Task.sleep(for: .milliseconds(200))
            try FileManager.default.moveItem(atPath: path, toPath: path + ".moved")
            go.signal()
            try await busy.value
            await #expect(throws: StateError.unavailable("its file was removed or replaced")) {
                try await waiting.value
            }
            await state.close()
        }
    }
}
