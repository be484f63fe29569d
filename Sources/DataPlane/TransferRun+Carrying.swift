import HTTP1
import Journal
import NIOCore
import Pipeline
import S3API

extension TransferRun {
    /// Reads the source; the destination hears of it with the first bytes, because stores exist that commit an empty
    /// object when an announced body ends before it begins.
    func carry(_ carriage: Carriage) {
        let source = StoreExchange(
            .source,
            carriage.request,
            to: carriage.upstream,
            replay: .allowed,
            of: self
        )
        phase = .carrying(carriage, source: source)
        waitForConnection()
        source.begin()
    }

    /// Lets go of whatever the step that ends still holds.
    func endCarriage() {
        if case .carrying(_, let source) = phase { source.cut() }
        destination?.cut()
        destination = nil
        delivery = nil
        carried = nil
        leaving = nil
        pending = []
        sourceIsRead = false
        rest = nil
    }

    /// Begins the carriage anew, once, because the destination's connection turned out to be dead. Nothing was
    /// committed there, and the source can be read again.
    func restart() -> Bool {
        guard case .carrying(let carriage, _) = phase, !hasRestarted, let delivery, let destination else {
            return false
        }
        if destination.hasSentWholeRequest, delivery.replay == .never { return false }
        hasRestarted = true
        loop.journal.metrics.upstreamRetries += 1
        endCarriage()
        carry(carriage)
        return true
    }

    // MARK: - Connections

    func opened(_ exchange: StoreExchange) {
        wait(exchange.responseTimeout)
        guard exchange === destination else { return }
        let waiting = pending
        pending = []
        for part in waiting { exchange.send(part) }
        if sourceIsRead {
            endBody(of: exchange)
        } else {
            exchange.flush()
            wait(loop.waits.bodyIdle)
            resumeSource()
        }
    }

    func answered(_ exchange: StoreExchange, _ head: ResponseHead) -> StoreExchange.Reception {
        wait(loop.waits.bodyIdle)
        switch phase {
        case .asking(let question, _):
            return .collect(limit: question.limit)
        case .carrying(let carriage, let source) where source === exchange:
            switch carriage.begin(head, loop.wallClock()) {
            case .deliver(let delivery):
                self.delivery = delivery
                carried = CarriedBytes(delivery)
                return .pass
            case .leave(let then):
                leaving = then
                // What it says at length was not asked for.
                if (200...299).contains(head.status) {
                    exchange.cut()
                    ended(exchange, StoreReply(head: head, body: [], now: loop.wallClock()))
                }
                return .collect(limit: carriage.limit)
            }
        case .carrying(_, let source) where exchange === destination:
            // An early answer: there is no use for the rest of the body.
            if !exchange.hasSentWholeRequest { source.cut() }
            return .collect(limit: delivery?.limit ?? 0)
        case .between, .carrying, .over:
            return .collect(limit: 0)
        }
    }

    // MARK: - Bytes

    /// Whether the source may be read on.
    var takesBytes: Bool {
        guard let destination else { return true }
        return destination.isWritable
    }

    func destinationTakesBytes() {
        resumeSource()
    }

    private func resumeSource() {
        if case .carrying(_, let source) = phase { source.resumeReading() }
    }

    /// The next bytes of the source.
    func received(_ bytes: ByteBuffer) {
        flowed += Int64(bytes.readableBytes)
        switch carried?.take(bytes) {
        case .free(let free):
            guard let free else { return }
            if let destination, destination.isOpen {
                destination.send(free)
            } else {
                pending.append(free)
                openDestination()
            }
        case .tooMany:
            failed(nil, S3Error(.backendBadAnswer), "the source is longer than it said")
        case nil:
            return
        }
    }

    func flushBytes() {
        destination?.flush()
    }

    private func openDestination() {
        guard destination == nil, let delivery else { return }
        let exchange = StoreExchange(delivery, of: self)
        destination = exchange
        waitForConnection()
        exchange.begin(on: hasRestarted ? .new : .lively)
    }

    /// The source's answer was read to its end.
    func sourceEnded() {
        switch carried?.finish() {
        case .whole(let bytes):
            sourceIsRead = true
            rest = bytes
            if let destination {
                if destination.isOpen { endBody(of: destination) }
            } else {
                openDestination()
            }
        case .tooFew:
            failed(nil, S3Error(.backendBadAnswer), "the source is shorter than it said")
        case .differing:
            failed(nil, S3Error(.backendBadAnswer), "the source's bytes are not those that its checksum is of")
        case nil:
            return
        }
    }

    private func endBody(of exchange: StoreExchange) {
        if let rest, rest.readableBytes > 0 { exchange.send(rest) }
        rest = nil
        exchange.endRequest()
        wait(exchange.responseTimeout)
    }
}
