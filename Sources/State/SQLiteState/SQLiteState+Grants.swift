import GRDB
package import S3API
package import Valet
package import WireFormats

extension SQLiteState: GrantStore {
    package func insert(
        _ grant: Grant,
        within limits: GrantLimits,
        for creation: IdempotencyKey?
    ) async throws(StateError) -> GrantInsertion {
        try await write { database in
            if let creation, let id = try CreationTable.created(database, creation) { return .repeated(id: id) }
            // The same one again, whose answer was lost.
            guard try GrantTable.find(database, grant.id) == nil else { return .inserted }
            guard try GrantRoom.isThere(database, for: grant, within: limits) else { return .tooMany }
            try GrantTable.insert(database, grant)
            if let creation { try CreationTable.finish(database, creation, .created(grant.id)) }
            return .inserted
        }
    }

    package func hasRoom(for grant: Grant, within limits: GrantLimits) async throws(StateError) -> Bool {
        try await read { try GrantRoom.isThere($0, for: grant, within: limits) }
    }

    package func grant(_ id: String) async throws(StateError) -> GrantRecord? {
        try await read { try GrantTable.find($0, id) }
    }

    package func grant(ofLink hash: [UInt8]) async throws(StateError) -> GrantRecord? {
        try await read { try GrantTable.find($0, link: hash) }
    }

    package func grants(
        bucket: BucketName?,
        subject: String?,
        after: String?,
        limit: Int
    ) async throws(StateError) -> [GrantRecord] {
        try await read { try GrantTable.page($0, bucket: bucket, subject: subject, after: after, limit: limit) }
    }

    package func revoke(_ id: String, at now: Instant) async throws(StateError) -> GrantRecord? {
        try await write { try GrantTable.revoke($0, id, at: now) }
    }

    package func use(
        _ id: String,
        _ kind: UseKind,
        from address: IPAddress?,
        at now: Instant
    ) async throws(StateError) -> UseOutcome {
        try await write { try GrantUses.use($0, id, kind, from: address, at: now) }
    }

    package func keep(_ id: String, from address: IPAddress, at now: Instant) async throws(StateError) {
        try await write { try GrantUses.keep($0, id, from: address, at: now) }
    }

    package func giveBack(_ id: String) async throws(StateError) {
        try await write { try GrantUses.giveBack($0, id) }
    }

    package func changes(
        since cursor: Int64,
        limit: Int
    ) async throws(StateError) -> (changed: [GrantRecord], cursor: Int64) {
        try await read { try GrantTable.changes($0, since: cursor, limit: limit) }
    }

    package func remember(_ url: OutstandingURL) async throws(StateError) {
        try await write { try GrantUses.remember($0, url) }
    }

    package func outstanding(
        _ grant: String,
        at now: Instant,
        limit: Int
    ) async throws(StateError) -> [OutstandingURL] {
        try await read { try GrantUses.outstanding($0, grant, at: now, limit: limit) }
    }

    package func forget(expiredBefore instant: Instant, limit: Int) async throws(StateError) -> Int {
        try await write { try GrantTable.forget($0, expiredBefore: instant, limit: limit) }
    }
}
