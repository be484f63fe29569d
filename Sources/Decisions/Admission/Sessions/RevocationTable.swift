public import Identity
public import WireFormats

/// What was ended before its time: sessions, and whatever was issued to somebody up to an instant.
public struct RevocationTable: BookContent {
    /// What an entry is about.
    public enum Subject: Hashable, Sendable {
        case session(String)
        case principal(Principal)
        case role(String)
    }

    private struct Entry: Sendable {
        let at: Instant
        let isBlocked: Bool
    }

    private var entries: [Subject: Entry] = [:]

    public init() {}

    public var isEmpty: Bool { entries.isEmpty }
    public var count: Int { entries.count }

    /// Ends what was issued up to `instant`; and what is issued later too, where it `isBlocked`.
    public mutating func end(_ subject: Subject, issuedUpTo instant: Instant, isBlocked: Bool) {
        entries[subject] = Entry(at: instant, isBlocked: isBlocked)
    }

    /// Forgets what is no block and was ended before that: nothing rests on it any more, but for what somebody gave.
    public mutating func forget(endedBefore instant: Instant, exceptGivers isGiver: (Principal) -> Bool) {
        entries = entries.filter { subject, entry in
            if case .principal(let principal) = subject, isGiver(principal) { return true }
            return entry.isBlocked || entry.at >= instant
        }
    }

    /// Whether something of this subject, issued then, has been ended.
    public func ends(_ subject: Subject, issuedAt: Instant) -> Bool {
        entries[subject].map { $0.isBlocked || issuedAt <= $0.at } ?? false
    }

    /// Whether nothing of this subject is good until that is lifted.
    public func blocks(_ subject: Subject) -> Bool { entries[subject]?.isBlocked ?? false }
}
