package import Admission
package import Identity
import Synchronization
package import Valet
package import WireFormats

/// Keeps the table of what was ended up to date with the state: requests are decided by it.
package final class RevocationKeeper: Sendable {
    /// Rows that one look brings at most.
    private static let page = 1000
    /// Entries beyond this are not made: the table is in memory.
    private static let most = 100_000

    package let book = RevocationBook()
    let store: any RevocationStore
    private let clock: @Sendable () -> Instant
    /// How long what was seen is believed; nil: for ever.
    private let maxStaleness: Duration?
    /// How far the table goes.
    private let cursor = Mutex<Int64>(0)

    package init(_ store: any RevocationStore, maxStaleness: Duration? = nil, clock: @escaping @Sendable () -> Instant)
    {
        self.store = store
        self.maxStaleness = maxStaleness
        self.clock = clock
    }

    /// Ends it, here from the next request on.
    ///
    /// - Parameter block: also what is issued later.
    package func revoke(
        _ kind: Revocation.Kind,
        _ subject: String,
        block: Bool
    ) async throws(StateError) -> Revocation {
        guard book.current.count < Self.most else { throw .full("too many revocations") }
        let revocation = try await store.revoke(
            Revocation(kind: kind, subject: subject, at: clock(), isBlocked: block)
        )
        try await refresh()
        return revocation
    }

    package func unblock(_ kind: Revocation.Kind, _ subject: String) async throws(StateError) -> Revocation? {
        let revocation = try await store.unblock(kind, subject)
        try await refresh()
        return revocation
    }

    /// Brings what was written since the last time into the table. Once it returns, requests are decided by everything that
    /// was written before it was called.
    package func refresh() async throws(StateError) {
        let asked = clock()
        while true {
            let start = cursor.withLock { $0 }
            let (changed, end) = try await store.revocations(since: start, limit: Self.page)
            if end > start { apply(changed, upTo: end) }
            guard changed.count == Self.page else { break }
        }
        if let maxStaleness { book.vouch(until: asked + maxStaleness) }
    }

    /// Others may look at the same time: who saw less comes too late.
    private func apply(_ changed: [Revocation], upTo end: Int64) {
        cursor.withLock { cursor in
            guard end > cursor else { return }
            book.update { table in
                for revocation in changed {
                    guard let subject = revocation.decided else { continue }
                    table.end(subject, issuedUpTo: revocation.at, isBlocked: revocation.isBlocked)
                }
            }
            cursor = end
        }
    }

    /// Takes out of memory what nothing rests on any more.
    ///
    /// - Parameter isGiver: whether something that somebody gave is there still: it may last longer than anything else.
    package func forgetOld(exceptGivers isGiver: (Principal) -> Bool) {
        let limit = clock() - Revocation.remembered
        if !book.current.isEmpty { book.update { $0.forget(endedBefore: limit, exceptGivers: isGiver) } }
    }
}

extension Revocation {
    /// As decisions see it; nil for a principal that can't be.
    var decided: RevocationTable.Subject? {
        switch kind {
        case .session: .session(subject)
        case .role: .role(subject)
        case .user: Principal(subject).map { .principal($0) }
        }
    }
}
