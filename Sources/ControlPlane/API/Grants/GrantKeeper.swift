package import Admission
import HTTP1
import Identity
package import Pipeline
import S3API
import Synchronization
package import Valet
package import WireFormats

/// Keeps the table that requests are decided by up to date with the state, and counts the uses of grants there.
package final class GrantKeeper: UseCounter {
    /// Rows that one look brings at most.
    private static let page = 1000

    package let book = GrantBook()
    private let store: any GrantStore
    private let clock: @Sendable () -> Instant
    /// How long what was seen is believed; nil: for ever.
    private let maxStaleness: Duration?
    private struct Keeping: Hashable {
        let grant: String
        let address: IPAddress
    }

    /// What is being written of uses that were made; one for each request at most.
    private let keeping = Mutex<[Keeping: (number: Int, task: Task<Void, Never>)]>([:])
    /// How far the table goes.
    private let cursor = Mutex<Int64>(0)

    package init(_ store: any GrantStore, maxStaleness: Duration? = nil, clock: @escaping @Sendable () -> Instant) {
        self.store = store
        self.maxStaleness = maxStaleness
        self.clock = clock
    }

    package var source: GrantSource { GrantSource(book: book, counter: self) }

    /// Brings what was written since the last time into the table. Once it returns, requests are decided by everything that
    /// was written before it was called.
    package func refresh() async throws(StateError) {
        let asked = clock()
        while true {
            let start = cursor.withLock { $0 }
            let (changed, end) = try await store.changes(since: start, limit: Self.page)
            if end > start { apply(changed, upTo: end) }
            guard changed.count == Self.page else { break }
        }
        if let maxStaleness { book.vouch(until: asked + maxStaleness) }
    }

    /// Others may look at the same time: who saw less comes too late.
    private func apply(_ changed: [GrantRecord], upTo end: Int64) {
        let now = clock()
        cursor.withLock { cursor in
            guard end > cursor else { return }
            book.update { table in
                for record in changed {
                    if let right = record.grant.right, record.grant.isInForce(at: now) {
                        table.insert(right, for: record.grant.holder)
                    } else {
                        table.remove(record.grant.id)
                    }
                }
            }
            cursor = end
        }
    }

    /// Takes out of memory what has expired.
    package func forgetExpired() {
        let now = clock()
        if book.current.count > 0 { book.update { $0.removeExpired(at: now) } }
    }

    // MARK: - Uses

    package func take(
        _ grant: String,
        _ kind: UseOfGrant,
        from address: IPAddress?,
        at now: Instant
    ) async -> TakenUse {
        if kind != .fresh, let address {
            await keeping.withLock { $0[Keeping(grant: grant, address: address)]?.task }?.value
        }
        let kind: UseKind =
            switch kind {
            case .fresh: .fresh
            case .continuing: .continuing
            case .looking: .looking
            }
        do {
            switch try await store.use(grant, kind, from: address, at: now) {
            case .counted: return .counted
            case .continued: return .free
            case .refused: return .refused
            }
        } catch {
            return .unavailable(reason: "\(error)")
        }
    }

    package func remember(_ url: URLOnGrant) async -> Bool {
        do {
            try await store.remember(OutstandingURL(url))
            return true
        } catch {
            return false
        }
    }

    package func keep(_ grant: String, from address: IPAddress, at now: Instant) {
        let one = Keeping(grant: grant, address: address)
        keeping.withLock { underWay in
            let before = underWay[one]
            let number = (before?.number ?? 0) + 1
            let task = Task { [store, self] in
                await before?.task.value
                // Where that fails, the address takes another use to go on: never one too few.
                try? await store.keep(grant, from: address, at: now)
                keeping.withLock { if $0[one]?.number == number { $0[one] = nil } }
            }
            underWay[one] = (number, task)
        }
    }

    package func giveBack(_ grant: String) {
        // Where that fails, the use stays taken: never one too many.
        Task { [store] in try? await store.giveBack(grant) }
    }
}

extension Grant {
    /// As decisions see it; nil where its giver is nobody that can be.
    var right: GivenRight? {
        guard let giver = Principal(grantor) else { return nil }
        let reach: GivenRight.Reach =
            switch self.reach {
            case .key(let key): .key(key)
            case .prefix(let prefix): .prefix(prefix)
            }
        return GivenRight(
            id: id,
            bucket: bucket,
            reach: reach,
            actions: actions,
            giver: Giver(giver, claims: claims),
            issuedAt: issuedAt,
            expiresAt: expiresAt,
            uses: maxUses == nil ? .unlimited : .counted,
            source: source
        )
    }

    /// Who may use it. A subject that no principal can be is nobody.
    var holder: GrantTable.Holder {
        switch subject {
        case .link(let hash): .link(hash: hash)
        case .principal(let text): .principal(Principal(text) ?? .link(text))
        }
    }
}

extension OutstandingURL {
    init(_ url: URLOnGrant) {
        self.init(
            grant: url.grant,
            method: url.method.name,
            bucket: url.bucket,
            key: url.key,
            expiresAt: url.expiresAt
        )
    }
}
