import Journal
import Logging
import ServiceLifecycle
import UnixSignals

/// Reads the configuration again on SIGHUP and when its content changes.
struct ReloadService: Service {
    /// How often the files are looked at. Contents are compared, not times, so that a swapped symbolic link counts.
    private static let interval = Duration.seconds(2)

    let running: RunningConfiguration
    let journal: JournalFiles
    let logger: Logger

    func run() async throws {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await onHangUp() }
            tasks.addTask { await onChange() }
            try? await gracefulShutdown()
            tasks.cancelAll()
        }
    }

    private func onHangUp() async {
        for await _ in await UnixSignalsSequence(trapping: .sighup) {
            do {
                try journal.reopen()
            } catch {
                logger.error("the access log can't be reopened", metadata: ["error": "\(error)"])
            }
            _ = await running.reload()
        }
    }

    private func onChange() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            if await running.hasChanged() { _ = await running.reload() }
        }
    }
}
