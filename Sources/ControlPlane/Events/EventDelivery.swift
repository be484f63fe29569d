import Backends
package import Logging
package import Pipeline
import ServiceLifecycle
import Synchronization
package import Valet
package import WireFormats

/// Tells those who want to know what happened to slots: each at least once, from an outbox that outlives the process.
package final class EventDelivery: Service, Sendable {
    private let outbox: any Outbox
    private let client: StoreClient
    private let snapshot: @Sendable () -> Snapshot
    private let now: @Sendable () -> Instant
    private let logger: Logger
    private let (calls, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    private let tally = Mutex(Tally())

    /// Since the start.
    package struct Tally: Sendable {
        package var delivered: UInt64 = 0
        package var failed: UInt64 = 0
    }

    private static let batch = 64
    private static let timeout = Duration.seconds(10)
    /// Longer than a delivery takes.
    private static let lease = Duration.seconds(30)
    private static let longestPause = Duration.seconds(3600)
    /// With pauses that double from two seconds up to an hour: about nine hours.
    private static let mostAttempts = 20

    package init(
        _ outbox: any Outbox,
        _ client: StoreClient,
        snapshot: @escaping @Sendable () -> Snapshot,
        now: @escaping @Sendable () -> Instant,
        logger: Logger
    ) {
        self.outbox = outbox
        self.client = client
        self.snapshot = snapshot
        self.now = now
        self.logger = logger
    }

    /// There is something to tell.
    package func ring() { bell.yield() }

    package var counts: Tally { tally.withLock { $0 } }

    package func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            let clock = Task {
                // What failed comes due without anybody ringing.
                while !Task.isCancelled {
                    try? await Task.sleep(for: .seconds(1))
                    bell.yield()
                }
            }
            defer { clock.cancel() }
            for await _ in calls {
                while !Task.isCancelled, await round() {}
            }
        }
    }

    /// Returns whether there may be more.
    func round() async -> Bool {
        let entries: [OutboxEntry]
        do {
            entries = try await outbox.claim(at: now(), lease: Self.lease, limit: Self.batch)
        } catch {
            logger.warning("the outbox can't be read", metadata: ["error": "\(error)"])
            return false
        }
        await withTaskGroup(of: Void.self) { group in
            for entry in entries { group.addTask { await self.deliver(entry) } }
        }
        return entries.count == Self.batch
    }

    private func deliver(_ entry: OutboxEntry) async {
        guard snapshot().uploads.targets.contains(entry.target) else { return await drop(entry) }
        let failure = await failure(of: entry)
        do throws(StateError) {
            guard let failure else {
                tally.withLock { $0.delivered += 1 }
                try await outbox.delivered(entry.id)
                return
            }
            tally.withLock { $0.failed += 1 }
            let isLast = entry.attempts >= Self.mostAttempts
            if isLast {
                logger.error(
                    "an event was given up",
                    metadata: ["target": "\(entry.place)", "event": "\(entry.event.id)", "reason": "\(failure)"]
                )
            }
            let next = isLast ? nil : now() + Self.pause(after: entry)
            try await outbox.failed(entry.id, reason: failure, next: next)
        } catch {
            // The lease ends, and it is told again.
            logger.warning("the outbox can't be written", metadata: ["error": "\(error)"])
        }
    }

    /// Whoever was taken out of the configuration is told nothing any more.
    private func drop(_ entry: OutboxEntry) async {
        logger.notice(
            "an event was dropped: its target is configured no more",
            metadata: ["target": "\(entry.place)", "event": "\(entry.event.id)"]
        )
        do throws(StateError) {
            try await outbox.delivered(entry.id)
        } catch {
            logger.warning("the outbox can't be written", metadata: ["error": "\(error)"])
        }
    }

    /// Nil: it was taken.
    private func failure(of entry: OutboxEntry) async -> String? {
        let snapshot = snapshot()
        let scheme = "webhook:"
        guard entry.target.hasPrefix(scheme), let secret = snapshot.uploads.webhookSecret else {
            return "nobody by that name is configured"
        }
        let message = SlotMessage(entry.event, from: snapshot.server.view.publicURL, secret: secret, at: now())
        do {
            let answer = try await client.post(
                String(entry.target.dropFirst(scheme.count)),
                fields: message.fields,
                body: message.body,
                within: Self.timeout
            )
            return (200...299).contains(answer.status) ? nil : "answered \(answer.status)"
        } catch {
            switch error {
            case .timeout: return "no answer in time"
            case .tooLong: return "an answer without end"
            case .unreachable(let reason): return "unreachable: \(reason.prefix(200))"
            }
        }
    }

    /// Doubles, and differs from event to event so that they don't all come back together: between three quarters and five
    /// quarters of it.
    static func pause(after entry: OutboxEntry) -> Duration {
        let doubled = Duration.seconds(2 << min(max(0, entry.attempts - 1), 11))
        let spread = Int(entry.event.id.utf8.reduce(UInt32(entry.attempts)) { ($0 &* 31) &+ UInt32($1) } % 512)
        return min(doubled, longestPause) * (768 + spread) / 1024
    }
}

extension OutboxEntry {
    /// Where the target is, for logs and whoever looks: its path and its query may be all that lets somebody in there.
    var place: String {
        guard let start = target.firstRange(of: "://")?.upperBound else {
            return String(target.prefix { $0 != ":" })
        }
        let authority = target[start...].prefix { !"/?#".contains($0) }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        return String(target[..<start]) + host
    }
}
