import Synchronization
package import WireFormats

/// The audit log: hash-chained JSON lines, written in order by one writer (product page, section 13).
///
/// Bodies come from the loops in batches of at most 100 ms. If writing fails, the batch is kept and tried again; what
/// no longer fits the bounded backlog is dropped, counted, and noted in the chain itself. ``isHealthy`` is what
/// `on_error = "deny"` goes by.
package final class AuditLog: Sendable {
    package struct Settings: Sendable {
        /// `-` is standard output: chained from the start of the process, never rotated.
        package var path: String
        /// A file is rotated once it has grown beyond so many bytes.
        package var rotateSize: Int
        /// How many rotated files are kept.
        package var keep: Int
        package var hmacKey: Secret<[UInt8]>?
        /// Bytes waiting for the writer beyond which lines are dropped.
        package var maximumBacklog: Int

        package init(
            path: String,
            rotateSize: Int = 256 * 1024 * 1024,
            keep: Int = 10,
            hmacKey: Secret<[UInt8]>? = nil,
            maximumBacklog: Int = 32 * 1024 * 1024
        ) {
            self.path = path
            self.rotateSize = rotateSize
            self.keep = keep
            self.hmacKey = hmacKey
            self.maximumBacklog = maximumBacklog
        }
    }

    private let state: AuditState
    private let queue: LineQueue

    /// Opens the log and takes up its chain where the newest file ends. `now` gives the time of the marker lines
    /// that the writer itself adds. Throws if the file can't be opened or another process writes it.
    package init(_ settings: Settings, now: @escaping @Sendable () -> Instant) throws(LogFileError) {
        let state = AuditState(try AuditWriter(settings, now: now))
        self.state = state
        queue = LineQueue(label: "gatehouse.audit", maximumBytes: settings.maximumBacklog) { state.write($0) }
    }

    /// Whether the last lines reached the file. False while writing fails or after lines were dropped.
    package var isHealthy: Bool { state.healthy.load(ordering: .relaxed) }

    /// How many lines were dropped because the writer was too far behind.
    package var droppedLines: Int { state.dropped.load(ordering: .relaxed) }

    /// How often writing or rotating failed.
    package var errors: Int { state.errors.load(ordering: .relaxed) }

    /// Bodies made by ``AuditLine``, each ending in a line feed, from any thread.
    package func submit(_ bodies: [UInt8], count: Int) {
        if !queue.submit(LineQueue.Chunk(bytes: bodies, lines: count)) {
            state.dropped.add(count, ordering: .relaxed)
            state.healthy.store(false, ordering: .relaxed)
        }
    }

    /// Records what the control plane did.
    package func record(_ action: AuditedAction) {
        var body: [UInt8] = []
        AuditLine.append(action, to: &body)
        body.append(0x0A)
        submit(body, count: 1)
    }

    /// Returns when everything handed over so far is written, or has failed once more.
    package func flush() async { await queue.flush() }

    /// Writes what is left and releases the file.
    package func close() async {
        await queue.flush()
        state.writer.withLock { $0.close() }
    }
}

/// The writer with what others may read about it.
private final class AuditState: Sendable {
    let writer: Mutex<AuditWriter>
    let healthy = Atomic<Bool>(true)
    let dropped = Atomic<Int>(0)
    let errors = Atomic<Int>(0)

    init(_ writer: AuditWriter) {
        self.writer = Mutex(writer)
    }

    /// Runs on the queue's thread alone.
    func write(_ chunks: [LineQueue.Chunk]) -> Int {
        for (index, chunk) in chunks.enumerated() {
            do throws(LogFileError) {
                let seen = dropped.load(ordering: .relaxed)
                let faults = try writer.withLock { (writer) throws(LogFileError) in
                    try writer.write(chunk.bytes, droppedSoFar: seen)
                }
                if faults > 0 { errors.add(faults, ordering: .relaxed) }
            } catch {
                errors.add(1, ordering: .relaxed)
                healthy.store(false, ordering: .relaxed)
                return index
            }
        }
        healthy.store(true, ordering: .relaxed)
        return chunks.count
    }
}
