import Admission
import HTTP1
import Journal
import NIOCore
import NIOSSL
import Pipeline
import S3API
import WireFormats

/// One client's connection: reads a request head, asks the pipeline what to do, does it, and goes on to the next.
///
/// Confined to its event loop, together with everything it touches. Requests that arrive while one is being served
/// wait unparsed in `inbox`, and reading stops. This file holds the life of a request up to its plan;
/// `ClientConnection+Reading` takes in what a plan needs to know first, `ClientConnection+Holding` bounds what that costs,
/// `ClientConnection+Forwarding` carries bytes to and from a store, `ClientConnection+Answering` writes answers.
final class ClientConnection: ChannelDuplexHandler, UpstreamUser {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        // → waiting | collecting | readingForm | gathering | connecting | forwarding | discarding | head | lingering | closed
        case head
        // Somebody outside of the loop is asked. → any but gathering's successors, as head
        case waiting(Task<Void, Never>, id: Int)
        // → waiting | connecting | discarding | head | lingering | closed
        case collecting(limit: Int, then: @Sendable ([UInt8]) -> Plan)
        // A form's fields are read. → waiting | gathering | connecting | discarding | head | lingering | closed
        indirect case readingForm(Findings)
        // A body flows that no byte of may reach the store yet. → connecting | discarding | head | lingering | closed
        case gathering
        // → forwarding | discarding | head | lingering | closed
        case connecting
        // → connecting | discarding | head | lingering | closed
        case forwarding(UpstreamConnection)
        // A copy is made for it. → discarding | head | lingering | closed
        case transferring(TransferRun)
        // Answered; the rest of a small request body is read and dropped. → head | closed
        case discarding
        // Answered and closing: what still comes is dropped so that the answer is not lost to a reset. → closed
        case lingering
        case closed
    }

    /// A body that is this short is read to its end after an early answer, so that the connection can be kept.
    static let discardLimit: Int64 = 64 * 1024
    /// How much is taken in of what can't be used yet: later requests, a body whose store is slow.
    private static let readAhead = 64 * 1024
    /// How long a connection that has asked nothing yet may live on when the server ends.
    private static let drainGrace = TimeAmount.seconds(1)

    let loop: LoopContext
    var phase: Phase
    var context: ChannelHandlerContext?
    /// Whether the client takes what is written to it; the channel says when that changes.
    private(set) var isWritable = true
    var facts: ConnectionFacts
    var inbox = ByteBuffer()
    private var parser: RequestParser
    private var readWaits = false
    /// Whether bytes have come since reading last came to an end.
    private var hasRead = false
    private var isAdvancing = false
    /// When the present wait has lasted too long.
    var deadline: NIODeadline

    // The request being served.
    var head: RequestHead?
    var decoder = BodyDecoder(framing: .none)
    var bodyIsRead = true
    var snapshot: Snapshot
    var record: RequestRecord
    var permit: Limiter.Permit?
    /// When the present head's first byte was seen; nil between requests.
    var requestStart: NIODeadline?
    private(set) var served = 0
    /// The peer's address as the logs write it, rendered once.
    private var peerText: [UInt8] = []
    var collected: [UInt8] = []
    var formReader: FormReader?
    /// What `collected` and `formReader` cost, and what was made of them.
    var held: HeldBody?
    /// Of the last wait: an answer that comes after its request has ended is not the next one's.
    var waitCount = 0
    var exchange = Exchange()
    var answer = AnswerState()

    init(loop: LoopContext, facts: ConnectionFacts) {
        self.loop = loop
        self.facts = facts
        snapshot = loop.snapshot
        phase = .head
        parser = RequestParser(limits: loop.snapshot.server.headLimits)
        record = RequestRecord(
            requestID: RequestID(random: 0),
            startedAt: loop.wallClock(),
            clientAddress: [],
            method: ""
        )
        deadline = .now() + loop.waits.header
    }

    // MARK: - Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        isWritable = false
    }

    func channelActive(context: ChannelHandlerContext) {
        loop.opened(self)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        loop.closed(self)
        clientGone()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func read(context: ChannelHandlerContext) {
        if wantsBytes { context.read() } else { readWaits = true }
    }

    func resumeReading() {
        guard readWaits, wantsBytes, let context else { return }
        readWaits = false
        context.read()
    }

    private var wantsBytes: Bool {
        switch phase {
        case .collecting, .gathering, .readingForm, .discarding, .lingering: true
        case .closed: false
        case .head: isWritable || inbox.readableBytes < Self.readAhead
        // A bounded amount is always welcome: asking the kernel to stop and go on costs two calls, and the end of a
        // client that has left is only seen behind its last bytes.
        case .connecting, .waiting, .transferring: inbox.readableBytes < Self.readAhead
        case .forwarding(let upstream):
            inbox.readableBytes < Self.readAhead || (!bodyIsRead && streamsBody && upstream.isWritable)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        hasRead = true
        if case .lingering = phase { return }
        inbox.take(&bytes)
        advance()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // There is no more to come, and the channel closes with this event: answers can't wait for others.
        if !hasRead { context.flush() }
        hasRead = false
        if case .forwarding(let upstream) = phase { upstream.flush() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if isWritable {
            if case .forwarding(let upstream) = phase {
                extendDeadline(loop.waits.bodyIdle)
                upstream.resumeReading()
            } else {
                advance()
            }
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: - From bytes to a plan

    /// Goes as far as the bytes at hand allow. Called again from within itself when an answer completes at once, it
    /// leaves the rest to the outer call, so that a thousand pipelined requests don't nest.
    func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        while step() {}
        // Without a byte left in it, the receive buffer can serve the next read.
        if inbox.readableBytes == 0 { inbox = loop.emptyBuffer }
        resumeReading()
    }

    private func step() -> Bool {
        switch phase {
        // Answers that the client does not read hold up the requests behind them: otherwise they would pile up here.
        case .head: return isWritable && readHead()
        case .collecting(let limit, let then): return collect(limit: limit, then: then)
        case .gathering: return gather()
        case .readingForm(let findings): return readForm(knowing: findings)
        case .forwarding(let upstream): return !bodyIsRead && streamsBody && sendBody(to: upstream)
        case .discarding: return discard()
        case .waiting, .connecting, .transferring, .lingering, .closed: return false
        }
    }

    private func readHead() -> Bool {
        guard inbox.readableBytes > 0 else { return false }
        switch parser.parse(&inbox) {
        case .needMore:
            if requestStart == nil {
                requestStart = loop.now()
                extendDeadline(loop.waits.header)
            }
            return false
        case .refused(let refusal):
            beginRecord()
            refuse(refusal)
            return false
        case .head(let head):
            begin(head)
            return true
        }
    }

    private func beginRecord(method: String = "") {
        snapshot = loop.snapshot
        if requestStart == nil { requestStart = loop.now() }
        if peerText.isEmpty { peerText = Array((facts.peer.map(\.description) ?? "unix").utf8) }
        loop.journal.metrics.inflight += 1
        record = RequestRecord(
            requestID: loop.nextRequestID(),
            startedAt: loop.wallClock(),
            clientAddress: peerText,
            method: method
        )
        answer = AnswerState()
        answer.isOpen = true
    }

    private func begin(_ head: RequestHead) {
        beginRecord(method: head.method.name)
        self.head = head
        decoder = BodyDecoder(framing: head.framing)
        bodyIsRead = decoder.isFinished
        answer.omitsBody = head.method == .head
        answer.keepAlive = head.keepAlive && !loop.isDraining
        answer.clientTakesChunks = head.version == .http11
        decide(head, knowing: Findings())
    }

    func decide(_ head: RequestHead, knowing findings: Findings) {
        let decision = loop.pipeline.decide(
            head,
            from: facts,
            knowing: findings,
            under: snapshot,
            at: record.startedAt,
            requestID: record.requestID,
            auditIsHealthy: loop.journal.auditIsHealthy,
            isDraining: loop.isDraining
        )
        note(decision)
        permit = decision.permit
        answer.hardening = decision.hardening
        answer.crossOrigin = decision.crossOrigin
        answer.caching = decision.caching
        answer.isOfRoute = decision.isOfRoute
        // What has to be found out first is decided afterwards.
        if decision.isFinal { loop.journal.decided(record) }
        perform(decision.plan)
    }

    private func note(_ decision: Decision) {
        if let client = decision.client, client != facts.peer {
            record.clientAddress = Array(client.description.utf8)
        }
        record.principal = decision.principal
        record.operation = decision.operation
        record.bucket = decision.bucket?.string
        record.key = decision.key?.bytes
        record.copied = decision.copied.map { CopiedFrom(bucket: $0.bucket.string, key: $0.key.bytes) }
        record.reason = decision.reason
        if let head {
            record.path = head.path
            record.userAgent = head.fields.first("user-agent").map(Array.init)
        }
        switch decision.outcome {
        case .allowed: record.verdict = .allowed
        case .denied: record.verdict = .denied
        case .unauthenticated: record.verdict = .unauthenticated
        case .limited: record.verdict = .limited
        case .undecided: record.verdict = .undecided
        }
        if let failure = decision.failure { loop.journal.metrics.countAuthenticationFailure(failure) }
    }

    func perform(_ plan: Plan) {
        switch plan {
        case .reply(let reply):
            send(reply)
        case .collect(let limit, let then):
            collected = []
            if case .length(let length) = head?.framing, length <= Int64(limit) {
                collected.reserveCapacity(min(Int(length), 64 * 1024))
            }
            beginHolding()
            phase = .collecting(limit: limit, then: then)
            continueIfExpected()
            advance()
        case .forward(let forward):
            self.forward(forward)
        case .transfer(let transfer):
            self.transfer(transfer)
        case .wait(let make):
            wait(for: make)
        case .issue(let issue):
            hand(out: issue)
        case .readForm(let reader, let findings):
            formReader = reader
            beginHolding()
            phase = .readingForm(findings)
            continueIfExpected()
            advance()
        case .reconsider(let findings):
            guard let head else { return close() }
            decide(head, knowing: findings)
        }
    }

    // MARK: - Between requests

    func readyForNext() {
        head = nil
        parser = RequestParser(limits: loop.snapshot.server.headLimits)
        requestStart = nil
        snapshot = loop.snapshot
        extendDeadline(loop.waits.idle)
        phase = .head
        if loop.isDraining, inbox.readableBytes == 0 { linger() }
    }

    func extendDeadline(_ wait: TimeAmount) {
        deadline = loop.now() + wait
    }

    func close() {
        phase = .closed
        // Earlier answers may wait for others.
        context?.flush()
        context?.close(promise: nil)
    }

    /// Closes so that the client can't take what it has for all there is.
    func reset() {
        phase = .closed
        closeWithoutGoodbye()
    }

    /// The drain has lasted too long. By the channel, so that what the connection was doing at a store ends with it.
    func endAtOnce() {
        if answer.isOpen, answer.endsWithConnection { closeWithoutGoodbye() } else { context?.close(promise: nil) }
    }

    /// By a TCP reset, and past TLS, which would say that nothing follows.
    private func closeWithoutGoodbye() {
        guard let context else { return }
        context.flush()
        if let socket = context.channel as? any SocketOptionProvider {
            _ = socket.unsafeSetSocketOption(level: .socket, name: .so_linger, value: NoLinger())
        }
        let tls = try? context.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self)
        (tls ?? context).close(promise: nil)
    }

    /// The server is ending: what does nothing is closed, what has just come may still ask once.
    func drain() {
        guard case .head = phase, inbox.readableBytes == 0 else { return }
        if served > 0 {
            linger()
        } else {
            deadline = min(deadline, loop.now() + Self.drainGrace)
        }
    }

    /// The request is over, however it ended.
    func endRecord() {
        guard answer.isOpen else { return }
        answer.isOpen = false
        giveBack()
        served += 1
        let now = loop.now()
        record.duration = .nanoseconds((now - (requestStart ?? now)).nanoseconds)
        loop.journal.metrics.inflight -= 1
        loop.journal.finished(record)
    }

    /// What the request had of what is limited is there for others.
    func giveBack() {
        releaseHeld()
        guard let permit else { return }
        self.permit = nil
        loop.limiter.charge(record.bytesIn + record.bytesOut, to: permit, at: loop.wallClock())
        loop.limiter.release(permit)
    }

    /// The loop's tick found the deadline passed.
    func timedOut() {
        switch phase {
        case .lingering, .discarding, .closed:
            close()
        case .head:
            if served > 0, inbox.readableBytes == 0 || !isWritable {
                // What was answered last may still be on its way to a slow reader.
                linger()
            } else if inbox.readableBytes == 0 {
                close()
            } else {
                beginRecord()
                refuse(.headTimedOut)
            }
        case .collecting, .gathering, .readingForm:
            answer.keepAlive = false
            send(refusal(S3Error(.requestTimeout)))
        case .waiting(let task, _):
            task.cancel()
            record.reason = "waited too long for an answer"
            phase = .connecting
            send(refusal(S3Error(.serviceUnavailable, retryAfter: 1)))
        case .connecting, .forwarding:
            exchangeTimedOut()
        case .transferring:
            // The transfer keeps its own time.
            deadline = .distantFuture
        }
    }
}

/// `struct linger` (socket(7)): on, for no seconds, so that closing resets.
private struct NoLinger {
    let isOn: CInt = 1
    let seconds: CInt = 0
}
