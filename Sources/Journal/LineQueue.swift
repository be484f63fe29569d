import Dispatch
import Synchronization

/// Finished lines on their way from the event loops to a file: a bounded mailbox in front of one serial writer.
///
/// A loop hands over a whole buffer at a time, so the lock is taken some dozens of times a second, not per request.
/// When the writer is behind by more than `maximumBytes`, what comes is dropped and counted: a slow disk must cost
/// log lines, never requests or memory.
final class LineQueue: Sendable {
    /// Complete lines, each ending in a line feed.
    struct Chunk: Sendable {
        let bytes: [UInt8]
        let lines: Int
    }

    private struct Mailbox {
        var chunks: [Chunk] = []
        var bytes = 0
        var scheduled = false
    }

    private let mailbox = Mutex(Mailbox())
    private let dropped = Atomic<Int>(0)
    private let queue: DispatchQueue
    private let maximumBytes: Int
    private let retryAfter: DispatchTimeInterval
    /// Writes chunks and says how many it is done with; fewer than given means "again later".
    private let write: @Sendable ([Chunk]) -> Int

    init(
        label: String,
        maximumBytes: Int,
        retryAfter: DispatchTimeInterval = .milliseconds(250),
        write: @escaping @Sendable ([Chunk]) -> Int
    ) {
        queue = DispatchQueue(label: label)
        self.maximumBytes = maximumBytes
        self.retryAfter = retryAfter
        self.write = write
    }

    /// How many lines were dropped since the start.
    var droppedLines: Int { dropped.load(ordering: .relaxed) }

    /// Hands lines over from any thread, never waiting for the disk. False: they were dropped.
    @discardableResult
    func submit(_ chunk: Chunk) -> Bool {
        let outcome = mailbox.withLock { box -> (accepted: Bool, schedule: Bool) in
            guard box.bytes + chunk.bytes.count <= maximumBytes else { return (false, false) }
            box.chunks.append(chunk)
            box.bytes += chunk.bytes.count
            defer { box.scheduled = true }
            return (true, !box.scheduled)
        }
        if outcome.schedule { queue.async { self.drain() } }
        if !outcome.accepted { dropped.add(chunk.lines, ordering: .relaxed) }
        return outcome.accepted
    }

    /// Returns when everything that was handed over before has been written, or could not be.
    func flush() async {
        await withCheckedContinuation { continuation in
            queue.async {
                self.drain()
                continuation.resume()
            }
        }
    }

    private func drain() {
        while true {
            let chunks = mailbox.withLock { box -> [Chunk] in
                let taken = box.chunks
                box.chunks = []
                if taken.isEmpty { box.scheduled = false }
                return taken
            }
            if chunks.isEmpty { return }
            let done = write(chunks)
            mailbox.withLock { box in
                for chunk in chunks.prefix(done) { box.bytes -= chunk.bytes.count }
                if done < chunks.count { box.chunks.insert(contentsOf: chunks[done...], at: 0) }
            }
            if done < chunks.count {
                queue.asyncAfter(deadline: .now() + retryAfter) { self.drain() }
                return
            }
        }
    }
}
