import S3API
import Synchronization
import Valet
import WireFormats

/// Grants and creations in memory, as far as these tests need them.
final class GrantMemory: GrantStore, IdempotencyStore {
    private struct Contents {
        var records: [(record: GrantRecord, change: Int64)] = []
        var last: Int64 = 0
        var creations: [IdempotencyKey: (digest: [UInt8], id: String?)] = [:]
        var outstanding: [OutstandingURL] = []
        var kept: Set<String> = []
        var isAway = false

        mutating func append(_ grant: Grant) {
            last += 1
            records.append((GrantRecord(grant: grant, uses: 0), last))
        }

        func hasRoom(for grant: Grant, within limits: GrantLimits) -> Bool {
            let inForce = records.map(\.record.grant).filter { $0.isInForce(at: grant.issuedAt) }
            let given = inForce.filter { $0.grantor == grant.grantor }
            guard inForce.count < limits.together, given.count < limits.ofOneGiver else { return false }
            guard case .principal = grant.subject else { return true }
            let beside = given.filter { $0.subject == grant.subject && $0.bucket == grant.bucket }
            switch grant.reach {
            case .key: return beside.count { $0.reach == grant.reach } < limits.forOneKey
            case .prefix:
                return beside.count { if case .prefix = $0.reach { true } else { false } } < limits.prefixes
            }
        }
    }

    private let contents = Mutex(Contents())

    func goAway() { contents.withLock { $0.isAway = true } }

    private func with<Value: Sendable>(_ body: (inout Contents) -> Value) throws(StateError) -> Value {
        let value: Value? = contents.withLock { $0.isAway ? nil : body(&$0) }
        guard let value else { throw .unavailable("away") }
        return value
    }

    /// Puts grants there, however many there are.
    func fill(_ grants: [Grant]) {
        contents.withLock { contents in
            for grant in grants { contents.append(grant) }
        }
    }

    func hasRoom(for grant: Grant, within limits: GrantLimits) async throws(StateError) -> Bool {
        try with { $0.hasRoom(for: grant, within: limits) }
    }

    func insert(
        _ grant: Grant,
        within limits: GrantLimits,
        for creation: IdempotencyKey?
    ) async throws(StateError) -> GrantInsertion {
        try with { contents in
            if let creation, let id = contents.creations[creation]?.id { return .repeated(id: id) }
            guard contents.hasRoom(for: grant, within: limits) else { return .tooMany }
            contents.append(grant)
            if let creation { contents.creations[creation]?.id = grant.id }
            return .inserted
        }
    }

    func grant(_ id: String) async throws(StateError) -> GrantRecord? {
        try with { $0.records.first { $0.record.grant.id == id }?.record }
    }

    func grant(ofLink hash: [UInt8]) async throws(StateError) -> GrantRecord? {
        try with { $0.records.first { $0.record.grant.subject == .link(hash: hash) }?.record }
    }

    func grants(
        bucket: BucketName?,
        subject: String?,
        after: String?,
        limit: Int
    ) async throws(StateError) -> [GrantRecord] {
        try with { contents in
            let all = contents.records.map(\.record).sorted { $0.grant.id < $1.grant.id }
            let fitting = all.filter { record in
                let name = if case .principal(let name) = record.grant.subject { name } else { "link" }
                return (bucket == nil || record.grant.bucket == bucket) && (subject == nil || subject == name)
                    && record.grant.id > (after ?? "")
            }
            return Array(fitting.prefix(limit))
        }
    }

    func revoke(_ id: String, at now: Instant) async throws(StateError) -> GrantRecord? {
        try with { contents in
            guard let index = contents.records.firstIndex(where: { $0.record.grant.id == id }) else { return nil }
            contents.last += 1
            let old = contents.records[index].record
            let new = GrantRecord(grant: old.grant.revoked(at: now), uses: old.uses)
            contents.records[index] = (new, contents.last)
            return new
        }
    }

    func use(_ id: String, _ kind: UseKind, from address: IPAddress?, at now: Instant) async throws(StateError)
        -> UseOutcome
    {
        try with { contents in
            guard let index = contents.records.firstIndex(where: { $0.record.grant.id == id }) else { return .refused }
            let (record, change) = contents.records[index]
            if kind == .looking || kind == .continuing && contents.kept.contains(id) { return .continued }
            guard record.uses < record.grant.maxUses ?? .max else { return .refused }
            contents.records[index] = (GrantRecord(grant: record.grant, uses: record.uses + 1), change)
            return .counted(uses: record.uses + 1)
        }
    }

    /// Takes its time.
    func keep(_ id: String, from address: IPAddress, at now: Instant) async throws(StateError) {
        for _ in 0..<100 { await Task.yield() }
        try with { _ = $0.kept.insert(id) }
    }

    func giveBack(_ id: String) async throws(StateError) {}

    func changes(since cursor: Int64, limit: Int) async throws(StateError) -> (changed: [GrantRecord], cursor: Int64) {
        try with { contents in
            let new = contents.records.filter { $0.change > cursor }.sorted { $0.change < $1.change }.prefix(limit)
            return (new.map(\.record), new.last?.change ?? cursor)
        }
    }

    func remember(_ url: OutstandingURL) async throws(StateError) { try with { $0.outstanding.append(url) } }

    func outstanding(_ grant: String, at now: Instant, limit: Int) async throws(StateError) -> [OutstandingURL] {
        try with { Array($0.outstanding.filter { $0.grant == grant && $0.expiresAt > now }.prefix(limit)) }
    }

    func forget(expiredBefore instant: Instant, limit: Int) async throws(StateError) -> Int { 0 }

    func begin(
        _ key: IdempotencyKey,
        request digest: [UInt8],
        at now: Instant,
        lease: Duration
    ) async throws(StateError) -> IdempotencyOutcome {
        try with { contents in
            guard let known = contents.creations[key] else {
                contents.creations[key] = (digest, nil)
                return .begun
            }
            guard known.digest == digest else { return .conflict }
            return known.id.map { .answered(.created($0)) } ?? .underWay
        }
    }

    func finish(_ key: IdempotencyKey, _ answer: IdempotentAnswer) async throws(StateError) {}

    func cancel(_ key: IdempotencyKey) async throws(StateError) { try with { $0.creations[key] = nil } }

    func forget(begunBefore instant: Instant, limit: Int) async throws(StateError) -> Int { 0 }
}
