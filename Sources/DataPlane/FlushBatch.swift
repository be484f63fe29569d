import NIOCore

/// Connections of one loop with something written that the kernel does not have yet.
///
/// Whoever is written to is woken, and that is a good part of what a short answer costs. What a busy loop finds readable
/// at once it serves first, and writes then: a client or a store at the other end of many of its connections is woken
/// once, and finds the rest when it looks again. A loop that finds little each time writes at once instead: what would
/// be gained is less than what both sides lose by waiting in turn.
final class FlushBatch {
    /// So many wait at most: the first of them waits for that many requests to be served.
    private static let capacity = 32
    /// So many in one turn of the loop make it a busy one.
    private static let worthwhile = 4
    /// One of so many waits to find out whether the loop is busy.
    private static let probing = 16

    private let eventLoop: any EventLoop
    private var waiting: [ChannelHandlerContext] = []
    /// What `waiting` was before, for its storage.
    private var spare: [ChannelHandlerContext] = []
    /// Until the end of this turn of the loop.
    private var isGathering = false
    /// How many were gathered in this turn.
    private var gathered = 0
    private var isBusy = false
    private var sinceProbe = 0

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Has what is written there flushed: at once, or where the loop is busy when it has served what was readable.
    func add(_ context: ChannelHandlerContext) {
        guard isGathering || startsGathering() else { return context.flush() }
        waiting.append(context)
        gathered += 1
        if waiting.count == Self.capacity { flush() }
    }

    private func startsGathering() -> Bool {
        sinceProbe += 1
        guard isBusy || sinceProbe == Self.probing else { return false }
        sinceProbe = 0
        isGathering = true
        gathered = 0
        // The loop's tasks have their turn after its sockets.
        eventLoop.assumeIsolated().execute { self.endTurn() }
        return true
    }

    private func endTurn() {
        isGathering = false
        isBusy = gathered >= Self.worthwhile
        flush()
    }

    /// Flushes all that wait. What is served meanwhile, because a client takes bytes again, waits for the next time.
    func flush() {
        var due = spare
        spare = []
        swap(&due, &waiting)
        for context in due { context.flush() }
        due.removeAll(keepingCapacity: true)
        spare = due
    }
}
