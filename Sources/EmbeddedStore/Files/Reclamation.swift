/// When the files of a replaced or deleted object may go: not while somebody who looked the object up before still
/// reads them.
///
/// A reader takes a ticket before it looks into the index and turns it into a lease on the content it found. Files
/// whose content lost its row wait until every ticket taken before has been turned in and no lease is left.
struct Reclamation {
    /// Files of one content that the index no longer refers to.
    private struct Waiting {
        let content: ContentID
        let files: [ContentID]
        /// Tickets below it may still turn into a lease.
        let after: UInt64
    }

    private var nextTicket: UInt64 = 0
    private var lookups: Set<UInt64> = []
    private var leases: [ContentID: Int] = [:]
    private var waiting: [Waiting] = []

    struct Ticket: Sendable { fileprivate let number: UInt64 }

    mutating func beginLookup() -> Ticket {
        let ticket = Ticket(number: nextTicket)
        nextTicket += 1
        lookups.insert(ticket.number)
        return ticket
    }

    /// Ends a lookup, with a lease where something was found. Returns the files that may go now.
    mutating func endLookup(_ ticket: Ticket, lease content: ContentID?) -> [ContentID] {
        lookups.remove(ticket.number)
        if let content { leases[content, default: 0] += 1 }
        return reclaimable()
    }

    /// Ends a lease. Returns the files that may go now.
    mutating func endLease(_ content: ContentID) -> [ContentID] {
        if let count = leases[content], count > 1 {
            leases[content] = count - 1
            return []
        }
        leases[content] = nil
        return reclaimable()
    }

    /// The row of `content` is gone. Returns the files that may go now, which may include it.
    mutating func retire(_ content: ContentID, files: [ContentID]) -> [ContentID] {
        waiting.append(Waiting(content: content, files: files, after: nextTicket))
        return reclaimable()
    }

    private mutating func reclaimable() -> [ContentID] {
        guard !waiting.isEmpty else { return [] }
        let oldest = lookups.min() ?? UInt64.max
        var files: [ContentID] = []
        waiting.removeAll { entry in
            guard entry.after <= oldest, leases[entry.content] == nil else { return false }
            files += entry.files
            return true
        }
        return files
    }
}
