import HTTP1
import Journal
import NIOCore
import Pipeline
import S3API

/// One exchange of a transfer with one store: gets a connection, sends the request, and tells its ``TransferRun`` what
/// comes. A request that a connection lost unanswered is sent again where nothing stands against it.
///
/// Confined to the loop of its transfer.
final class StoreExchange: UpstreamUser {
    enum Role {
        case question
        case source
        case destination
    }

    /// What is to be done with an answer's body.
    enum Reception {
        /// Read it, at most so many bytes.
        case collect(limit: Int)
        /// Hand it on as it comes.
        case pass
    }

    private enum Phase {
        // → open | over
        case waiting
        // → waiting | over
        case open(UpstreamConnection)
        case over
    }

    let role: Role
    let upstream: Upstream
    private let request: OutgoingRequest
    private let body: [UInt8]
    /// The body comes later, through ``send(_:)`` and ``endRequest()``.
    private let isStreamed: Bool
    private let replay: Replay
    private let run: TransferRun
    private let pool: UpstreamPool
    private var phase = Phase.waiting
    private var replays = Replays()
    private var isReceiving: Reception?
    private var answered: ResponseHead?
    private var collected: [UInt8] = []
    private(set) var hasSentWholeRequest = false

    /// A request that goes out at once.
    init(
        _ role: Role,
        _ request: OutgoingRequest,
        body: [UInt8] = [],
        to upstream: Upstream,
        replay: Replay,
        of run: TransferRun
    ) {
        self.role = role
        self.request = request
        self.body = body
        isStreamed = false
        self.upstream = upstream
        self.replay = replay
        self.run = run
        pool = run.loop.pool(for: upstream)
    }

    /// A request whose body another exchange brings.
    init(_ delivery: Delivery, of run: TransferRun) {
        role = .destination
        request = delivery.request
        body = []
        isStreamed = true
        upstream = delivery.upstream
        // Its body is read anew where it has to be sent again: that is for the transfer to do.
        replay = .never
        self.run = run
        pool = run.loop.pool(for: delivery.upstream)
    }

    var responseTimeout: TimeAmount { pool.responseTimeout }

    // MARK: - For the transfer

    func begin(on choice: UpstreamPool.Choice = .any) {
        phase = .waiting
        pool.lease(to: self, choice)
    }

    var isOpen: Bool {
        if case .open = phase { return true }
        return false
    }

    /// Whether the connection takes more of the request's body.
    var isWritable: Bool {
        if case .open(let connection) = phase { return connection.isWritable }
        return false
    }

    func send(_ bytes: ByteBuffer) {
        if case .open(let connection) = phase { connection.send(bytes) }
    }

    func flush() {
        if case .open(let connection) = phase { connection.flush() }
    }

    func endRequest() {
        hasSentWholeRequest = true
        flush()
    }

    func resumeReading() {
        if case .open(let connection) = phase { connection.resumeReading() }
    }

    /// It has had the time that its store has for an answer.
    func timedOut() {
        if case .open(let connection) = phase, hasSentWholeRequest, answered == nil {
            connection.reportTimeout(to: self)
        }
    }

    /// Ends the exchange where it stands: the store is left with an incomplete request, or an unread answer.
    func cut() {
        switch phase {
        case .waiting: pool.cancel(self)
        case .open(let connection): connection.cut()
        case .over: return
        }
        phase = .over
    }

    // MARK: - UpstreamUser

    var caller: Breaker.Caller { run.caller }

    var waitsForUpstream: Bool {
        if case .waiting = phase { return true }
        return false
    }

    var takesAnswerBytes: Bool {
        guard case .pass = isReceiving else { return true }
        return run.takesBytes
    }

    func upstreamReady(_ connection: UpstreamConnection) {
        guard waitsForUpstream else { return }
        phase = .open(connection)
        var bytes = run.loop.buffer(capacity: request.fields.bytes.count + request.path.count + body.count + 256)
        HeadWriter.append(request, to: &bytes)
        bytes.writeBytes(body)
        hasSentWholeRequest = !isStreamed
        connection.begin(self, method: request.method)
        connection.send(bytes)
        connection.flush()
        run.opened(self)
    }

    func upstreamUnavailable(_ reason: UpstreamPool.Unavailable) {
        guard waitsForUpstream else { return }
        phase = .over
        let error =
            switch reason {
            case .queueFull: S3Error(.slowDown, retryAfter: 1)
            case .broken, .unreachable: S3Error.unreachableStore
            }
        run.failed(self, error, "\(reason)")
    }

    func upstreamTakesBytes() { run.destinationTakesBytes() }

    func upstreamAnswered(_ head: ResponseHead) {
        answered = head
        isReceiving = run.answered(self, head)
    }

    func upstreamSent(_ bytes: ByteBuffer) {
        switch isReceiving {
        case .pass:
            run.received(bytes)
        case .collect(let limit):
            guard collected.count + bytes.readableBytes <= limit else {
                return fail("its answer is larger than \(limit) bytes")
            }
            collected.append(contentsOf: bytes.readableBytesView)
        case nil:
            return
        }
    }

    func flushAnswer() {
        if case .pass = isReceiving { run.flushBytes() }
    }

    func upstreamEnded() {
        guard isOpen, let answered else { return }
        phase = .over
        if case .pass = isReceiving { return run.sourceEnded() }
        run.ended(self, StoreReply(head: answered, body: collected, now: run.loop.wallClock()))
    }

    func upstreamLost(_ loss: UpstreamConnection.Loss, from connection: UpstreamConnection) {
        guard isOpen else { return }
        switch loss {
        case .closed(answered: false) where role != .destination && replay == .allowed:
            let window = TimeAmount(upstream.connectTimeout)
            guard let pause = replays.next(wasPooled: connection.isReused, within: window, now: run.loop.now()) else {
                connection.reportFailure(to: self)
                return fail("it closed without an answer, again and again")
            }
            run.loop.journal.metrics.upstreamRetries += 1
            phase = .waiting
            run.waitForConnection()
            pool.lease(to: self, after: pause)
        case .closed(let answered):
            let isStale = !answered && connection.isReused
            if role == .destination, isStale, run.restart() { return }
            fail(answered ? "it closed in the middle of an answer" : "it closed without an answer")
        case .malformed(let reason):
            fail(reason)
        case .tls(let reason):
            fail("TLS: " + reason)
        }
    }

    private func fail(_ reason: String) {
        cut()
        run.failed(self, S3Error(.backendBadAnswer), reason)
    }
}
