/// One event loop's tallies: plain integers, changed by that loop alone, copied out when a scrape asks.
package struct LoopMetrics: Sendable {
    private struct Series: Sendable {
        let operation: Int
        let status: Int
        let backend: Int
        var count: UInt64
    }

    private var operations = LabelTable()
    private var backends = LabelTable()
    private var reasons = LabelTable()
    private var series: [Series] = []
    private var seriesIndex: [UInt64: Int] = [:]
    private var lastKey: UInt64 = .max
    private var lastIndex = 0
    private var authFailures: [UInt64] = []
    /// By index in `backends`.
    private var backendSeconds: [Histogram] = []
    private var requestSeconds = Histogram()
    private var bytesIn: UInt64 = 0
    private var bytesOut: UInt64 = 0

    /// Requests whose answer is not finished.
    package var inflight = 0
    /// Of requests that are read whole.
    package var heldBodyBytes = 0
    /// Client connections open now, and ever accepted.
    package var connections = 0
    package var connectionsAccepted: UInt64 = 0
    /// Connections to backends: at work, and waiting in the pool.
    package var upstreamActive = 0
    package var upstreamIdle = 0
    /// Requests repeated on a fresh connection because the pooled one had died.
    package var upstreamRetries: UInt64 = 0
    /// Requests refused by a limit.
    package var limited: UInt64 = 0

    package init() {}

    /// Counts a finished request.
    package mutating func count(_ record: RequestRecord) {
        let operation = operations.index(of: record.operation)
        let backend = record.backend.map { backends.index(of: $0) } ?? backends.index(of: "none" as StaticString)
        count(operation: operation, status: record.status, backend: backend, by: 1)
        requestSeconds.count(record.duration)
        bytesIn &+= UInt64(max(0, record.bytesIn))
        bytesOut &+= UInt64(max(0, record.bytesOut))
        if let time = record.timeToFirstByte {
            while backendSeconds.count <= backend { backendSeconds.append(Histogram()) }
            backendSeconds[backend].count(time)
        }
        if case .limited = record.verdict { limited &+= 1 }
    }

    /// Counts a refused credential. The reason is a literal: a closed list by construction.
    package mutating func countAuthenticationFailure(_ reason: StaticString) {
        countAuthenticationFailure(index: reasons.index(of: reason), by: 1)
    }

    private mutating func countAuthenticationFailure(index: Int, by count: UInt64) {
        while authFailures.count <= index { authFailures.append(0) }
        authFailures[index] &+= count
    }

    private mutating func count(operation: Int, status: Int, backend: Int, by count: UInt64) {
        // A status is three digits whoever sent it.
        let status = (100...599).contains(status) ? status : 0
        let key = UInt64(operation) << 32 | UInt64(status) << 16 | UInt64(backend)
        if key != lastKey {
            lastKey = key
            if let known = seriesIndex[key] {
                lastIndex = known
            } else {
                lastIndex = series.count
                seriesIndex[key] = lastIndex
                series.append(Series(operation: operation, status: status, backend: backend, count: 0))
            }
        }
        series[lastIndex].count &+= count
    }

    /// Adds another loop's tallies.
    package mutating func merge(_ other: LoopMetrics) {
        for entry in other.series {
            count(
                operation: operations.index(of: other.operations.names[entry.operation]),
                status: entry.status,
                backend: backends.index(of: other.backends.names[entry.backend]),
                by: entry.count
            )
        }
        for (index, count) in other.authFailures.enumerated() {
            countAuthenticationFailure(index: reasons.index(of: other.reasons.names[index]), by: count)
        }
        for (index, histogram) in other.backendSeconds.enumerated() {
            let own = backends.index(of: other.backends.names[index])
            while backendSeconds.count <= own { backendSeconds.append(Histogram()) }
            backendSeconds[own].merge(histogram)
        }
        requestSeconds.merge(other.requestSeconds)
        bytesIn &+= other.bytesIn
        bytesOut &+= other.bytesOut
        inflight += other.inflight
        heldBodyBytes += other.heldBodyBytes
        connections += other.connections
        connectionsAccepted &+= other.connectionsAccepted
        upstreamActive += other.upstreamActive
        upstreamIdle += other.upstreamIdle
        upstreamRetries &+= other.upstreamRetries
        limited &+= other.limited
    }
}

/// What the console shows of the tallies.
extension LoopMetrics {
    package struct RequestCount: Sendable, Equatable {
        package let operation: String
        package let status: Int
        package let backend: String
        package let count: UInt64
    }

    /// Finished requests, sorted by operation, backend and status.
    package var requestCounts: [RequestCount] {
        series.map {
            RequestCount(
                operation: operations.names[$0.operation],
                status: $0.status,
                backend: backends.names[$0.backend],
                count: $0.count
            )
        }
        .sorted { ($0.operation, $0.backend, $0.status) < ($1.operation, $1.backend, $1.status) }
    }

    package var totalBytes: (in: UInt64, out: UInt64) { (bytesIn, bytesOut) }

    /// Appends the tallies in the Prometheus text format.
    func append(to text: inout PrometheusText) {
        text.family("gatehouse_requests_total", .counter, "Requests answered.")
        for entry in requestCounts {
            text.sample(
                "gatehouse_requests_total",
                [("operation", entry.operation), ("status", String(entry.status)), ("backend", entry.backend)],
                entry.count
            )
        }
        text.family("gatehouse_request_seconds", .histogram, "From the request's first byte to the answer's last.")
        text.histogram("gatehouse_request_seconds", [], requestSeconds)
        text.family("gatehouse_bytes_total", .counter, "Body bytes from (in) and to (out) clients.")
        text.sample("gatehouse_bytes_total", [("direction", "in")], bytesIn)
        text.sample("gatehouse_bytes_total", [("direction", "out")], bytesOut)
        text.family(
            "gatehouse_backend_seconds",
            .histogram,
            "From sending a request to a backend to its answer's head."
        )
        for (index, histogram) in backendSeconds.enumerated() where histogram != Histogram() {
            text.histogram("gatehouse_backend_seconds", [("backend", backends.names[index])], histogram)
        }
        text.family("gatehouse_inflight_requests", .gauge, "Requests whose answer is not finished.")
        text.sample("gatehouse_inflight_requests", [], inflight)
        text.family("gatehouse_held_body_bytes", .gauge, "Bytes of request bodies that are held until they are whole.")
        text.sample("gatehouse_held_body_bytes", [], heldBodyBytes)
        text.family("gatehouse_auth_failures_total", .counter, "Credentials refused.")
        for (index, count) in authFailures.enumerated() {
            text.sample("gatehouse_auth_failures_total", [("reason", reasons.names[index])], count)
        }
        text.family("gatehouse_limited_total", .counter, "Requests refused by a limit.")
        text.sample("gatehouse_limited_total", [], limited)
        text.family("gatehouse_connections", .gauge, "Client connections open.")
        text.sample("gatehouse_connections", [], connections)
        text.family("gatehouse_connections_accepted_total", .counter, "Client connections accepted.")
        text.sample("gatehouse_connections_accepted_total", [], connectionsAccepted)
        text.family("gatehouse_upstream_connections", .gauge, "Connections to backends.")
        text.sample("gatehouse_upstream_connections", [("state", "active")], upstreamActive)
        text.sample("gatehouse_upstream_connections", [("state", "idle")], upstreamIdle)
        text.family("gatehouse_upstream_retries_total", .counter, "Requests repeated on a fresh backend connection.")
        text.sample("gatehouse_upstream_retries_total", [], upstreamRetries)
    }
}
