import Admission
import Journal
import Logging
import NIOCore
import NIOSSL
import Pipeline
import Synchronization
import WireFormats

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// All that one event loop owns: the snapshot in force, the pipeline with its caches, the pools of connections to
/// stores, the journal's buffers, the metrics' counters, and the client connections themselves.
///
/// Nothing here is shared: every request is served on the loop that accepted it, so that no lock, future or task is
/// needed from its first byte to its last. Other threads reach it by submitting work to the loop.
final class LoopContext {
    /// How often deadlines are looked at, and so how exact they are.
    static let tick = TimeAmount.milliseconds(250)

    let eventLoop: any EventLoop
    let logger: Logger
    let shared: SharedCounts
    private(set) var snapshot: Snapshot
    /// The snapshot's timeouts in the clock's own units, which every event needs.
    private(set) var waits: Waits
    var pipeline: Pipeline
    let journal: LoopJournal
    let limiter: Limiter
    /// Connections whose answers are complete.
    let answers: FlushBatch
    /// For connections accepted from now on; nil: plain text.
    var listenerTLS: NIOSSLContext?
    private(set) var isDraining = false
    private let loopCount: Int
    private var pools: [Upstream: UpstreamPool] = [:]
    /// The same by the snapshot's own objects, which are found without hashing what they say.
    private var knownPools: [ObjectIdentifier: UpstreamPool] = [:]
    /// Pools of stores that no snapshot names any more, until the requests under way there are done.
    private var retiredPools: [UpstreamPool] = []
    private var connections: [ObjectIdentifier: ClientConnection] = [:]
    private var transfers: [ObjectIdentifier: TransferRun] = [:]
    private var requestIDs: RequestIDSequence
    private var dateSecond: Int64 = 0
    private var dateText: [UInt8] = []
    private let allocator = ByteBufferAllocator()

    let continueBytes = ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")
    let emptyBuffer = ByteBuffer()
    let lineEnd = ByteBuffer(string: "\r\n")
    /// Keeps a client awake that waits for a document.
    let whiteSpace = ByteBuffer(string: "\n")
    let lastChunk = ByteBuffer(string: "0\r\n\r\n")

    init(
        eventLoop: any EventLoop,
        loopCount: Int,
        snapshot: Snapshot,
        limiter: Limiter,
        tokens: any TokenVerifier,
        authorizer: any Authorizer,
        desk: (any APIDesk)?,
        grants: GrantSource? = nil,
        revocations: RevocationBook? = nil,
        journal: LoopJournal,
        shared: SharedCounts,
        logger: Logger
    ) {
        self.eventLoop = eventLoop
        answers = FlushBatch(eventLoop: eventLoop)
        self.loopCount = loopCount
        self.snapshot = snapshot
        waits = Waits(snapshot.server)
        self.limiter = limiter
        self.journal = journal
        pipeline = Pipeline(
            limiter: limiter,
            tokens: tokens,
            authorizer: authorizer,
            desk: desk,
            grants: grants,
            revocations: revocations
        )
        self.shared = shared
        self.logger = logger
        requestIDs = RequestIDSequence(seed: .random(in: .min ... .max))
    }

    // MARK: - Time and small parts

    func now() -> NIODeadline { .now() }

    func wallClock() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(nanosecondsSince1970: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// The `Date` field's value, rendered once a second.
    func httpDate() -> [UInt8] {
        let second = wallClock().secondsSince1970
        if second != dateSecond {
            dateSecond = second
            dateText = Array(Timestamp.http(Instant(secondsSince1970: second)).utf8)
        }
        return dateText
    }

    /// Bytes that nobody can predict.
    func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    func nextRequestID() -> RequestID { requestIDs.next() }

    func buffer(capacity: Int) -> ByteBuffer { allocator.buffer(capacity: capacity) }

    // MARK: - Stores

    func pool(for upstream: Upstream) -> UpstreamPool {
        if let pool = knownPools[ObjectIdentifier(upstream)] { return pool }
        let pool = pools[upstream] ?? makePool(for: upstream)
        // A request of an older snapshot may outlive it; its upstream must not be confused with a later object.
        if snapshot.owns(upstream) { knownPools[ObjectIdentifier(upstream)] = pool }
        return pool
    }

    private func makePool(for upstream: Upstream) -> UpstreamPool {
        let pool = UpstreamPool(
            upstream: upstream,
            eventLoop: eventLoop,
            limit: upstream.maxConnections / loopCount,
            logger: logger
        )
        pools[upstream] = pool
        return pool
    }

    // MARK: - Client connections

    func opened(_ connection: ClientConnection) {
        connections[ObjectIdentifier(connection)] = connection
        journal.metrics.connections += 1
        journal.metrics.connectionsAccepted += 1
    }

    func closed(_ connection: ClientConnection) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        journal.metrics.connections -= 1
    }

    // MARK: - Copies between stores

    func began(_ transfer: TransferRun) { transfers[ObjectIdentifier(transfer)] = transfer }

    func ended(_ transfer: TransferRun) { transfers[ObjectIdentifier(transfer)] = nil }

    // MARK: - From outside the loop

    /// Takes a new snapshot: requests under way keep theirs, connections to stores that are still named are kept.
    func adopt(_ snapshot: Snapshot) {
        self.snapshot = snapshot
        waits = Waits(snapshot.server)
        knownPools = [:]
        let named = snapshot.upstreams
        for (upstream, pool) in pools where !named.contains(upstream) {
            pool.retire()
            pools[upstream] = nil
            if !pool.isEmpty { retiredPools.append(pool) }
        }
    }

    /// Begins the loop's own housekeeping.
    func start() {
        journal.scheduleFlush = { [unowned self] in
            self.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(100)) { self.journal.flush() }
        }
        scheduleTick()
    }

    private func scheduleTick() {
        eventLoop.assumeIsolated().scheduleTask(in: Self.tick) {
            self.onTick()
            self.scheduleTick()
        }
    }

    private func onTick() {
        let now = now()
        for connection in connections.values where connection.deadline <= now { connection.timedOut() }
        if !transfers.isEmpty { for transfer in Array(transfers.values) { transfer.tick(now) } }
        for pool in pools.values { pool.closeIdle(now: now) }
        guard !retiredPools.isEmpty else { return }
        for pool in retiredPools { pool.closeIdle(now: now) }
        retiredPools.removeAll { $0.isEmpty }
    }

    /// From now on every answer is its connection's last, and connections that do nothing are closed.
    func beginDraining() {
        isDraining = true
        for connection in connections.values { connection.drain() }
    }

    /// The drain has lasted too long.
    func closeAll() {
        answers.flush()
        for connection in connections.values { connection.endAtOnce() }
    }

    /// What this loop counted so far.
    func collectMetrics() -> LoopMetrics {
        var metrics = journal.metrics
        for pool in Array(pools.values) + retiredPools {
            metrics.upstreamActive += pool.open - pool.idleCount
            metrics.upstreamIdle += pool.idleCount
        }
        return metrics
    }
}

/// What all loops count together.
final class SharedCounts: Sendable {
    let openConnections = Atomic<Int>(0)
    let bodies = BodyBudget()
}

/// Ids that don't repeat and can't be guessed from one another's neighbours at a glance: a counter from a random start,
/// mixed (splitmix64; Steele, Lea, Flood 2014).
struct RequestIDSequence {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> RequestID {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return RequestID(random: mixed ^ (mixed >> 31))
    }
}

/// How long a client may keep us waiting.
struct Waits {
    let header: TimeAmount
    let idle: TimeAmount
    let bodyIdle: TimeAmount

    init(_ server: ServerSettings) {
        header = TimeAmount(server.headerTimeout)
        idle = TimeAmount(server.idleTimeout)
        bodyIdle = TimeAmount(server.bodyIdleTimeout)
    }
}
