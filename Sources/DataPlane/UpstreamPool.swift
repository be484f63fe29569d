import Backends
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import NetworkReasons
import Pipeline

/// The connections of one event loop to one store: the last used comes first, idle ones are bounded in number and age,
/// and requests wait in a bounded queue when all are busy.
///
/// Confined to its event loop.
final class UpstreamPool {
    /// Why no connection can be had.
    enum Unavailable: Error, CustomStringConvertible {
        /// More requests wait than the queue holds, or this one has waited too long.
        case queueFull
        /// The store does not accept connections.
        case unreachable(String)
        /// The last exchanges all ended without an answer: the breaker is open.
        case broken

        /// For the log.
        var description: String {
            switch self {
            case .queueFull: "too many requests wait for the store"
            case .unreachable(let reason): "the store is unreachable: \(reason)"
            case .broken: "the store is left alone for a moment: its last exchanges ended without an answer"
            }
        }
    }

    /// Which connection a request may go out on.
    enum Choice {
        /// Any that rests here: where it turns out to be dead, the request goes out again.
        case any
        /// The request can't go out again: one that served a moment ago and of whose end nothing has come, or a new one.
        case lively
        /// A new one, or one that serves until then: the last pooled one turned out to be dead.
        case new
    }

    private struct Waiter {
        let client: any UpstreamUser
        let choice: Choice
        let since: NIODeadline
    }

    static let queueLimit = 1024
    /// How long a request waits for one of the others to end.
    static let queuePatience = TimeAmount.seconds(30)
    /// A connection that has rested longer may be ended by its store just when a request is on its way there: servers that
    /// keep connections for a few seconds only are common, for less than two are not.
    static let liveliness = TimeAmount.seconds(1)

    let upstream: Upstream
    /// The upstream's, in the clock's own units.
    let responseTimeout: TimeAmount
    /// Connections on which a request goes out.
    let questions: FlushBatch
    private let eventLoop: any EventLoop
    private let limit: Int
    /// Made with the first connection.
    private var tls: NIOSSLContext?
    private let logger: Logger
    private let clock: () -> NIODeadline
    private var idle: [UpstreamConnection] = []
    private var waiting: [Waiter] = []
    /// No snapshot names this store any more: what comes back is closed instead of kept.
    private var isRetired = false
    /// Connections that exist or are being made.
    private(set) var open = 0
    private var breaker = Breaker()

    /// - Parameter clock: what tells how long requests wait, connections rest and the store is left alone.
    init(
        upstream: Upstream,
        eventLoop: any EventLoop,
        limit: Int,
        logger: Logger,
        clock: @escaping () -> NIODeadline = NIODeadline.now
    ) {
        self.upstream = upstream
        responseTimeout = TimeAmount(upstream.responseTimeout)
        self.eventLoop = eventLoop
        questions = FlushBatch(eventLoop: eventLoop)
        self.limit = max(1, limit)
        self.logger = logger
        self.clock = clock
    }

    var idleCount: Int { idle.count }

    /// What all of its times are taken from.
    var now: NIODeadline { clock() }

    /// Gives `client` a connection: at once where one rests here, otherwise later through
    /// ``UpstreamUser/upstreamReady(_:)`` or ``UpstreamUser/upstreamUnavailable(_:)``.
    ///
    /// Where there may be no more connections, one that rests and is not of `choice` is closed for the new one.
    func lease(to client: any UpstreamUser, _ choice: Choice = .any) {
        guard breaker.mayTry(client.caller, at: now) else { return client.upstreamUnavailable(.broken) }
        if let connection = resting(choice) {
            client.upstreamReady(connection)
        } else if open < limit {
            connect(for: client)
        } else if waiting.count < Self.queueLimit {
            waiting.append(Waiter(client: client, choice: choice, since: now))
            if !idle.isEmpty { idle.removeFirst().cut() }
        } else {
            client.upstreamUnavailable(.queueFull)
        }
    }

    /// The same after a pause, never with a pooled one.
    func lease(to client: any UpstreamUser, after pause: TimeAmount) {
        guard pause > .zero else { return lease(to: client, .new) }
        eventLoop.assumeIsolated().scheduleTask(in: pause) {
            if client.waitsForUpstream { self.lease(to: client, .new) }
        }
    }

    private func resting(_ choice: Choice) -> UpstreamConnection? {
        switch choice {
        case .any:
            while let connection = idle.popLast() {
                if connection.isUsable { return connection }
            }
        case .lively:
            let since = now - Self.liveliness
            while let last = idle.last, last.idleSince > since {
                idle.removeLast()
                if last.isQuiet { return last }
                last.cut()
            }
        case .new:
            break
        }
        return nil
    }

    /// The client no longer wants a connection.
    func cancel(_ client: any UpstreamUser) {
        waiting.removeAll { $0.client === client }
    }

    /// A connection whose exchange is over.
    func take(back connection: UpstreamConnection) {
        if let waiter = nextWaiting() {
            if waiter.choice == .any || connection.isQuiet {
                waiter.client.upstreamReady(connection)
            } else {
                waiting.insert(waiter, at: 0)
                connection.cut()
            }
        } else if isRetired {
            connection.cut()
        } else {
            idle.append(connection)
        }
    }

    /// A connection that has closed.
    func forget(_ connection: UpstreamConnection) {
        open -= 1
        if let index = idle.firstIndex(where: { $0 === connection }) { idle.remove(at: index) }
        serveWaiting()
    }

    /// Closes what has rested longer than the upstream's idle timeout, and answers who has waited too long.
    func closeIdle(now: NIODeadline) {
        while let first = waiting.first, first.since + Self.queuePatience <= now {
            waiting.removeFirst()
            if first.client.waitsForUpstream { first.client.upstreamUnavailable(.queueFull) }
        }
        let timeout = TimeAmount(upstream.idleTimeout)
        for connection in idle where connection.idleSince + timeout <= now {
            connection.cut()
        }
    }

    /// Closes every resting connection: the snapshot no longer names this upstream.
    func retire() {
        isRetired = true
        for connection in idle { connection.cut() }
    }

    /// While the breaker is open every one of them hears so: no connection is there whose end would serve the next.
    private func serveWaiting() {
        while open < limit, let client = nextWaiting()?.client {
            if breaker.mayTry(client.caller, at: now) {
                connect(for: client)
            } else {
                client.upstreamUnavailable(.broken)
            }
        }
    }

    /// The longest waiting; one that was closed meanwhile wants nothing any more.
    private func nextWaiting() -> Waiter? {
        while !waiting.isEmpty {
            let waiter = waiting.removeFirst()
            if waiter.client.waitsForUpstream { return waiter }
        }
        return nil
    }

    /// Nothing is left of it: neither connections nor requests that wait for one.
    var isEmpty: Bool { open == 0 && waiting.isEmpty }

    // MARK: - The breaker

    /// Exchanges that had an answer: how far an exchange's beginning lies back in them.
    var answers: UInt64 { breaker.answers }

    /// A store has answered: whatever it said, it is there.
    func exchangeAnswered() {
        breaker.exchangeAnswered()
    }

    /// No connection could be had, TLS failed, or a connection ended before an answer.
    ///
    /// - Parameter caller: whose request may be to blame; nil: nothing of it had been sent.
    func exchangeFailed(of caller: Breaker.Caller? = nil) {
        if breaker.exchangeFailed(of: caller, at: now) { warnOfPause() }
    }

    /// Nothing came in the time that the store has for it.
    ///
    /// - Parameter earlier: ``answers`` when the exchange began.
    func exchangeTimedOut(of caller: Breaker.Caller, after earlier: UInt64) {
        if breaker.exchangeTimedOut(of: caller, after: earlier, at: now) { warnOfPause() }
    }

    private func warnOfPause() {
        logger.warning("store is left alone for a while", metadata: ["backend": "\(upstream.name)"])
    }

    // MARK: - Connecting

    private func connect(for client: any UpstreamUser) {
        open += 1
        attempt(for: client, until: now + TimeAmount(upstream.connectTimeout), pause: .milliseconds(20))
    }

    /// Tries until `deadline`: a store that restarts refuses connections for a moment, and a request of which nothing
    /// has been sent can wait for it.
    private func attempt(for client: any UpstreamUser, until deadline: NIODeadline, pause: TimeAmount) {
        let pool = NIOLoopBound(self, eventLoop: eventLoop)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.recvAllocator, value: ReadSizes.upstream)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.writeBufferWaterMark, value: ReadSizes.waterMark)
            .connectTimeout(max(.milliseconds(1), deadline - now))
            .channelInitializer { channel in
                // The pool is made and used on this loop only, where initializers run too.
                channel.eventLoop.makeCompletedFuture { try pool.value.prepare(channel) }
            }
        let connecting =
            switch upstream.endpoint.address {
            case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        connecting.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel):
                self.deliver(channel, to: client, until: deadline, pause: pause)
            case .failure(let error):
                self.retry(after: error, for: client, until: deadline, pause: pause)
            }
        }
    }

    private func prepare(_ channel: any Channel) throws {
        if case .tcp(let host, _) = upstream.endpoint.address {
            try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
            if upstream.endpoint.transport == .tls {
                let context = try tls ?? UpstreamTLS.context(caCertificate: upstream.caCertificate)
                tls = context
                try channel.pipeline.syncOperations.addHandler(UpstreamTLS.handler(context: context, host: host))
            }
        }
        try channel.pipeline.syncOperations.addHandler(UpstreamConnection(pool: self))
    }

    private func deliver(
        _ channel: any Channel,
        to client: any UpstreamUser,
        until deadline: NIODeadline,
        pause: TimeAmount
    ) {
        guard let connection = try? channel.pipeline.syncOperations.handler(type: UpstreamConnection.self) else {
            // It closed in the same turn of the loop: its handler is gone and was counted out.
            open += 1
            retry(after: ChannelError.eof, for: client, until: deadline, pause: pause)
            return
        }
        if client.waitsForUpstream {
            client.upstreamReady(connection)
        } else {
            take(back: connection)
        }
    }

    private func retry(
        after error: any Error,
        for client: any UpstreamUser,
        until deadline: NIODeadline,
        pause: TimeAmount
    ) {
        guard client.waitsForUpstream else {
            open -= 1
            serveWaiting()
            return
        }
        let jitter = TimeAmount.nanoseconds(Int64.random(in: 0...pause.nanoseconds / 2))
        guard now + pause + jitter < deadline else {
            open -= 1
            fail(client, error)
            serveWaiting()
            return
        }
        eventLoop.assumeIsolated().scheduleTask(in: pause + jitter) {
            guard client.waitsForUpstream else {
                self.open -= 1
                self.serveWaiting()
                return
            }
            self.attempt(for: client, until: deadline, pause: min(pause * 2, .milliseconds(500)))
        }
    }

    private func fail(_ client: any UpstreamUser, _ error: any Error) {
        exchangeFailed()
        let reason = NetworkReason(error).description
        logger.warning(
            "store is unreachable",
            metadata: ["backend": "\(upstream.name)", "endpoint": "\(upstream.endpoint)", "error": "\(reason)"]
        )
        client.upstreamUnavailable(.unreachable(reason))
    }
}

extension TimeAmount {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
