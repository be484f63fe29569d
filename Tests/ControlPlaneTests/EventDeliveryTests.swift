import Logging
import Pipeline
import S3API
import Synchronization
import Testing
import Valet
import WireFormats

@testable import ControlPlane

@Suite("Events are told to whoever is configured, and logs do not tell how to get in there")
struct EventDeliveryTests {
    private static let target = "webhook:http://user:pass@127.0.0.1:9/hooks/secret-path?token=secret-token#f"

    private func entry() throws -> OutboxEntry {
        OutboxEntry(
            id: 1,
            target: Self.target,
            event: try sampleEvent(),
            attempts: 20,
            lastFailure: ""
        )
    }

    /// What becomes of the entry in one round, and what the log says of it.
    private func round(targets: [String]) async throws -> (Box, log: String) {
        let outbox = Box(try entry())
        let log = Lines()
        let client = StoreClient()
        var caller = APICaller(desk: Desk([], version: "9"))
        caller.uploads.targets = targets
        caller.uploads.webhookSecret = Secret("whsec_AAECAw==")
        let snapshot = try caller.snapshot()
        let delivery = EventDelivery(
            outbox,
            client,
            snapshot: { snapshot },
            now: { noon },
            logger: Logger(label: "test") { _ in log }
        )
        _ = await delivery.round()
        await client.close()
        return (outbox, log.text.withLock { $0 })
    }

    @Test("What was meant for a target that is configured no more is dropped")
    func removed() async throws {
        let (outbox, log) = try await round(targets: ["webhook:http://127.0.0.1:9/other"])
        #expect(outbox.done.withLock { $0 } == [1])
        #expect(outbox.undone.withLock { $0.isEmpty })
        #expect(log.contains("webhook:http://127.0.0.1:9") && !log.contains("secret") && !log.contains("pass"))
    }

    @Test("What nobody takes is given up, and the log names the host alone")
    func givenUp() async throws {
        let (outbox, log) = try await round(targets: [Self.target])
        #expect(outbox.done.withLock { $0.isEmpty })
        #expect(outbox.undone.withLock { $0 } == [1])
        #expect(log.contains("webhook:http://127.0.0.1:9") && !log.contains("secret") && !log.contains("pass"))
    }

    @Test(
        "A target is shown as its origin",
        arguments: [
            ("webhook:https://a.example/x?y#z", "webhook:https://a.example"),
            ("webhook:https://u:p@a.example:8443", "webhook:https://a.example:8443"),
            ("webhook:https://a.example?x@b", "webhook:https://a.example"), ("something", "something"),
        ]
    )
    func origin(target: String, shown: String) throws {
        let entry = try entry()
        let other = OutboxEntry(id: 1, target: target, event: entry.event, attempts: 1, lastFailure: "")
        #expect(other.place == shown)
    }
}

/// Holds one entry, once.
private final class Box: Outbox {
    private let waiting: Mutex<[OutboxEntry]>
    let done = Mutex<[Int64]>([])
    let undone = Mutex<[Int64]>([])

    init(_ entry: OutboxEntry) { waiting = Mutex([entry]) }

    func claim(at now: Instant, lease: Duration, limit: Int) async throws(StateError) -> [OutboxEntry] {
        waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }

    func delivered(_ id: Int64) async throws(StateError) { done.withLock { $0.append(id) } }

    func failed(_ id: Int64, reason: String, next: Instant?) async throws(StateError) {
        undone.withLock { $0.append(id) }
    }

    func deadLetters(limit: Int) async throws(StateError) -> [OutboxEntry] { [] }
    func backlog() async throws(StateError) -> OutboxBacklog { OutboxBacklog(waiting: 0, dead: 0) }
}

/// Keeps what is logged.
private final class Lines: LogHandler {
    let text = Mutex("")
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        text.withLock { $0 += "\(event.message) \(event.metadata ?? [:])\n" }
    }
}
