import ControlPlane
import Journal
import Logging
import ServiceLifecycle
import Synchronization
import Valet
import WireFormats

/// Looks every half second whether something was changed elsewhere that requests are decided by, so that it is known here
/// within a second; and says how long ago it was seen last, where it can't be looked at.
final class StateFeed: Service {
    enum Content: String {
        case grants, revocations
    }

    private let content: Content
    private let maxStaleness: Duration
    private let logger: Logger
    /// Brings what was written meanwhile into what is read.
    private let refresh: @Sendable () async throws(StateError) -> Void
    /// Takes out of memory what is over.
    private let forget: @Sendable () -> Void
    private let condition: Mutex<Condition>

    private struct Condition {
        var seen: Instant
        /// Why it can't be looked at; nil: it can.
        var problem: String?
        var isGivenUp = false
    }

    private static let interval = Duration.milliseconds(500)
    /// How many looks apart what is over is forgotten.
    private static let tidying = 120

    /// It was seen just now.
    init(
        of content: Content,
        maxStaleness: Duration,
        logger: Logger,
        refresh: @escaping @Sendable () async throws(StateError) -> Void,
        forget: @escaping @Sendable () -> Void
    ) {
        self.content = content
        self.maxStaleness = maxStaleness
        self.logger = logger
        self.refresh = refresh
        self.forget = forget
        condition = Mutex(Condition(seen: Clock.now()))
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            var looks = 0
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                await look()
                looks += 1
                if looks.isMultiple(of: Self.tidying) { forget() }
            }
        }
    }

    private func look() async {
        let asked = Clock.now()
        do throws(StateError) {
            try await refresh()
            let wasGone = condition.withLock { condition in
                defer { condition = Condition(seen: asked) }
                return condition.problem != nil
            }
            if wasGone { logger.notice("\(content.rawValue) can be read again") }
        } catch {
            if !Task.isCancelled { note(error) }
        }
    }

    private func note(_ error: StateError) {
        let isOver = age > maxStaleness
        let (isNew, isNewlyOver) = condition.withLock { condition in
            defer { (condition.problem, condition.isGivenUp) = ("\(error)", isOver) }
            return (condition.problem == nil, isOver && !condition.isGivenUp)
        }
        if isNew {
            logger.warning(
                "\(content.rawValue) can't be read: what was seen last holds for a while",
                metadata: ["error": "\(error)", "max_staleness": "\(Durations.render(maxStaleness))"]
            )
        }
        if isNewlyOver {
            logger.error(
                "\(content.rawValue) could not be read for too long: sessions, grants and links are answered 503",
                metadata: ["error": "\(error)", "max_staleness": "\(Durations.render(maxStaleness))"]
            )
        }
    }

    /// How long ago it was seen.
    private var age: Duration { max(.zero, Clock.now().duration(since: condition.withLock { $0.seen })) }

    // MARK: - For the admin listener

    var check: ReadinessReport.Check {
        let problem = condition.withLock { $0.problem }
        let age = age
        // A look that does not come back is no better than one that fails.
        guard problem != nil || age > maxStaleness else {
            return ReadinessReport.Check(name: "state:" + content.rawValue, ok: true)
        }
        let consequence =
            age > maxStaleness
            ? "sessions, grants and links are answered 503"
            : "what was seen last holds for \(Durations.render(maxStaleness))"
        return ReadinessReport.Check(
            name: "state:" + content.rawValue,
            ok: false,
            detail: "not read for \(age.components.seconds) s; \(consequence)" + (problem.map { "; " + $0 } ?? "")
        )
    }

    static func observe(_ feeds: [StateFeed], by metrics: MetricsRegistry) {
        for feed in feeds {
            metrics.observe(
                .gauge,
                "gatehouse_state_age_seconds",
                "How long ago the state was seen that requests are decided by.",
                labels: [("content", feed.content.rawValue)]
            ) {
                Double(feed.age.components.seconds) + Double(feed.age.components.attoseconds) / 1e18
            }
            metrics.observe(
                .gauge,
                "gatehouse_state_away",
                "Whether it is too old, so that sessions, grants and links are answered 503.",
                labels: [("content", feed.content.rawValue)]
            ) {
                feed.age > feed.maxStaleness ? 1 : 0
            }
        }
    }
}
