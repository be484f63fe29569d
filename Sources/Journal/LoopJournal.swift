/// One event loop's share of the journal: log lines under way and tallies, touched by that loop alone, so that
/// recording a request costs neither a lock nor, once the buffers have grown, an allocation.
///
/// Lines leave for the writers when a buffer is big or when ``flush()`` is called; ``scheduleFlush`` asks the loop
/// to do so within 100 ms and is called once per flush, only when there is something to flush: an idle loop sleeps.
package final class LoopJournal {
    /// A buffer is handed over at this size without waiting.
    private static let handOverBytes = 64 * 1024

    package var metrics = LoopMetrics()
    /// Set by the loop's owner: arranges for ``flush()`` to be called on the loop within 100 ms.
    package var scheduleFlush: () -> Void = {}

    private let accessLog: AccessLog?
    private let auditLog: AuditLog?
    private var access = LineBuffer()
    private var audit = LineBuffer()
    private var clock = LineClock()
    private var flushIsScheduled = false

    package init(accessLog: AccessLog?, auditLog: AuditLog?) {
        self.accessLog = accessLog
        self.auditLog = auditLog
    }

    /// Whether what is decided now will be written down, as far as can be known: the last lines reached the file, or no
    /// audit log is wanted. What `on_error = "deny"` goes by.
    package var auditIsHealthy: Bool { auditLog?.isHealthy ?? true }

    /// Writes the decision to the audit log: once per request, when the verdict is known. What had nothing to decide
    /// is left out.
    package func decided(_ record: RequestRecord) {
        guard let auditLog else { return }
        if case .undecided = record.verdict { return }
        AuditLine.append(record, clock: &clock, to: &audit.bytes)
        audit.endLine()
        if audit.bytes.count >= Self.handOverBytes {
            audit.handOver { auditLog.submit($0, count: $1) }
        } else {
            requestFlush()
        }
    }

    /// Writes down what is handed out. Nil where no audit log is kept; otherwise tells, once the line has been written,
    /// whether it could be.
    package func issued(_ action: AuditedAction) -> (@Sendable () async -> Bool)? {
        guard let auditLog else { return nil }
        auditLog.record(action)
        return {
            await auditLog.flush()
            return auditLog.isHealthy
        }
    }

    /// Counts a request that is over and writes it to the access log.
    package func finished(_ record: RequestRecord) {
        metrics.count(record)
        guard let accessLog else { return }
        accessLog.format.append(record, clock: &clock, to: &access.bytes)
        access.lines += 1
        if access.bytes.count >= Self.handOverBytes {
            access.handOver { accessLog.submit($0, count: $1) }
        } else {
            requestFlush()
        }
    }

    /// Hands everything to the writers: by the scheduled task, and before the loop ends.
    package func flush() {
        flushIsScheduled = false
        access.handOver { accessLog?.submit($0, count: $1) }
        audit.handOver { auditLog?.submit($0, count: $1) }
    }

    private func requestFlush() {
        guard !flushIsScheduled else { return }
        flushIsScheduled = true
        scheduleFlush()
    }
}

private struct LineBuffer {
    var bytes: [UInt8] = []
    var lines = 0

    mutating func endLine() {
        bytes.append(0x0A)
        lines += 1
    }

    mutating func handOver(_ submit: ([UInt8], Int) -> Void) {
        guard lines > 0 else { return }
        submit(bytes, lines)
        // The writer owns the old storage now. A busy loop takes as much again at once instead of growing into it.
        let used = bytes.count
        bytes = []
        if used > 4096 { bytes.reserveCapacity(used + 1024) }
        lines = 0
    }
}
