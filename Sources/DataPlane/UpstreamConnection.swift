import HTTP1
import NIOCore
import NetworkReasons

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One connection to a store: writes what the client's side hands over, reads heads and bodies for it, and never reads
/// faster than the client takes.
///
/// Confined to its event loop, like the ``UpstreamUser`` it serves and the ``UpstreamPool`` it rests in.
final class UpstreamConnection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Why a connection stopped serving an exchange.
    enum Loss: Error {
        /// It closed; `answered` tells whether any byte of an answer had come.
        case closed(answered: Bool)
        /// It said something that is not HTTP.
        case malformed(String)
        /// TLS could not be established or broke.
        case tls(String)
    }

    private enum Phase {
        // → head
        case idle
        // → body | idle | closed
        case head(ResponseParser)
        // → idle | closed
        case body(BodyDecoder, keepAlive: Bool)
        case closed
    }

    private let pool: UpstreamPool
    private var phase = Phase.idle
    private var inbox = ByteBuffer()
    private var context: ChannelHandlerContext?
    private var readWaits = false
    private var answered = false
    private var failure: Loss?
    /// The connection broke instead of being closed in order.
    private var isBroken = false
    private(set) var exchanges = 0
    /// The pool's when the present exchange began.
    private var earlierAnswers: UInt64 = 0
    private(set) var idleSince = NIODeadline.uptimeNanoseconds(0)
    private weak var client: (any UpstreamUser)?

    init(pool: UpstreamPool) {
        self.pool = pool
    }

    /// Whether a pooled connection looks usable; a close that is still on its way is met by the replay.
    var isUsable: Bool {
        guard case .idle = phase, let context else { return false }
        return context.channel.isActive && inbox.readableBytes == 0
    }

    /// Whether it looks usable and neither its end nor a byte waits in its socket: what the loop has not come to read yet.
    /// Costs a system call.
    var isQuiet: Bool {
        guard isUsable, let context else { return false }
        let isQuiet = try? context.channel.pipeline.syncOperations.withUnsafeTransportIfAvailable {
            (socket: NIOBSDSocket.Handle) in
            var readable = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            return poll(&readable, 1, 0) == 0
        }
        return isQuiet ?? false
    }

    /// Whether this connection has served an exchange before the present one.
    var isReused: Bool { exchanges > 1 }

    /// Whether the store takes what is sent to it; the channel says when that changes.
    private(set) var isWritable = true

    // MARK: - For the client's side

    func begin(_ client: any UpstreamUser, method: HTTPMethod) {
        self.client = client
        answered = false
        exchanges += 1
        earlierAnswers = pool.answers
        phase = .head(ResponseParser(requestMethod: method))
        resumeReading()
    }

    func send(_ bytes: ByteBuffer) {
        guard let context else { return }
        context.write(wrapOutboundOut(bytes), promise: nil)
    }

    func flush() {
        context?.flush()
    }

    /// The same, perhaps together with other requests to this store.
    func flushSoon() {
        if let context { pool.questions.add(context) }
    }

    /// Whoever was served saw the store fail: connections ended before an answer, again and again.
    func reportFailure(to client: any UpstreamUser) {
        pool.exchangeFailed(of: client.caller)
    }

    /// Whoever is served had no answer in the time that the store has for one.
    func reportTimeout(to client: any UpstreamUser) {
        pool.exchangeTimedOut(of: client.caller, after: earlierAnswers)
    }

    /// Called when the client's side can take bytes again.
    func resumeReading() {
        guard readWaits, let context else { return }
        readWaits = false
        context.read()
    }

    /// Ends the exchange by ending the connection: the store sees an incomplete request, we read no more of its answer.
    func cut() {
        client = nil
        phase = .closed
        context?.close(promise: nil)
    }

    /// Back to the pool, or closed where the store does not keep it open.
    private func finish(keepAlive: Bool) {
        let client = self.client
        self.client = nil
        guard keepAlive, inbox.readableBytes == 0, client?.hasSentWholeRequest ?? false else {
            phase = .closed
            context?.close(promise: nil)
            client?.upstreamEnded()
            return
        }
        phase = .idle
        // The receive buffer can serve the next read.
        inbox = ByteBuffer()
        idleSince = pool.now
        resumeReading()
        pool.take(back: self)
        client?.upstreamEnded()
    }

    // MARK: - Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        isWritable = false
    }

    func read(context: ChannelHandlerContext) {
        // An idle connection reads too: that is how its end is noticed before a request is put on it.
        if client?.takesAnswerBytes ?? true {
            context.read()
        } else {
            readWaits = true
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        inbox.take(&bytes)
        advance()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        client?.flushAnswer()
    }

    private func advance() {
        while true {
            switch phase {
            case .idle:
                // A store that speaks unasked is out of step: whatever it says would be taken for the next answer.
                phase = .closed
                context?.close(promise: nil)
                return
            case .head(var parser):
                let outcome = parser.parse(&inbox)
                switch outcome {
                case .needMore:
                    phase = .head(parser)
                    return
                case .refused(let refusal):
                    lose(.malformed("\(refusal)"))
                    return
                case .head(let head) where head.status < 200:
                    answered = true
                    phase = .head(parser)
                    if head.status == 101 {
                        lose(.malformed("the store switched protocols"))
                        return
                    }
                case .head(let head):
                    answered = true
                    pool.exchangeAnswered()
                    phase = .body(BodyDecoder(framing: head.framing, limits: .response), keepAlive: head.keepAlive)
                    // The head may be answered by a reply of our own, which cuts this connection.
                    client?.upstreamAnswered(head)
                }
            case .body(var decoder, let keepAlive):
                let event = decoder.next(&inbox)
                phase = .body(decoder, keepAlive: keepAlive)
                switch event {
                case .needMore:
                    return
                case .bytes(let bytes):
                    client?.upstreamSent(bytes)
                case .end:
                    finish(keepAlive: keepAlive)
                    return
                case .refused(let refusal):
                    lose(.malformed("\(refusal)"))
                    return
                }
            case .closed:
                inbox.clear()
                return
            }
        }
    }

    private func lose(_ loss: Loss) {
        let client = self.client
        self.client = nil
        phase = .closed
        context?.close(promise: nil)
        client?.upstreamLost(loss, from: self)
    }

    func channelInactive(context: ChannelHandlerContext) {
        pool.forget(self)
        switch phase {
        case .body(var decoder, _):
            // A body that only the connection's end delimits is whole only where that end was an orderly one.
            if !isBroken, case .end = decoder.closed() {
                finish(keepAlive: false)
            } else {
                lose(.closed(answered: true))
            }
        case .head:
            if failure != nil { pool.exchangeFailed() }
            lose(failure ?? .closed(answered: answered || inbox.readableBytes > 0))
        case .idle, .closed:
            phase = .closed
        }
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if isWritable { client?.upstreamTakesBytes() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isBroken = true
        if UpstreamTLS.isFailure(error) { failure = .tls(NetworkReason(error).description) }
        context.close(promise: nil)
    }
}
