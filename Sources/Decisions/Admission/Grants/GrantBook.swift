import Synchronization

/// The table of grants as it is now: written by whoever learns of a change, read by every event loop.
public final class GrantBook: Sendable {
    private let version = Atomic<Int>(0)
    private let table = Mutex(GrantTable())

    public init() {}

    /// Changes the table. Requests that are decided from now on see it.
    public func update(_ change: (inout GrantTable) -> Void) {
        table.withLock { table in
            change(&table)
            version.wrappingAdd(1, ordering: .releasing)
        }
    }

    public var current: GrantTable { table.withLock { $0 } }

    /// A reader's own copy of the table; only where the table has changed does it take the lock.
    public struct Reader {
        private let book: GrantBook?
        private var version = 0
        private var table: GrantTable?

        /// - Parameter book: nil: there are no grants.
        public init(_ book: GrantBook?) { self.book = book }

        /// Nil where there are no grants.
        public mutating func current() -> GrantTable? {
            guard let book else { return nil }
            let version = book.version.load(ordering: .acquiring)
            guard version != self.version else { return table }
            // Read before the table: a change in between is seen the next time.
            self.version = version
            let table = book.current
            self.table = table.count == 0 ? nil : table
            return self.table
        }
    }
}
