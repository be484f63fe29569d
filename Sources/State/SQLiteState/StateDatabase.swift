import GRDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Opens the file: write-ahead log with `synchronous = FULL`, so that a commit is on the medium before it is
/// acknowledged.
enum StateDatabase {
    static func open(_ place: SQLiteState.Place) throws(StateFault) -> (any DatabaseWriter, StateClaim?) {
        switch place {
        case .memory:
            do {
                let database = try DatabaseQueue(configuration: configuration())
                try database.writeWithoutTransaction { try Schema.update($0) }
                return (database, nil)
            } catch {
                throw StateFault("can't keep the state in memory: \(StateFault.reason(error))")
            }
        case .file(let path):
            do {
                try makeFile(path)
                let claim = try StateClaim(path)
                try inspect(path)
                let database = try DatabasePool(path: path, configuration: configuration())
                try database.writeWithoutTransaction { connection in
                    // GRDB sets NORMAL for a write-ahead log, which may lose the last commits of a power failure.
                    try connection.execute(sql: "PRAGMA synchronous = FULL")
                    try requireDurability(connection)
                    try Schema.update(connection)
                }
                return (database, claim)
            } catch let fault as StateFault {
                throw fault
            } catch {
                throw StateFault("can't open the state \(path): \(StateFault.reason(error))")
            }
        }
    }

    /// What is not so would not survive a power failure, whatever was asked for.
    static func requireDurability(_ connection: Database) throws {
        let synchronous = try Int.fetchOne(connection, sql: "PRAGMA synchronous")
        let journal = try String.fetchOne(connection, sql: "PRAGMA journal_mode")
        guard synchronous == 2, journal == "wal" else {
            throw StateFault("the state's file system takes no durable commits (synchronous = FULL with WAL)")
        }
    }

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.label = "state"
        configuration.maximumReaderCount = 2
        configuration.busyMode = .timeout(5)
        configuration.foreignKeysEnabled = true
        return configuration
    }

    /// Made here so that it is 0600; SQLite gives its log the same mode.
    private static func makeFile(_ path: String) throws {
        let descriptor = Self.openFile(path)
        guard descriptor >= 0 else {
            throw StateFault("can't open the state \(path): \(String(cString: strerror(errno)))")
        }
        _ = close(descriptor)
    }

    /// Its descriptor, made where it is missing and for nobody else to read; below 0: `errno` says why not.
    static func openFile(_ path: String) -> Int32 {
        #if canImport(Glibc)
            Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        #elseif canImport(Musl)
            Musl.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        #else
            Darwin.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        #endif
    }

    /// Refuses files of others and damaged ones before anything is written to them.
    private static func inspect(_ path: String) throws {
        let database = try DatabaseQueue(path: path, configuration: configuration())
        defer { try? database.close() }
        try database.read { connection in
            let tables = try Int.fetchOne(connection, sql: "SELECT count(*) FROM sqlite_master") ?? 0
            guard tables > 0 else { return }
            guard try Int.fetchOne(connection, sql: "PRAGMA application_id") == Schema.applicationID else {
                throw StateFault("\(path) is another program's database, not Gatehouse's state")
            }
            try Schema.requireKnown(connection)
            let pages = try Int.fetchOne(connection, sql: "PRAGMA page_count") ?? 0
            guard pages <= inspectedPages else { return }
            let verdict = try String.fetchOne(connection, sql: "PRAGMA quick_check(1)")
            guard verdict == "ok" else {
                throw StateFault("the state \(path) is damaged (\(verdict ?? "no verdict")): restore it from a backup")
            }
        }
    }

    /// Larger files are not read through at start: 64 MiB of pages take a fraction of a second.
    private static let inspectedPages = 16_384
}

/// Why the state can't be opened, for whoever started the gateway.
package struct StateFault: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }

    static func reason(_ error: any Error) -> String {
        guard let error = error as? DatabaseError else { return "\(error)" }
        switch error.resultCode {
        case .SQLITE_NOTADB: return "it is not an SQLite database"
        case .SQLITE_CORRUPT: return "it is damaged; restore it from a backup"
        case .SQLITE_BUSY, .SQLITE_LOCKED: return "another process holds it"
        default: return error.message ?? "SQLite error \(error.resultCode.rawValue)"
        }
    }
}
