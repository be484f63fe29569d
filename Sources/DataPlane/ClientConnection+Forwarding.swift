import HTTP1
import Journal
import Logging
import NIOCore
import Pipeline
import S3API

/// The state of one exchange with a store, reset for every request.
struct Exchange {
    var forward: Forward?
    /// What the client's body goes through; nil: it passes as it comes.
    var verifier: BodyVerifier?
    /// The body that was sent so far, as long as it is short enough to be sent again; nil: it can't be replayed.
    var sent: [ByteBuffer]? = []
    var sentBytes = 0
    /// Every byte of the request has been handed to the store's connection.
    var requestIsSent = false
    var replays = Replays()
    var startedAt = NIODeadline.uptimeNanoseconds(0)
    /// The store's head has come, perhaps before the request was all sent.
    var answerHasBegun = false
    var responseTimeout = TimeAmount.seconds(60)
    /// Bytes that had flowed when the deadline was last set.
    var progress: Int64 = 0
    /// Once the store's head is known and its body is wanted whole.
    var collecting: (limit: Int, then: @Sendable ([UInt8]) -> Plan)?
    var collected: [UInt8] = []
}

extension ClientConnection {
    /// How much of a streamed body is kept for a second attempt.
    private static let replayLimit = 64 * 1024

    // MARK: - Towards the store

    func forward(_ forward: Forward) {
        exchange = Exchange()
        exchange.forward = forward
        record.backend = forward.upstream.name
        guard case .stream(let verifier) = forward.body else {
            // A body that has not come waits for an exchange of its own; one of no bytes waits for nothing.
            if bodyIsRead { continueIfExpected() }
            return connect(forward)
        }
        exchange.verifier = verifier
        phase = .gathering
        extendDeadline(loop.waits.bodyIdle)
        continueIfExpected()
        advance()
    }

    private func connect(_ forward: Forward) {
        phase = .connecting
        deadline = .distantFuture
        let pool = loop.pool(for: forward.upstream)
        exchange.responseTimeout = pool.responseTimeout
        pool.lease(to: self, canGoOutAgain(forward) ? .any : .lively)
    }

    /// The same on another connection, after a pause.
    private func connectAgain(_ forward: Forward, after pause: TimeAmount) {
        loop.journal.metrics.upstreamRetries += 1
        phase = .connecting
        deadline = .distantFuture
        loop.pool(for: forward.upstream).lease(to: self, after: pause)
    }

    /// Waits for the first bytes that may be sent on before the store hears of the request: stores exist that commit an
    /// empty object when an announced body ends before it begins. Returns whether there may be more at hand.
    func gather() -> Bool {
        guard let forward = exchange.forward else { return false }
        switch decoder.next(&inbox) {
        case .needMore:
            extendDeadline(loop.waits.bodyIdle)
            return false
        case .bytes(let bytes):
            record.bytesIn += Int64(bytes.readableBytes)
            guard let free = verified(bytes) else { return true }
            guard !free.isEmpty else { return true }
            for part in free { keep(part) }
            connect(forward)
        case .end:
            bodyIsRead = true
            guard let rest = verifiedRest() else { return true }
            for part in rest { keep(part) }
            connect(forward)
        case .refused(let refusal):
            refuse(refusal)
            return false
        }
        return true
    }

    /// Whether the client's body goes to the store: only then may bytes of it follow the request that was sent.
    var streamsBody: Bool {
        if case .stream = exchange.forward?.body { return true }
        return false
    }

    var caller: Breaker.Caller { Breaker.Caller(record.principal, from: record.clientAddress) }

    var waitsForUpstream: Bool {
        if case .connecting = phase { return true }
        return false
    }

    /// A connection is ours: the head goes out, and a short body with it in the same write.
    func upstreamReady(_ upstream: UpstreamConnection) {
        guard waitsForUpstream, let forward = exchange.forward else { return }
        phase = .forwarding(upstream)
        exchange.startedAt = loop.now()
        exchange.requestIsSent = false
        var bytes = loop.buffer(capacity: forward.request.fields.bytes.count + forward.request.path.count + 256)
        HeadWriter.append(forward.request, to: &bytes)
        upstream.begin(self, method: forward.request.method)
        switch forward.body {
        case .none:
            upstream.send(bytes)
            requestSent()
        case .bytes(let body):
            bytes.writeBytes(body)
            upstream.send(bytes)
            requestSent()
        case .stream:
            upstream.send(bytes)
            for part in exchange.sent ?? [] { upstream.send(part) }
            if bodyIsRead {
                requestSent()
            } else {
                extendDeadline(loop.waits.bodyIdle)
                advance()
            }
        }
        upstream.flushSoon()
    }

    /// Takes the next piece of the client's body. Returns whether there may be more at hand.
    func sendBody(to upstream: UpstreamConnection) -> Bool {
        guard upstream.isWritable else { return false }
        switch decoder.next(&inbox) {
        case .needMore:
            extendDeadline(loop.waits.bodyIdle)
            return false
        case .bytes(let bytes):
            record.bytesIn += Int64(bytes.readableBytes)
            guard exchange.verifier != nil else {
                pass(bytes, to: upstream)
                return true
            }
            guard let free = verified(bytes) else { return false }
            for part in free { pass(part, to: upstream) }
            return true
        case .end:
            bodyIsRead = true
            finishBody(to: upstream)
            return false
        case .refused(let refusal):
            upstream.cut()
            refuse(refusal)
            return false
        }
    }

    /// What of the client's bytes may be sent on now; nil, and the request refused, where they are not as promised.
    private func verified(_ bytes: ByteBuffer) -> [ByteBuffer]? {
        guard exchange.verifier != nil else { return [bytes] }
        do {
            return try exchange.verifier?.take(bytes)
        } catch {
            refuseBody(error)
            return nil
        }
    }

    /// The end of the body that was held back; nil, and the request refused, where the body is not as promised.
    private func verifiedRest() -> [ByteBuffer]? {
        guard exchange.verifier != nil else { return [] }
        do {
            return try exchange.verifier?.finish()
        } catch {
            refuseBody(error)
            return nil
        }
    }

    private func refuseBody(_ error: S3Error) {
        record.reason = "the body is not as promised: \(error.code.name)"
        abandon(error)
    }

    private func keep(_ bytes: ByteBuffer) {
        exchange.sentBytes += bytes.readableBytes
        exchange.sent?.append(bytes)
    }

    private func pass(_ bytes: ByteBuffer, to upstream: UpstreamConnection) {
        keep(bytes)
        if exchange.sentBytes > Self.replayLimit { exchange.sent = nil }
        upstream.send(bytes)
    }

    private func finishBody(to upstream: UpstreamConnection) {
        guard let rest = verifiedRest() else { return }
        for part in rest { pass(part, to: upstream) }
        requestSent()
        upstream.flush()
    }

    private func requestSent() {
        exchange.requestIsSent = true
        // After an early answer its own progress counts; an upload's length is not the store's thinking time.
        guard !exchange.answerHasBegun else { return }
        exchange.progress = flowed
        let begun = streamsBody ? loop.now() : exchange.startedAt
        deadline = begun + exchange.responseTimeout
    }

    private var flowed: Int64 {
        record.bytesIn + record.bytesOut + Int64(exchange.collected.count)
    }

    var hasSentWholeRequest: Bool { exchange.requestIsSent }

    func upstreamTakesBytes() {
        extendDeadline(loop.waits.bodyIdle)
        advance()
        if case .forwarding(let upstream) = phase { upstream.flush() }
    }

    // MARK: - From the store

    /// Whether the answer may be read on: the client takes bytes, or the answer is being collected.
    var takesAnswerBytes: Bool {
        exchange.collecting != nil || isWritable
    }

    func upstreamAnswered(_ head: ResponseHead) {
        guard let forward = exchange.forward, case .forwarding(let upstream) = phase else { return }
        exchange.answerHasBegun = true
        record.timeToFirstByte = .nanoseconds((loop.now() - exchange.startedAt).nanoseconds)
        extendDeadline(loop.waits.bodyIdle)
        switch forward.answer(head) {
        case .stream(let status, var fields):
            if (200...299).contains(status) { exchange.verifier?.acknowledge(in: &fields) }
            beginAnswer(status: status, fields: fields, from: head)
        case .collect(let limit, let then):
            exchange.collecting = (limit, then)
        case .reply(let reply) where head.framing.isEmpty:
            // Nothing follows: the connection can serve on.
            exchange.collecting = (0, { @Sendable _ in .reply(reply) })
        case .reply(let reply):
            upstream.cut()
            send(reply)
        }
    }

    func upstreamSent(_ bytes: ByteBuffer) {
        guard let (limit, _) = exchange.collecting else {
            writeAnswerBody(bytes)
            return
        }
        guard exchange.collected.count + bytes.readableBytes <= limit else {
            upstreamMisbehaved("its answer is larger than \(limit) bytes")
            return
        }
        exchange.collected.append(contentsOf: bytes.readableBytesView)
    }

    /// The store's answer is complete and its connection no longer ours.
    func upstreamEnded() {
        guard case .forwarding = phase else { return }
        if let (_, then) = exchange.collecting {
            let body = exchange.collected
            phase = .connecting
            perform(then(body))
        } else {
            finishAnswer()
        }
        advance()
    }

    func upstreamLost(_ loss: UpstreamConnection.Loss, from upstream: UpstreamConnection) {
        guard case .forwarding = phase, let forward = exchange.forward else { return }
        switch loss {
        case .closed(answered: false) where mayReplay(forward):
            let window = TimeAmount(forward.upstream.connectTimeout)
            if let pause = exchange.replays.next(wasPooled: upstream.isReused, within: window, now: loop.now()) {
                connectAgain(forward, after: pause)
            } else {
                upstream.reportFailure(to: self)
                upstreamMisbehaved("it closed without an answer, again and again")
            }
        case .closed(let answered):
            upstreamMisbehaved(answered ? "it closed in the middle of an answer" : "it closed without an answer")
        case .malformed(let reason):
            upstreamMisbehaved(reason)
        case .tls(let reason):
            upstreamMisbehaved("TLS: " + reason)
        }
        advance()
    }

    /// Whether the whole request will still be at hand where its connection turns out to be dead, and may be sent again.
    private func canGoOutAgain(_ forward: Forward) -> Bool {
        guard forward.replay == .allowed else { return false }
        guard !bodyIsRead, case .stream = forward.body else { return true }
        guard case .length(let length) = head?.framing else { return false }
        return length <= Self.replayLimit
    }

    private func mayReplay(_ forward: Forward) -> Bool {
        guard case .stream = forward.body else { return forward.replay == .allowed }
        return exchange.sent != nil && forward.replay == .allowed
    }

    func upstreamUnavailable(_ reason: UpstreamPool.Unavailable) {
        guard waitsForUpstream else { return }
        let error =
            switch reason {
            case .queueFull: S3Error(.slowDown, retryAfter: 1)
            case .broken, .unreachable: S3Error.unreachableStore
            }
        record.reason = "\(reason)"
        send(refusal(error))
        advance()
    }

    /// The store did something from which there is no way on: a client that has seen nothing gets an error, one that
    /// has seen part of an answer is cut off, so that a short body never looks whole.
    private func upstreamMisbehaved(_ reason: String) {
        fail(S3Error(.backendBadAnswer), reason)
    }

    /// The deadline is not moved with every byte: when it comes, what has flowed since it was set counts.
    func exchangeTimedOut() {
        if flowed != exchange.progress, !exchange.requestIsSent || exchange.answerHasBegun {
            exchange.progress = flowed
            extendDeadline(loop.waits.bodyIdle)
            return
        }
        if exchange.requestIsSent, !exchange.answerHasBegun, case .forwarding(let upstream) = phase {
            upstream.reportTimeout(to: self)
        }
        fail(exchange.requestIsSent ? S3Error(.backendTimeout) : S3Error(.requestTimeout), "timed out")
    }

    private func fail(_ error: S3Error, _ reason: String) {
        loop.logger.warning(
            "exchange with a store failed",
            metadata: ["backend": "\(record.backend ?? "")", "reason": "\(reason)", "request": "\(record.requestID)"]
        )
        record.reason = reason
        abandon(error)
    }

    /// Ends the exchange without the store's answer: the client gets `error`, or is cut off where an answer has begun.
    private func abandon(_ error: S3Error) {
        if case .forwarding(let upstream) = phase { upstream.cut() }
        if answer.headIsWritten {
            cutAnswer()
        } else {
            send(refusal(error))
        }
    }

    /// The client's connection is gone: so is whatever was being done for it.
    func clientGone() {
        switch phase {
        case .forwarding(let upstream):
            answer.wasCut = true
            upstream.cut()
        case .connecting:
            if let forward = exchange.forward { loop.pool(for: forward.upstream).cancel(self) }
        case .waiting(let task, _):
            task.cancel()
        case .transferring(let run):
            answer.wasCut = true
            run.clientGone()
        default:
            break
        }
        phase = .closed
        endRecord()
    }
}
