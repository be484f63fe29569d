import Hummingbird
import Journal
import NIOCore
import WireFormats

/// The admin API, and the probes and metrics beside it.
struct AdminRoutes: Sendable {
    let sources: AdminSources

    func add(to router: Router<AdminContext>) {
        router.get("/-/health") { _, _ in AdminReply.json(["status": "ok"]) }
        router.get("/-/ready") { _, _ in
            let report = await sources.readiness()
            return AdminReply.json(report, status: report.ready ? .ok : .serviceUnavailable)
        }
        router.get("/metrics") { _, _ in
            AdminReply.bytes(await sources.metrics.exposition(), type: "text/plain; version=0.0.4; charset=utf-8")
        }
        router.get("/api/config") { _, _ in
            AdminReply.bytes(await sources.effectiveConfiguration(), type: "application/json")
        }
        if let uploads = sources.uploads {
            router.get("/api/uploads") { _, _ in AdminReply.bytes(await uploads.json.text, type: "application/json") }
        }
        router.get("/api/status") { _, _ in AdminReply.json(await AdminStatus(sources)) }
        router.post("/api/reload") { request, context in
            let report = await sources.reload()
            sources.auditLog?.record(
                AuditedAction(
                    at: sources.now(),
                    principal: context.caller?.principal,
                    source: context.source,
                    action: "reload",
                    verdict: .allowed,
                    reason: report.succeeded ? "reloaded" : "the new configuration was refused"
                )
            )
            if request.wantsHTML { return AdminReply.seeOther("/") }
            return AdminReply.json(report, status: report.succeeded ? .ok : .unprocessableContent)
        }
    }
}

/// The gateway at a glance: `/api/status` and the console's first page.
struct AdminStatus: Encodable, Sendable {
    struct Requests: Encodable, Sendable {
        var total: UInt64 = 0
        var clientErrors: UInt64 = 0
        var serverErrors: UInt64 = 0
        var limited: UInt64 = 0
        var inflight = 0
        var bytesIn: UInt64 = 0
        var bytesOut: UInt64 = 0

        private enum CodingKeys: String, CodingKey {
            case total
            case clientErrors = "client_errors"
            case serverErrors = "server_errors"
            case limited, inflight
            case bytesIn = "bytes_in"
            case bytesOut = "bytes_out"
        }
    }

    let version: String
    let startedAt: String
    let uptimeSeconds: Int64
    let readiness: ReadinessReport
    let buckets: [BucketStatus]
    let connections: Int
    let requests: Requests
    let operations: [Operation]

    /// Requests of one operation.
    struct Operation: Encodable, Sendable {
        let name: String
        var total: UInt64 = 0
        var errors: UInt64 = 0
    }

    private enum CodingKeys: String, CodingKey {
        case version
        case startedAt = "started_at"
        case uptimeSeconds = "uptime_seconds"
        case readiness, buckets, connections, requests, operations
    }

    init(_ sources: AdminSources) async {
        version = sources.version
        startedAt = Timestamp.iso8601(sources.startedAt)
        uptimeSeconds = max(0, sources.now().duration(since: sources.startedAt).components.seconds)
        readiness = await sources.readiness()
        buckets = await sources.buckets()
        let metrics = await sources.metrics.collect()
        connections = metrics.connections
        var sum = Requests()
        var byName: [String: Operation] = [:]
        for entry in metrics.requestCounts {
            sum.total += entry.count
            if (400...499).contains(entry.status) { sum.clientErrors += entry.count }
            if entry.status >= 500 { sum.serverErrors += entry.count }
            byName[entry.operation, default: Operation(name: entry.operation)].total += entry.count
            if entry.status >= 400 { byName[entry.operation]?.errors += entry.count }
        }
        sum.limited = metrics.limited
        sum.inflight = metrics.inflight
        (sum.bytesIn, sum.bytesOut) = metrics.totalBytes
        requests = sum
        operations = byName.values.sorted { $0.name < $1.name }
    }
}
