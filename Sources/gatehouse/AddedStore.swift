import EmbeddedStore

/// A store in a folder that a reload has opened, and that ends alone where the reload is refused.
final class AddedStore: Sendable {
    let path: String
    let store: EmbeddedStore
    private let withdrawal = AsyncStream.makeStream(of: Never.self)
    private let end = AsyncStream.makeStream(of: Never.self)

    init(path: String, store: EmbeddedStore) {
        self.path = path
        self.store = store
    }

    /// Serves until the store ends, or is withdrawn.
    func run() async throws {
        defer { end.continuation.finish() }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { [store] in try await store.run() }
            tasks.addTask { [withdrawal] in for await _ in withdrawal.stream {} }
            try await tasks.next()
            tasks.cancelAll()
        }
    }

    /// Returns when its folder is closed.
    func withdraw() async {
        withdrawal.continuation.finish()
        for await _ in end.stream {}
    }
}
