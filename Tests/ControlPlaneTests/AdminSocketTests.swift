import ControlPlane
import Foundation
import Synchronization
import Testing

/// The command line's way in.
@Suite(.timeLimit(.minutes(10))) struct AdminSocketTests {
    @Test func onlyTheOwnerMayConnectAndIsTrusted() async throws {
        let directory = try TemporaryDirectory()
        let situation = Situation()
        try await withListener(situation, socketIn: directory) { client async throws in
            #expect(try directory.mode("admin.sock") == 0o600)
            let status = try await client.send("GET", "/api/status", host: "gatehouse", overSocket: true)
            #expect(status.status == 200)
            #expect(try await client.send("POST", "/api/reload", host: "gatehouse", overSocket: true).status == 200)
            #expect(situation.reloads.load(ordering: .relaxed) == 1)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["admin.sock"])
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }

    @Test func theNetworkSideStaysClosedBesideIt() async throws {
        let directory = try TemporaryDirectory()
        try await withListener(socketIn: directory) { client async throws in
            #expect(try await client.send("GET", "/api/status").status == 401)
        }
    }

    @Test func whatADeadProcessLeftIsReplaced() async throws {
        let directory = try TemporaryDirectory()
        try Data("stale".utf8).write(to: URL(fileURLWithPath: directory.file("admin.sock")))
        try await withListener(socketIn: directory) { client async throws in
            #expect(try await client.send("GET", "/api/status", overSocket: true).status == 200)
        }
    }

    @Test func aSecondInstanceOnTheSameStateFails() async throws {
        let directory = try TemporaryDirectory()
        try await withListener(socketIn: directory) { client async throws in
            await #expect(throws: ControlPlaneError.self) {
                try await withListener(socketIn: directory) { _ in }
            }
            #expect(try await client.send("GET", "/api/status", overSocket: true).status == 200)
        }
    }
}
