import Foundation
import Logging
import ServiceLifecycle
import Settings
import UnixSignals
import WireFormats

/// One running gateway, from its configuration to its end.
enum Instance {
    struct Options: Sendable {
        let config: String?
        let listen: ListenAddress?
        let adminListen: ListenAddress?
        /// Nil: where the configuration says.
        let data: String?
        let loops: Int
        let json: Bool
    }

    static func run(_ options: Options) async throws {
        let startedAt = Clock.now()
        let logger = makeLogger()
        let setup = try Setup(options)
        let (reading, read) = setup.file.read()
        guard let configuration = read else {
            throw CommandFailure(
                "InvalidConfiguration",
                "\(setup.file.path) has \(reading.errors.count) error(s); nothing was started",
                problems: reading.problems
            )
        }
        for problem in reading.problems { StandardError.write("\(problem)") }
        for left in LeftBehind.found(by: configuration, at: setup.file.path) {
            logger.warning(
                "a file lies in the working directory, where earlier builds kept it, and is not used: move it",
                metadata: ["from": "\(left.there)", "to": "\(left.here)"]
            )
        }

        var opened = Opened()
        do {
            let instance = try await Composition(
                configuration,
                from: reading,
                setup: setup,
                loops: options.loops,
                startedAt: startedAt,
                opening: &opened,
                logger: logger
            )
            let group = ServiceGroup(
                services: instance.services,
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
            try await group.run()
        } catch {
            await opened.close()
            throw error as? StartFailure ?? StartFailure("\(error)")
        }
        await opened.close()
    }

    private static func makeLogger() -> Logger {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: "gatehouse")
        logger.logLevel = .notice
        return logger
    }
}

/// The wall clock.
enum Clock {
    @Sendable static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(nanosecondsSince1970: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
