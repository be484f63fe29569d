import GRDB

/// The tables, and how those of earlier releases become them.
enum Schema {
    /// "GATE", in `application_id`: tells our file from another program's.
    static let applicationID = 0x4741_5445
    /// In `user_version`.
    static let version = steps.count

    static func update(_ connection: Database) throws {
        let found = try requireKnown(connection)
        guard found < version else { return }
        // All or nothing: a crash in between leaves the file as the earlier release wrote it.
        try connection.inTransaction(.exclusive) {
            for step in steps[found...] { try connection.execute(sql: step) }
            try connection.execute(sql: "PRAGMA application_id = \(applicationID)")
            try connection.execute(sql: "PRAGMA user_version = \(version)")
            return .commit
        }
    }

    @discardableResult
    static func requireKnown(_ connection: Database) throws -> Int {
        let found = try Int.fetchOne(connection, sql: "PRAGMA user_version") ?? 0
        guard (0...version).contains(found) else {
            throw StateFault(
                "the state was written by a later version of Gatehouse (format \(found), known: \(version))"
            )
        }
        return found
    }

    /// What brings a file from each version to the next. Never changed once released, only added to.
    private static let steps = [first, second, third, fourth, fifth, sixth]

    /// Instants are nanoseconds since 1970; keys are BLOBs, because they are bytes; indexes cover only what is looked
    /// for by them, so that slots that have ended cost nothing when one is issued.
    private static let first = """
        CREATE TABLE slot (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, issuer TEXT NOT NULL, bucket TEXT NOT NULL,
            key BLOB NOT NULL, landing BLOB NOT NULL, quarantined INTEGER NOT NULL, content_type TEXT NOT NULL,
            size INTEGER NOT NULL, sha256 BLOB, metadata BLOB, mode TEXT NOT NULL, prior_etag TEXT, prior_version TEXT,
            overwrite INTEGER NOT NULL, once INTEGER NOT NULL, issued INTEGER NOT NULL, expires INTEGER NOT NULL,
            state TEXT NOT NULL, upload TEXT, part_size INTEGER, found_etag TEXT, found_size INTEGER, found_type TEXT,
            found_version TEXT, found_sha256 BLOB, cause TEXT, finished INTEGER, leftovers INTEGER NOT NULL,
            revision INTEGER NOT NULL
        );
        CREATE INDEX slot_issuer ON slot (issuer) WHERE finished IS NULL;
        CREATE INDEX slot_landing ON slot (bucket, landing) WHERE finished IS NULL;
        CREATE INDEX slot_expires ON slot (expires) WHERE finished IS NULL;
        CREATE INDEX slot_finished ON slot (finished) WHERE finished IS NOT NULL;
        CREATE INDEX slot_leftovers ON slot (finished) WHERE leftovers;
        CREATE TABLE funnel (
            state TEXT NOT NULL, cause TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (state, cause)
        ) WITHOUT ROWID;

        CREATE TABLE event (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL, slot INTEGER NOT NULL REFERENCES slot ON DELETE CASCADE,
            happened INTEGER NOT NULL, state TEXT NOT NULL, upload TEXT, part_size INTEGER, found_etag TEXT,
            found_size INTEGER, found_type TEXT, found_version TEXT, found_sha256 BLOB, cause TEXT, finished INTEGER,
            leftovers INTEGER NOT NULL, revision INTEGER NOT NULL
        );
        CREATE INDEX event_slot ON event (slot);
        CREATE TABLE delivery (
            number INTEGER PRIMARY KEY AUTOINCREMENT, event INTEGER NOT NULL REFERENCES event ON DELETE CASCADE,
            target TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, failure TEXT NOT NULL DEFAULT '', due INTEGER
        );
        CREATE INDEX delivery_due ON delivery (due) WHERE due IS NOT NULL;
        CREATE INDEX delivery_dead ON delivery (number) WHERE due IS NULL;
        CREATE INDEX delivery_event ON delivery (event);

        CREATE TABLE permission (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, subject TEXT NOT NULL, link BLOB UNIQUE,
            bucket TEXT NOT NULL, reach BLOB NOT NULL, prefix INTEGER NOT NULL, actions TEXT NOT NULL,
            grantor TEXT NOT NULL, claims TEXT NOT NULL, note TEXT NOT NULL, issued INTEGER NOT NULL, expires INTEGER NOT NULL,
            max_uses INTEGER, source TEXT, revoked INTEGER, uses INTEGER NOT NULL, used INTEGER,
            change INTEGER NOT NULL UNIQUE
        );
        CREATE INDEX permission_bucket ON permission (bucket, id);
        CREATE INDEX permission_subject ON permission (subject, id);
        CREATE INDEX permission_expires ON permission (expires);
        CREATE TABLE permission_change (last INTEGER NOT NULL);
        INSERT INTO permission_change VALUES (0);
        CREATE TABLE permission_use (
            permission INTEGER NOT NULL REFERENCES permission ON DELETE CASCADE, address TEXT NOT NULL,
            at INTEGER NOT NULL, PRIMARY KEY (permission, address)
        ) WITHOUT ROWID;
        CREATE TABLE outstanding (
            number INTEGER PRIMARY KEY, permission INTEGER NOT NULL REFERENCES permission ON DELETE CASCADE,
            method TEXT NOT NULL, bucket TEXT NOT NULL, key BLOB NOT NULL, expires INTEGER NOT NULL
        );
        CREATE INDEX outstanding_permission ON outstanding (permission, expires);
        CREATE INDEX outstanding_expires ON outstanding (expires);

        CREATE TABLE creation (
            principal TEXT NOT NULL, operation TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL,
            begun INTEGER NOT NULL, leased INTEGER NOT NULL, created TEXT, status INTEGER, body BLOB,
            PRIMARY KEY (principal, operation, key)
        ) WITHOUT ROWID;
        CREATE INDEX creation_begun ON creation (begun);
        """

    private static let second = """
        CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
        """

    private static let third = """
        CREATE TABLE revocation (
            kind TEXT NOT NULL, subject TEXT NOT NULL, at INTEGER NOT NULL, blocked INTEGER NOT NULL,
            change INTEGER NOT NULL UNIQUE, PRIMARY KEY (kind, subject)
        ) WITHOUT ROWID;
        CREATE TABLE revocation_change (last INTEGER NOT NULL);
        INSERT INTO revocation_change VALUES (0);
        """

    private static let fourth = """
        CREATE INDEX permission_grantor ON permission (grantor);
        """

    private static let fifth = """
        ALTER TABLE slot ADD COLUMN grounds BLOB;
        """

    /// What grants in force are counted by, without a look at the rows.
    private static let sixth = """
        CREATE INDEX permission_in_force ON permission (expires, revoked) WHERE revoked IS NULL;
        CREATE INDEX permission_of_giver ON permission (grantor, expires, revoked) WHERE revoked IS NULL;
        CREATE INDEX permission_beside ON permission (
            subject, bucket, grantor, prefix, reach, expires, revoked, link
        ) WHERE revoked IS NULL AND link IS NULL;
        """
}
