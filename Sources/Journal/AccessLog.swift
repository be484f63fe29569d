import Synchronization

/// The access log: one line per finished request, appended to a file or standard output by one writer.
///
/// Lines come from ``LoopJournal`` a buffer at a time. A disk that cannot keep up costs lines, which are counted.
package final class AccessLog: Sendable {
    package let format: AccessLogFormat
    private let sink: Sink
    private let queue: LineQueue

    /// `path`: `-` is standard output. Lines waiting beyond `maximumBacklog` bytes are dropped. Throws if the file
    /// can't be opened.
    package init(path: String, format: AccessLogFormat, maximumBacklog: Int = 16 * 1024 * 1024) throws(LogFileError) {
        self.format = format
        let sink = try Sink(path: path)
        self.sink = sink
        queue = LineQueue(label: "gatehouse.access-log", maximumBytes: maximumBacklog) { sink.write($0) }
    }

    /// `auto` of the configuration: text on a terminal, JSON everywhere else.
    package static func automaticFormat(path: String) -> AccessLogFormat {
        path == "-" && LogFile.standardOutputIsTerminal ? .text : .json
    }

    /// Complete lines from one loop, from any thread.
    package func submit(_ lines: [UInt8], count: Int) {
        queue.submit(LineQueue.Chunk(bytes: lines, lines: count))
    }

    /// How many lines never reached the file: the backlog was full, or writing failed.
    package var droppedLines: Int { queue.droppedLines + sink.lostLines }

    /// Opens the path anew, after logrotate has moved the file away (SIGHUP). On failure the old file stays in use.
    package func reopen() throws(LogFileError) { try sink.reopen() }

    /// Returns when everything handed over so far is written.
    package func flush() async { await queue.flush() }
}

/// The open file behind the queue.
private final class Sink: Sendable {
    private let path: String
    private let file: Mutex<LogFile>
    private let lost = Atomic<Int>(0)

    init(path: String) throws(LogFileError) {
        self.path = path
        file = Mutex(try Self.open(path))
    }

    var lostLines: Int { lost.load(ordering: .relaxed) }

    func write(_ chunks: [LineQueue.Chunk]) -> Int {
        for chunk in chunks {
            do throws(LogFileError) {
                try file.withLock { (file) throws(LogFileError) in try file.write(chunk.bytes) }
            } catch {
                lost.add(chunk.lines, ordering: .relaxed)
            }
        }
        return chunks.count
    }

    func reopen() throws(LogFileError) {
        let opened = try Self.open(path)
        let old = file.withLock { current in
            let old = current
            current = opened
            return old
        }
        old.close()
    }

    private static func open(_ path: String) throws(LogFileError) -> LogFile {
        path == "-" ? .standardOutput : try LogFile(appendingTo: path, permissions: 0o640)
    }
}
