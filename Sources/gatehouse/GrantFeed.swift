import ControlPlane
import Logging
import ServiceLifecycle
import Valet

/// Looks every half second whether grants were made or taken back elsewhere, so that it is known here within a second.
struct GrantFeed: Service {
    let keeper: GrantKeeper
    let logger: Logger

    private static let interval = Duration.milliseconds(500)
    /// How many looks apart what has expired is forgotten.
    private static let tidying = 120

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var isFailing = false
            var looks = 0
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                do throws(StateError) {
                    try await keeper.refresh()
                    isFailing = false
                } catch {
                    if !isFailing, !Task.isCancelled {
                        logger.warning("grants can't be read", metadata: ["error": "\(error)"])
                    }
                    isFailing = true
                }
                looks += 1
                if looks.isMultiple(of: Self.tidying) { keeper.forgetExpired() }
            }
        }
    }
}
