import GRDB

/// The index: which buckets and objects there are and which files hold their bytes. SQLite in WAL mode with
/// `synchronous = FULL`, so that a commit is on the medium before it is acknowledged. A row's commit is the moment
/// at which an object exists, changes or is gone.
enum IndexDatabase {
    /// The schema's version, in `user_version`. A newer one is refused.
    static let version = migrations.count

    /// - Parameter founding: is told whether it was made.
    static func open(path: String, _ founding: inout Founding) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.label = "embedded-store"
        configuration.maximumReaderCount = 4
        configuration.busyMode = .timeout(5)
        configuration.foreignKeysEnabled = false
        // Made here so that it is 0600; SQLite gives its log the same mode.
        try founding.makeIndex(path)
        let database = try DatabasePool(path: path, configuration: configuration)
        try database.writeWithoutTransaction { connection in
            // GRDB sets NORMAL for WAL, which may lose the last commits of a power failure.
            try connection.execute(sql: "PRAGMA synchronous = FULL")
            let synchronous = try Int.fetchOne(connection, sql: "PRAGMA synchronous")
            let journal = try String.fetchOne(connection, sql: "PRAGMA journal_mode")
            guard synchronous == 2, journal == "wal" else { throw IndexFailure.notDurable }
            let found = try Int.fetchOne(connection, sql: "PRAGMA user_version") ?? 0
            guard found <= version else { throw IndexFailure.newerVersion(found) }
            guard found < version else { return }
            // All or nothing: a crash in between leaves the index as the earlier release wrote it.
            try connection.inTransaction(.exclusive) {
                for step in migrations[max(0, found)...] { try connection.execute(sql: step) }
                try connection.execute(sql: "PRAGMA user_version = \(version)")
                return .commit
            }
        }
        return database
    }

    /// Keys are BLOBs: they compare byte by byte, which for UTF-8 is the order S3 lists in. Tables without rowid are
    /// their own index.
    private static let firstSchema = """
        CREATE TABLE bucket (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL);
        CREATE TABLE object (
            bucket INTEGER NOT NULL, key BLOB NOT NULL, content BLOB NOT NULL, segmented INTEGER NOT NULL,
            size INTEGER NOT NULL, etag TEXT NOT NULL, modified INTEGER NOT NULL, fields BLOB NOT NULL,
            PRIMARY KEY (bucket, key)
        ) WITHOUT ROWID;
        CREATE UNIQUE INDEX object_content ON object (content);
        CREATE TABLE segment (
            content BLOB NOT NULL, number INTEGER NOT NULL, start INTEGER NOT NULL, length INTEGER NOT NULL,
            file BLOB NOT NULL, PRIMARY KEY (content, number)
        ) WITHOUT ROWID;
        CREATE UNIQUE INDEX segment_file ON segment (file);
        CREATE TABLE upload (
            id TEXT PRIMARY KEY, bucket INTEGER NOT NULL, key BLOB NOT NULL, created INTEGER NOT NULL,
            fields BLOB NOT NULL, algorithm TEXT, composition TEXT
        ) WITHOUT ROWID;
        CREATE UNIQUE INDEX upload_key ON upload (bucket, key, id);
        CREATE TABLE part (
            upload TEXT NOT NULL, number INTEGER NOT NULL, content BLOB NOT NULL, size INTEGER NOT NULL,
            md5 BLOB NOT NULL, modified INTEGER NOT NULL, algorithm TEXT, checksum BLOB, PRIMARY KEY (upload, number)
        ) WITHOUT ROWID;
        CREATE UNIQUE INDEX part_content ON part (content);
        CREATE TABLE garbage (file BLOB PRIMARY KEY) WITHOUT ROWID;
        """

    /// Versions (`object` holds what is current, `version` the rest: earlier versions and delete markers, newest
    /// first), the checksums of an object's parts, and what else a bucket is configured with.
    private static let versionsAndConfiguration = """
        ALTER TABLE bucket ADD COLUMN versioning INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE object ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE object ADD COLUMN named INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE object ADD COLUMN class TEXT;
        ALTER TABLE segment ADD COLUMN digest BLOB;
        CREATE TABLE version (
            bucket INTEGER NOT NULL, key BLOB NOT NULL, sequence INTEGER NOT NULL, content BLOB NOT NULL,
            named INTEGER NOT NULL, marker INTEGER NOT NULL, segmented INTEGER NOT NULL, size INTEGER NOT NULL,
            etag TEXT NOT NULL, modified INTEGER NOT NULL, fields BLOB NOT NULL, class TEXT,
            PRIMARY KEY (bucket, key, sequence DESC)
        ) WITHOUT ROWID;
        CREATE UNIQUE INDEX version_content ON version (content);
        CREATE UNIQUE INDEX version_null ON version (bucket, key) WHERE named = 0;
        CREATE TABLE configuration (
            bucket INTEGER NOT NULL, kind TEXT NOT NULL, document BLOB NOT NULL, PRIMARY KEY (bucket, kind)
        ) WITHOUT ROWID;
        """

    /// What brings an index from each version to the next. Never changed once released, only added to.
    private static let migrations = [firstSchema, versionsAndConfiguration]
}

/// Why an index can't be used.
enum IndexFailure: Error, Hashable, Sendable {
    /// SQLite did not take the settings that make commits durable.
    case notDurable
    /// Written by a later release of Gatehouse.
    case newerVersion(Int)
    /// A row that this release could not have written.
    case damaged
}
