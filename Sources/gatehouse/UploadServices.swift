import Backends
import ControlPlane
import Journal
import Logging
import Pipeline
import ServiceLifecycle
import Settings
import Signatures
import Valet
import WireFormats

/// What runs for upload slots: who completes and ends them, who listens to stores, who tells others.
struct UploadServices: Sendable {
    let slots: Slots
    let events: StoreEvents
    let services: [any Service]
    private let strays: StrayUploads
    private let client: StoreClient
    private let delivery: EventDelivery
    private let state: any ValetState

    init(
        state: any ValetState,
        revocations: RevocationKeeper,
        current: CurrentSnapshot,
        queue: QueueConfiguration?,
        auditLog: AuditLog?,
        logger: Logger
    ) {
        let client = StoreClient()
        let snapshot: @Sendable () -> Snapshot = { current.now }
        let delivery = EventDelivery(state, client, snapshot: snapshot, now: Clock.now, logger: logger)
        let grounds = SlotGrounds(revocations, state)
        let strays = StrayUploads(auditLog, logger: logger)
        let log = SlotLog(auditLog)
        let slots = Slots(state, client, grounds, strays, log, now: Clock.now, random: NewKey.random) {
            delivery.ring()
        }
        let events = StoreEvents(slots)
        var services: [any Service] = [delivery, Reaper(slots, snapshot: snapshot, logger: logger)]
        if let place = queue.flatMap(QueueReader.Place.init) {
            services.append(
                QueueReader(place, events, client, snapshot: snapshot, now: Clock.now, logger: logger)
            )
        }
        self.state = state
        self.client = client
        self.delivery = delivery
        self.slots = slots
        self.strays = strays
        self.events = events
        self.services = services
    }

    func close() async { await client.close() }

    /// For the admin listener.
    var report: UploadReport { UploadReport(state) }

    func observe(by metrics: MetricsRegistry) {
        metrics.observe(.counter, "gatehouse_uploads_total", "Upload slots that came so far, and why no further.") {
            [state] in
            let reached = (try? await state.funnel())?.reached ?? [:]
            return reached.map { step, count -> MetricsRegistry.Sample in
                (
                    labels: [("state", step.state.rawValue), ("cause", step.cause?.rawValue ?? "none")],
                    value: Double(count)
                )
            }
        }
        metrics.observe(.gauge, "gatehouse_uploads_open", "Upload slots that have not ended.") { [state] in
            ((try? await state.funnel())?.open).map { [(labels: [], value: Double($0))] } ?? []
        }
        let stray: StaticString = "Objects found that fit upload slots which had been taken back."
        metrics.observe(.counter, "gatehouse_uploads_stray_total", stray) { [strays] in
            let counts = strays.counts
            return [UploadSlot.Cause.revoked, .byIssuer].map { cause in
                ([("cause", cause.rawValue)], Double(counts[cause] ?? 0))
            }
        }
        metrics.observe(.gauge, "gatehouse_outbox_entries", "Events that are to be told, or were given up.") {
            [state] in
            guard let backlog = try? await state.backlog() else { return [] }
            return [
                ([("state", "waiting")], Double(backlog.waiting)), ([("state", "dead")], Double(backlog.dead)),
            ]
        }
        let told: StaticString = "Attempts to tell somebody of an event."
        metrics.observe(.counter, "gatehouse_event_deliveries_total", told) { [delivery] in
            let counts = delivery.counts
            return [
                ([("outcome", "delivered")], Double(counts.delivered)),
                ([("outcome", "failed")], Double(counts.failed)),
            ]
        }
        metrics.observe(.counter, "gatehouse_store_events_total", "Messages of stores, by what they were good for.") {
            [events] in
            let counts = events.counts
            return [
                ([("outcome", "used")], Double(counts.used)), ([("outcome", "ignored")], Double(counts.ignored)),
                ([("outcome", "poisoned")], Double(counts.poisoned)),
            ]
        }
    }
}

extension QueueReader.Place {
    /// Nil where the queue's address is none.
    fileprivate init?(_ queue: QueueConfiguration) {
        guard let endpoint = Endpoint(url: (queue.endpoint ?? queue.url.origin).description) else { return nil }
        var signer: SigV4Signer?
        if let id = queue.accessKeyID, let secret = queue.secretAccessKey {
            signer = SigV4Signer(accessKeyID: id, secret: secret, region: queue.region, service: "sqs")
        }
        self.init(queueURL: queue.url.description, endpoint: endpoint, signer: signer)
    }
}

extension UploadRules {
    init(_ configuration: UploadsConfiguration) {
        self.init()
        let allowed = configuration.allowedContentTypes
        usualLifetime = configuration.defaultTTL
        longestLifetime = configuration.maxTTL
        largestSize = configuration.maxSize
        accepts = { type in allowed.isEmpty || allowed.contains { $0.contains(type) } }
        openPerPrincipal = configuration.maxOpenPerPrincipal
        onMismatch = configuration.onMismatch == .delete ? .delete : .keep
        retention = configuration.retention
        quarantine = Array(configuration.quarantinePrefix.utf8)
        targets = configuration.events.map(\.description)
        webhookSecret = configuration.webhookSecret
        eventTokens = configuration.eventTokens
    }
}
