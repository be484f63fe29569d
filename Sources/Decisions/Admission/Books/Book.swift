import Synchronization
public import WireFormats

/// A table as it is now: written by whoever learns of a change, read by every event loop.
public final class Book<Content: BookContent>: Sendable {
    private let version = Atomic<Int>(0)
    private let content = Mutex(Content())
    /// Nanoseconds since 1970.
    private let goodUntil = Atomic<Int64>(.max)

    public init() {}

    /// Changes the table. Requests that are decided from now on see it.
    public func update(_ change: (inout Content) -> Void) {
        content.withLock { content in
            change(&content)
            version.wrappingAdd(1, ordering: .releasing)
        }
    }

    public var current: Content { content.withLock { $0 } }

    /// Whoever keeps the table has seen all there was to see, and stands for it until then. Before it is called the first
    /// time, the table is good for ever; afterwards each call can only put off its end.
    public func vouch(until end: Instant) {
        let end = end.nanosecondsSince1970
        var known = goodUntil.load(ordering: .relaxed)
        while known == .max || known < end {
            let (isDone, found) = goodUntil.compareExchange(expected: known, desired: end, ordering: .relaxed)
            if isDone { return }
            known = found
        }
    }

    /// Whether somebody stands for what is in the table.
    public func isGood(at now: Instant) -> Bool {
        now.nanosecondsSince1970 <= goodUntil.load(ordering: .relaxed)
    }

    /// A reader's own copy of the table; only where the table has changed does it take the lock.
    public struct Reader {
        private let book: Book?
        private var version = 0
        private var content: Content?

        /// - Parameter book: nil: there is nothing in it.
        public init(_ book: Book?) { self.book = book }

        /// Whether somebody stands for what is in it.
        public func isGood(at now: Instant) -> Bool { book?.isGood(at: now) ?? true }

        /// Nil where there is nothing in it.
        public mutating func current() -> Content? {
            guard let book else { return nil }
            let version = book.version.load(ordering: .acquiring)
            guard version != self.version else { return content }
            // Read before the table: a change in between is seen the next time.
            self.version = version
            let current = book.current
            content = current.isEmpty ? nil : current
            return content
        }
    }
}

/// What a book holds.
public protocol BookContent: Sendable {
    init()
    var isEmpty: Bool { get }
}

/// Grants in force.
public typealias GrantBook = Book<GrantTable>
/// What was ended before its time.
public typealias RevocationBook = Book<RevocationTable>
