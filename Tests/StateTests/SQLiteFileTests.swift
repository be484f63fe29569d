import Foundation
import GRDB
import Testing
import Valet

@testable import SQLiteState

@Suite("The state's file")
struct SQLiteFileTests {
    @Test("What was written is there after it was closed, and nobody else may read it")
    func reopening() async throws {
        try await withFolder { folder in
            let path = folder + "/state.db"
            let one = try slot()
            let first = try SQLiteState(.file(path: path))
            try await first.insert(one, to: ["hook"])
            // A reader's connection, were it the last one, could not empty the log.
            #expect(try await first.slot(one.id) == one)
            await first.close()
            await #expect(throws: StateError.self) { try await first.insert(try slot(2)) }
            // Nothing is left in the log of a store that was closed.
            #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let second = try SQLiteState(.file(path: path))
            #expect(try await second.slot(one.id) == one)
            #expect(try await second.backlog().waiting == 1)
            await second.close()
        }
    }

    @Test("Closing waits for what was asked for before")
    func closing() async throws {
        try await withFolder { folder in
            let state = try SQLiteState(.file(path: folder + "/state.db"))
            let asked = (0..<50).map { number in
                Task { () -> Bool in
                    do { return try await state.insert(try slot(number)) == .inserted } catch { return false }
                }
            }
            await state.close()
            var acknowledged = 0
            for task in asked where await task.value { acknowledged += 1 }
            let again = try SQLiteState(.file(path: folder + "/state.db"))
            #expect(try await again.funnel().open == acknowledged)
            await again.close()
        }
    }

    @Test("A connection that would lose commits in a power failure is refused")
    func durability() async throws {
        try await withFolder { folder in
            let pool = try DatabasePool(path: folder + "/x.db")
            try pool.writeWithoutTransaction { connection in
                #expect(throws: StateFault.self) { try StateDatabase.requireDurability(connection) }
                try connection.execute(sql: "PRAGMA synchronous = FULL")
                try StateDatabase.requireDurability(connection)
            }
            let queue = try DatabaseQueue(path: folder + "/y.db")
            try queue.writeWithoutTransaction { connection in
                try connection.execute(sql: "PRAGMA synchronous = FULL")
                #expect(throws: StateFault.self) { try StateDatabase.requireDurability(connection) }
            }
        }
    }

    @Test("Another program's file is refused, and left as it is")
    func foreign() async throws {
        try await withFolder { folder in
            let text = folder + "/notes.txt"
            try Data(repeating: 0x61, count: 5000).write(to: URL(fileURLWithPath: text))
            #expect(fault(opening: text).contains("not an SQLite database"))
            let other = folder + "/other.db"
            let queue = try DatabaseQueue(path: other)
            try await queue.write { try $0.execute(sql: "CREATE TABLE mine (x)") }
            try queue.close()
            let before = try Data(contentsOf: URL(fileURLWithPath: other))
            #expect(fault(opening: other).contains("another program's database"))
            #expect(try Data(contentsOf: URL(fileURLWithPath: other)) == before)
        }
    }

    @Test("A file of a later version is refused")
    func newer() async throws {
        try await withFolder { folder in
            let path = folder + "/state.db"
            await (try SQLiteState(.file(path: path))).close()
            let queue = try DatabaseQueue(path: path)
            try await queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 999") }
            try queue.close()
            #expect(fault(opening: path).contains("later version of Gatehouse"))
        }
    }

    @Test("Slots of a release that kept nothing of what they were issued on are read and ended")
    func withoutGrounds() async throws {
        try await withFolder { folder in
            let path = folder + "/state.db"
            let one = try slot()
            let before = try SQLiteState(.file(path: path))
            try await before.insert(one)
            await before.close()
            let queue = try DatabaseQueue(path: path)
            try await queue.writeWithoutTransaction {
                try $0.execute(
                    sql: """
                        ALTER TABLE slot DROP COLUMN grounds;
                        DROP INDEX permission_in_force;
                        DROP INDEX permission_of_giver;
                        DROP INDEX permission_beside;
                        PRAGMA user_version = 4
                        """
                )
            }
            try queue.close()
            let after = try SQLiteState(.file(path: path))
            #expect(try await after.slot(one.id) == one)
            #expect(try await after.replace(with: one.revoked(at: noon)) == .replaced)
            await after.close()
        }
    }

    @Test("A damaged file is refused")
    func damaged() async throws {
        try await withFolder { folder in
            let path = folder + "/state.db"
            let state = try SQLiteState(.file(path: path))
            for number in 0..<200 { try await state.insert(try slot(number)) }
            await state.close()
            var content = try Data(contentsOf: URL(fileURLWithPath: path))
            content.replaceSubrange(
                4096..<content.count - 4096,
                with: Data(repeating: 0x5A, count: content.count - 8192)
            )
            try content.write(to: URL(fileURLWithPath: path))
            #expect(fault(opening: path).contains("damaged"))
        }
    }

    @Test("A folder that is not there is named")
    func missingFolder() async throws {
        try await withFolder { folder in
            let message = fault(opening: folder + "/no/state.db")
            #expect(message.contains(folder + "/no/state.db") && message.contains("No such file"))
        }
    }
}
