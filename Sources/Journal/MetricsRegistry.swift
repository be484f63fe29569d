import Synchronization
package import WireFormats

/// Everything that `/metrics` shows: the loops' tallies, collected when asked, and what the process as a whole knows.
package final class MetricsRegistry: Sendable {
    package enum Kind: Sendable {
        case counter, gauge
    }

    private struct Observed: Sendable {
        let name: StaticString
        let kind: Kind
        let help: StaticString
        let labels: [(StaticString, String)]
        let read: @Sendable () -> Double
    }

    /// A value with its labels.
    package typealias Sample = (labels: [(StaticString, String)], value: Double)

    private struct Asked: Sendable {
        let name: StaticString
        let kind: Kind
        let help: StaticString
        let samples: @Sendable () async -> [Sample]
    }

    private struct Sources: Sendable {
        var loops: [@Sendable () async -> LoopMetrics] = []
        var observed: [Observed] = []
        var asked: [Asked] = []
    }

    private struct Reloads {
        var succeeded: UInt64 = 0
        var failed: UInt64 = 0
        var lastSucceeded = true
        var lastSuccess: Instant
    }

    private let version: String
    private let startedAt: Instant
    private let sources = Mutex(Sources())
    private let reloads: Mutex<Reloads>

    package init(version: String, startedAt: Instant) {
        self.version = version
        self.startedAt = startedAt
        reloads = Mutex(Reloads(lastSuccess: startedAt))
    }

    /// Registers a loop: `collect` hops onto it and copies its tallies.
    package func register(loop collect: @escaping @Sendable () async -> LoopMetrics) {
        sources.withLock { $0.loops.append(collect) }
    }

    /// Registers a value that is read when asked. Names and labels are literals or come from the configuration.
    package func observe(
        _ kind: Kind,
        _ name: StaticString,
        _ help: StaticString,
        labels: [(StaticString, String)] = [],
        read: @escaping @Sendable () -> Double
    ) {
        sources.withLock {
            $0.observed.append(Observed(name: name, kind: kind, help: help, labels: labels, read: read))
        }
    }

    /// Registers values that somebody has to be asked for. Labels come from closed lists.
    package func observe(
        _ kind: Kind,
        _ name: StaticString,
        _ help: StaticString,
        samples: @escaping @Sendable () async -> [Sample]
    ) {
        sources.withLock { $0.asked.append(Asked(name: name, kind: kind, help: help, samples: samples)) }
    }

    /// Registers the logs' losses.
    package func observe(accessLog: AccessLog?, auditLog: AuditLog?) {
        let help: StaticString = "Log lines that could not be written in time."
        if let accessLog {
            observe(.counter, "gatehouse_log_lines_dropped_total", help, labels: [("log", "access")]) {
                Double(accessLog.droppedLines)
            }
        }
        if let auditLog {
            observe(.counter, "gatehouse_log_lines_dropped_total", help, labels: [("log", "audit")]) {
                Double(auditLog.droppedLines)
            }
            observe(.counter, "gatehouse_audit_errors_total", "Failed writes of the audit log.") {
                Double(auditLog.errors)
            }
            observe(.gauge, "gatehouse_audit_healthy", "Whether the last audit lines reached the file.") {
                auditLog.isHealthy ? 1 : 0
            }
        }
    }

    /// Notes how a reload of the configuration went.
    package func configurationReloaded(succeeded: Bool, at now: Instant) {
        reloads.withLock {
            $0.lastSucceeded = succeeded
            if succeeded {
                $0.succeeded += 1
                $0.lastSuccess = now
            } else {
                $0.failed += 1
            }
        }
    }

    /// The sum over all loops.
    package func collect() async -> LoopMetrics {
        var total = LoopMetrics()
        for loop in sources.withLock({ $0.loops }) { total.merge(await loop()) }
        return total
    }

    /// The body of `/metrics`: Prometheus text format 0.0.4, `text/plain; version=0.0.4`.
    package func exposition() async -> [UInt8] {
        var text = PrometheusText()
        await collect().append(to: &text)
        appendObserved(to: &text)
        for family in sources.withLock({ $0.asked }) {
            text.family(family.name, family.kind == .counter ? .counter : .gauge, family.help)
            for sample in await family.samples() { text.sample(family.name, sample.labels, sample.value) }
        }
        appendReloads(to: &text)
        appendProcess(to: &text)
        return text.bytes
    }

    private func appendObserved(to text: inout PrometheusText) {
        let observed = sources.withLock { $0.observed }
        var written: Set<String> = []
        for first in observed where written.insert(first.name.description).inserted {
            text.family(first.name, first.kind == .counter ? .counter : .gauge, first.help)
            for one in observed where one.name.description == first.name.description {
                text.sample(one.name, one.labels, one.read())
            }
        }
    }

    private func appendReloads(to text: inout PrometheusText) {
        let (succeeded, failed, ok, last) = reloads.withLock {
            ($0.succeeded, $0.failed, $0.lastSucceeded, $0.lastSuccess)
        }
        text.family("gatehouse_config_reloads_total", .counter, "Reloads of the configuration.")
        text.sample("gatehouse_config_reloads_total", [("outcome", "success")], succeeded)
        text.sample("gatehouse_config_reloads_total", [("outcome", "failure")], failed)
        text.family(
            "gatehouse_config_last_reload_successful",
            .gauge,
            "Whether the file read last is the one in force."
        )
        text.sample("gatehouse_config_last_reload_successful", [], ok ? 1 : 0)
        text.family(
            "gatehouse_config_last_success_timestamp_seconds",
            .gauge,
            "When the configuration in force was read."
        )
        text.sample("gatehouse_config_last_success_timestamp_seconds", [], last.secondsSince1970)
    }

    private func appendProcess(to text: inout PrometheusText) {
        let usage = ProcessUsage.current()
        text.family("gatehouse_build_info", .gauge, "The running version.")
        text.sample("gatehouse_build_info", [("version", version)], 1)
        text.family("process_start_time_seconds", .gauge, "When the process started.")
        text.sample("process_start_time_seconds", [], startedAt.secondsSince1970)
        text.family("process_cpu_seconds_total", .counter, "User and system time spent.")
        text.sample("process_cpu_seconds_total", [], usage.cpuSeconds)
        text.family("process_resident_memory_bytes", .gauge, "Resident memory.")
        text.sample("process_resident_memory_bytes", [], usage.residentBytes)
        text.family("process_open_fds", .gauge, "Open file descriptors.")
        text.sample("process_open_fds", [], usage.openFiles)
    }
}
