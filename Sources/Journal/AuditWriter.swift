import WireFormats

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Seals bodies into the chain and writes them, rotating files. Owned by one thread at a time.
///
/// The first line of every file is a marker (`"event":"file_opened"`), so that a file which lost its head shows it.
/// Other markers: `started` after a restart, `torn_line_removed` after a crash in the middle of a line,
/// `lines_dropped` where a backlog overflowed, `chain_restarted` where the old chain's end was unreadable.
struct AuditWriter {
    static let fileOpened: StaticString = "file_opened"

    private let settings: AuditLog.Settings
    private let files: AuditFiles
    private let now: @Sendable () -> Instant
    private var chain: AuditChain
    private var file: LogFile?
    private var notedDrops = 0
    /// Markers to put before the next body.
    private var pending: [UInt8] = []

    init(_ settings: AuditLog.Settings, now: @escaping @Sendable () -> Instant) throws(LogFileError) {
        self.settings = settings
        self.now = now
        files = AuditFiles(path: settings.path)
        chain = AuditChain(key: settings.hmacKey)
        if settings.path != "-" { try takeUpChain() }
        _ = try write([], droppedSoFar: 0)
    }

    /// Continues after the last line on disk, whichever file holds it.
    private mutating func takeUpChain() throws(LogFileError) {
        // Taken first: a running process's half-written line must not be mistaken for a torn one.
        let opened = try openFile()
        let tornBytes = try removeTornLine(opened)
        file = opened
        for path in files.oldestFirst.reversed() {
            let end = try AuditFiles.end(of: path)
            guard let line = end.lastLine else { continue }
            guard let sealed = SealedAuditLine(line[...]), AuditChain.hash(sealed.sealed) == Array(sealed.hash) else {
                return try restartChain(opened)
            }
            chain = AuditChain(after: sealed.sequence, hash: Array(sealed.hash), key: settings.hmacKey)
            break
        }
        if opened.size > 0 { pending += marker("started") }
        if tornBytes > 0 { pending += marker("torn_line_removed", ("bytes", tornBytes)) }
    }

    private func removeTornLine(_ opened: LogFile) throws(LogFileError) -> Int {
        let end = try AuditFiles.end(of: settings.path)
        if end.tornBytes > 0 { try opened.truncate(to: end.size - end.tornBytes) }
        return end.tornBytes
    }

    /// The end of the old chain is not a line of ours: it is kept as it is for whoever investigates, and a new chain
    /// begins, which the verifier reports.
    private mutating func restartChain(_ opened: LogFile) throws(LogFileError) {
        if opened.size > 0 {
            opened.close()
            file = nil
            try files.rotate(keep: settings.keep)
        }
        pending += marker("chain_restarted")
    }

    private func openFile() throws(LogFileError) -> LogFile {
        settings.path == "-"
            ? .standardOutput : try LogFile(appendingTo: settings.path, permissions: 0o600, exclusively: true)
    }

    /// Seals and writes a batch as a whole: on an error nothing of it stays, in the file or in the chain. Returns how
    /// many faults were survived (a rotation that failed leaves the old file in use).
    mutating func write(_ bodies: [UInt8], droppedSoFar: Int) throws(LogFileError) -> Int {
        var faults = 0
        if let file, settings.path != "-", settings.rotateSize > 0, file.size >= settings.rotateSize {
            do throws(LogFileError) { try rotate(file) } catch { faults += 1 }
        }
        let output: LogFile
        if let file { output = file } else { output = try openFile() }
        file = output
        let size = output.size
        var next = chain
        var text: [UInt8] = []
        text.reserveCapacity(bodies.count * 2 + 512)
        if size == 0 || (settings.path == "-" && next.sequence == 0) {
            seal(marker(Self.fileOpened), &next, &text)
        }
        seal(pending, &next, &text)
        if droppedSoFar > notedDrops {
            seal(marker("lines_dropped", ("count", droppedSoFar - notedDrops)), &next, &text)
        }
        seal(bodies, &next, &text)
        guard !text.isEmpty else { return faults }
        do throws(LogFileError) {
            try output.write(text)
        } catch {
            if settings.path != "-" { try output.truncate(to: size) }
            throw error
        }
        chain = next
        notedDrops = droppedSoFar
        pending = []
        return faults
    }

    private func seal(_ bodies: [UInt8], _ chain: inout AuditChain, _ text: inout [UInt8]) {
        bodies.withUnsafeBytes { bodies in
            var rest = bodies
            while let feed = rest.firstLineFeed {
                chain.seal(rest.prefix(feed), to: &text)
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(feed + 1))
            }
        }
    }

    private mutating func rotate(_ full: LogFile) throws(LogFileError) {
        full.synchronize()
        try files.rotate(keep: settings.keep)
        file = nil
        full.close()
    }

    mutating func close() {
        file?.synchronize()
        file?.close()
        file = nil
    }

    private func marker(_ event: StaticString, _ detail: (name: StaticString, value: Int)? = nil) -> [UInt8] {
        var clock = LineClock()
        var line: [UInt8] = []
        LineText.append("\"time\":\"", to: &line)
        clock.append(now(), to: &line)
        LineText.append("\",", to: &line)
        if let detail {
            LineText.append("\"", to: &line)
            LineText.append(detail.name, to: &line)
            LineText.append("\":", to: &line)
            LineText.append(detail.value, to: &line)
            LineText.append(",", to: &line)
        }
        LineText.append("\"event\":\"", to: &line)
        LineText.append(event, to: &line)
        LineText.append("\"\n", to: &line)
        return line
    }
}

extension UnsafeRawBufferPointer {
    /// Where the first line ends; nil where none does.
    fileprivate var firstLineFeed: Int? {
        guard let start = baseAddress, let feed = memchr(start, 0x0A, count) else { return nil }
        return UnsafeRawPointer(feed) - start
    }
}
