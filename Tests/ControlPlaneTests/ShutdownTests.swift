import ControlPlane
import Foundation
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@Suite(.timeLimit(.minutes(10))) struct ShutdownTests {
    @Test func theListenerEndsWithTheServiceGroupAndTakesItsSocketAlong() async throws {
        let directory = try TemporaryDirectory()
        let situation = Situation()
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let listener = try AdminListener(
            settings: AdminSettings(host: "127.0.0.1", port: 0, socketPath: directory.file("admin.sock")),
            sources: situation.sources(),
            group: MultiThreadedEventLoopGroup.singleton,
            logger: logger,
            onServing: { continuation.yield($0) }
        )
        let services = ServiceGroup(configuration: .init(services: [listener], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await services.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            let client = Client(port: port, socketPath: "", group: .singleton)
            #expect(try await client.send("GET", "/-/health").status == 200)
            await services.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }

    @Test func anAddressInUseIsAnErrorAtOnce() async throws {
        try await withListener { client async throws in
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let second = try AdminListener(
                settings: AdminSettings(host: "127.0.0.1", port: client.port),
                sources: Situation().sources(),
                group: MultiThreadedEventLoopGroup.singleton,
                logger: logger
            )
            let error = await #expect(throws: ListenFailure.self) { try await second.run() }
            #expect(error?.description == "127.0.0.1:\(client.port) is in use by another process")
        }
    }
}
