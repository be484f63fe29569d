import HTTP1
import Journal
import Logging
import NIOCore
import Pipeline
import S3API

/// Carries out a copy between stores, step by step. It lives beside the client's connection, because what was begun at a
/// store must be taken back when the client has left.
///
/// Confined to the client's loop. This file goes from step to step; `TransferRun+Carrying` moves bytes.
final class TransferRun {
    enum Phase {
        // → asking | carrying | over
        case between
        // → between
        case asking(StoreQuestion, StoreExchange)
        // → between
        case carrying(Carriage, source: StoreExchange)
        case over
    }

    /// After so long, and then again and again, the client gets a sign that its copy is still being made: less than the
    /// shortest common time-out of clients.
    private static let patience = TimeAmount.seconds(10)

    let loop: LoopContext
    private let transfer: Transfer
    private let log: Logger.Metadata
    let caller: Breaker.Caller
    private weak var client: ClientConnection?
    private var hasClient = true
    var phase = Phase.between
    /// When the present wait has lasted too long.
    private(set) var deadline = NIODeadline.distantFuture
    private var nextSign: NIODeadline

    // The carriage under way.
    var destination: StoreExchange?
    var delivery: Delivery?
    var carried: CarriedBytes?
    /// What the source sent before the destination could take it.
    var pending: [ByteBuffer] = []
    var sourceIsRead = false
    /// The end of the body, where the destination was not yet there to take it.
    var rest: ByteBuffer?
    var hasRestarted = false
    var flowed: Int64 = 0
    /// Bytes that had flowed when the deadline was last set.
    private var progress: Int64 = 0

    init(_ transfer: Transfer, for client: ClientConnection) {
        self.transfer = transfer
        self.client = client
        caller = client.caller
        loop = client.loop
        log = ["backend": "\(transfer.backend)", "request": "\(client.record.requestID)"]
        nextSign = client.loop.now() + Self.patience
    }

    func start() {
        loop.began(self)
        take(transfer.first)
    }

    // MARK: - Steps

    private func take(_ step: TransferStep) {
        endCarriage()
        phase = .between
        switch step {
        case .ask(let question):
            if !hasClient, case .copying = question.purpose { return take(question.failed(abandonment)) }
            let exchange = StoreExchange(
                .question,
                question.request,
                body: question.body,
                to: question.upstream,
                replay: question.replay,
                of: self
            )
            phase = .asking(question, exchange)
            deadline = .distantFuture
            exchange.begin(on: question.replay == .never ? .lively : .any)
        case .carry(let carriage):
            guard hasClient else { return take(carriage.failed(abandonment)) }
            hasRestarted = false
            carry(carriage)
        case .finish(let reply):
            phase = .over
            deadline = .distantFuture
            loop.ended(self)
            client?.transferEnded(with: reply)
            client = nil
        }
    }

    private var abandonment: TransferFailure { TransferFailure(S3Error(.requestTimeout), now: loop.wallClock()) }

    /// A store's answer is complete.
    func ended(_ exchange: StoreExchange, _ reply: StoreReply) {
        switch phase {
        case .asking(let question, let asked) where asked === exchange:
            take(question.next(reply))
        case .carrying(_, let source) where source === exchange:
            guard let leaving else { return }
            take(leaving(reply))
        case .carrying where exchange === destination:
            guard let delivery, let carried else { return }
            guard exchange.hasSentWholeRequest || reply.head.status >= 300 else {
                return failed(exchange, S3Error(.backendBadAnswer), "it answered before it had the whole body")
            }
            take(delivery.next(reply, carried.checksums))
        case .between, .asking, .carrying, .over:
            return
        }
    }

    /// Set where the source's answer is read as a document.
    var leaving: (@Sendable (StoreReply) -> TransferStep)?

    /// Nothing more comes of the present step.
    func failed(_ exchange: StoreExchange?, _ error: S3Error, _ reason: String) {
        let backend = exchange?.upstream.name ?? transfer.backend
        loop.logger.warning(
            "a copy between stores failed",
            metadata: log.merging(["backend": "\(backend)", "reason": "\(reason)"]) { $1 }
        )
        client?.record.reason = reason
        let failure = TransferFailure(error, now: loop.wallClock())
        switch phase {
        case .asking(let question, let asked):
            asked.cut()
            take(question.failed(failure))
        case .carrying(let carriage, _):
            take(carriage.failed(failure))
        case .between, .over:
            return
        }
    }

    /// The client's connection is gone. What is being carried is cut at both ends; a short question is let end, so that
    /// what it began is known and can be taken back.
    func clientGone() {
        client = nil
        hasClient = false
        if case .carrying(let carriage, _) = phase { take(carriage.failed(abandonment)) }
    }

    // MARK: - Time

    func wait(_ time: TimeAmount) {
        progress = flowed
        deadline = loop.now() + time
    }

    func waitForConnection() { deadline = .distantFuture }

    /// The loop's tick.
    func tick(_ now: NIODeadline) {
        if nextSign <= now {
            nextSign = now + Self.patience
            client?.giveSignOfLife()
        }
        guard deadline <= now else { return }
        // The deadline is not moved with every byte: when it comes, what has flowed since it was set counts.
        if flowed != progress {
            wait(loop.waits.bodyIdle)
        } else {
            if case .asking(_, let asked) = phase { asked.timedOut() }
            if case .carrying(_, let source) = phase { source.timedOut() }
            destination?.timedOut()
            failed(nil, S3Error(.backendTimeout), "timed out")
        }
    }
}
