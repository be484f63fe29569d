import Logging
import ServiceLifecycle
import Valet

/// Looks every half second whether something was changed elsewhere that requests are decided by (grants, revocations), so
/// that it is known here within a second.
struct StateFeed: Service {
    /// For the log.
    let what: String
    let logger: Logger
    /// Brings what was written meanwhile into what is read.
    let refresh: @Sendable () async throws(StateError) -> Void
    /// Takes out of memory what is over.
    let forget: @Sendable () -> Void

    private static let interval = Duration.milliseconds(500)
    /// How many looks apart what is over is forgotten.
    private static let tidying = 120

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var isFailing = false
            var looks = 0
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                do throws(StateError) {
                    try await refresh()
                    isFailing = false
                } catch {
                    if !isFailing, !Task.isCancelled {
                        logger.warning("\(what) can't be read", metadata: ["error": "\(error)"])
                    }
                    isFailing = true
                }
                looks += 1
                if looks.isMultiple(of: Self.tidying) { forget() }
            }
        }
    }
}
