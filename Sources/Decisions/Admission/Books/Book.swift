import Synchronization

/// A table as it is now: written by whoever learns of a change, read by every event loop.
public final class Book<Content: BookContent>: Sendable {
    private let version = Atomic<Int>(0)
    private let content = Mutex(Content())

    public init() {}

    /// Changes the table. Requests that are decided from now on see it.
    public func update(_ change: (inout Content) -> Void) {
        content.withLock { content in
            change(&content)
            version.wrappingAdd(1, ordering: .releasing)
        }
    }

    public var current: Content { content.withLock { $0 } }

    /// A reader's own copy of the table; only where the table has changed does it take the lock.
    public struct Reader {
        private let book: Book?
        private var version = 0
        private var content: Content?

        /// - Parameter book: nil: there is nothing in it.
        public init(_ book: Book?) { self.book = book }

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
