import HTTP1
import Journal
import Logging
import NIOCore
import Pipeline
import S3API
import WireFormats

/// What is known about the answer being written, reset for every request.
struct AnswerState {
    /// A request is being served and not yet in the log.
    var isOpen = false
    /// The answer to a HEAD has a body's fields and no body.
    var omitsBody = false
    var keepAlive = false
    var clientTakesChunks = true
    var isChunked = false
    var saidContinue = false
    var headIsWritten = false
    /// Only the connection's end says that the answer has ended.
    var endsWithConnection = false
    /// The connection ended before the answer did.
    var wasCut = false
    /// Field lines that every answer of the bucket carries, rendered beforehand.
    var hardening: [UInt8] = []
    /// What the answer says to browsers; nil: nothing.
    var crossOrigin: CrossOriginFields?
    /// What the answer tells caches on the way.
    var caching = CacheTerms.asStored
    /// The path is a route's.
    var isOfRoute = false
    /// The head, kept until the first of the body is there, so that short answers leave in one write.
    var pending: ByteBuffer?
}

extension ClientConnection {
    /// A body up to this size is copied behind its head.
    private static let joinedBody = 4 * 1024

    // MARK: - Answers of a store

    func beginAnswer(status: Int, fields: FieldBlock, from head: ResponseHead) {
        var bytes = loop.buffer(capacity: fields.bytes.count + Self.joined(head.framing) + 512)
        decideKeepAlive()
        record.status = status
        HeadWriter.appendStatusLine(status, to: &bytes)
        append(fields, to: &bytes)
        switch head.framing {
        case .length(let length):
            HeadWriter.appendContentLength(length, to: &bytes)
        case .chunked, .untilClose:
            answer.isChunked = answer.clientTakesChunks
            if answer.isChunked {
                bytes.writeStaticString("transfer-encoding: chunked\r\n")
            } else {
                answer.keepAlive = false
                answer.endsWithConnection = true
            }
        case .none:
            if answer.omitsBody, let length = head.fields.first("content-length") {
                bytes.writeStaticString("content-length: ")
                bytes.writeBytes(length)
                bytes.writeStaticString("\r\n")
            } else if status != 204, status != 304, !answer.omitsBody {
                bytes.writeStaticString("content-length: 0\r\n")
            }
        }
        appendCommonFields(to: &bytes)
        answer.headIsWritten = true
        answer.pending = bytes
    }

    func writeAnswerBody(_ bytes: ByteBuffer) {
        record.bytesOut += Int64(bytes.readableBytes)
        if answer.isChunked {
            var framed = answer.pending ?? loop.buffer(capacity: 16)
            answer.pending = nil
            HeadWriter.appendChunkHeader(count: bytes.readableBytes, to: &framed)
            write(framed)
            write(bytes)
            write(loop.lineEnd)
            return
        }
        if var head = answer.pending {
            answer.pending = nil
            if bytes.readableBytes <= Self.joinedBody {
                head.writeImmutableBuffer(bytes)
                write(head)
                return
            }
            write(head)
        }
        write(bytes)
    }

    func flushAnswer() {
        // With an answer under way, what is there goes out; a head alone waits for its body's first bytes.
        context?.flush()
    }

    func finishAnswer() {
        if let head = answer.pending {
            answer.pending = nil
            write(head)
        }
        if answer.isChunked { write(loop.lastChunk) }
        completeAnswer()
    }

    // MARK: - Answers of our own

    /// The head of an answer whose body is not known yet: a document of S3's.
    func beginLongAnswer() {
        var fields = FieldBlock(reservingBytes: 64, fields: 1)
        fields.append("content-type", "application/xml")
        beginAnswer(
            status: 200,
            fields: fields,
            from: ResponseHead(status: 200, fields: fields, framing: .chunked)
        )
    }

    func send(_ reply: Reply) {
        // Never a second head: the client would take it for a part of the first answer, or for its next one.
        guard !answer.headIsWritten else {
            cutAnswer()
            return
        }
        decideKeepAlive()
        record.status = reply.status
        noteReason(of: reply)
        var bytes = loop.buffer(capacity: reply.fields.bytes.count + reply.body.count + 512)
        HeadWriter.appendStatusLine(reply.status, to: &bytes)
        append(reply.fields, to: &bytes)
        if reply.status != 204, reply.status != 304 {
            HeadWriter.appendContentLength(Int64(reply.body.count), to: &bytes)
        }
        bytes.writeStaticString("date: ")
        bytes.writeBytes(loop.httpDate())
        bytes.writeStaticString("\r\n")
        appendCommonFields(to: &bytes)
        if !answer.omitsBody {
            bytes.writeBytes(reply.body)
            record.bytesOut += Int64(reply.body.count)
        }
        answer.headIsWritten = true
        write(bytes)
        completeAnswer()
    }

    /// Why it is answered so, for the access log; where it is instead of a store's answer, whoever runs this is told too.
    func noteReason(of reply: Reply) {
        guard !reply.reason.isEmpty else { return }
        record.reason = reply.reason
        guard standsForStoresAnswer else { return }
        loop.logger.warning(
            "a store's answer was not passed on",
            metadata: [
                "backend": "\(record.backend ?? "")", "reason": "\(reply.reason)", "request": "\(record.requestID)",
            ]
        )
    }

    /// Whether what is answered now follows on what a store has said to this request.
    private var standsForStoresAnswer: Bool {
        if case .transferring = phase { return true }
        return exchange.answerHasBegun
    }

    /// Ends the connection in the middle of an answer, in such a way that the answer does not look whole.
    func cutAnswer() {
        answer.wasCut = true
        let endsWithConnection = answer.endsWithConnection
        endRecord()
        if endsWithConnection { reset() } else { close() }
    }

    /// An answer to something that is not a request: always the last one on its connection.
    func refuse(_ refusal: HTTPRefusal) {
        answer.keepAlive = false
        bodyIsRead = false
        record.reason = refusal.reason
        if answer.headIsWritten {
            cutAnswer()
        } else {
            send(ErrorAnswer.reply(to: refusal, requestID: record.requestID))
        }
    }

    /// An error as this client reads errors.
    func refusal(_ error: S3Error) -> Reply {
        guard let head else { return ErrorAnswer.reply(to: .malformedRequestLine, requestID: record.requestID) }
        let errors = ErrorAnswer(head, from: facts, under: snapshot, isOfRoute: answer.isOfRoute)
        return errors.reply(error, requestID: record.requestID)
    }

    // MARK: - Parts

    /// How much of a body will stand behind its head, as far as that is known.
    private static func joined(_ framing: BodyFraming) -> Int {
        if case .length(let length) = framing, length <= joinedBody { Int(length) } else { 0 }
    }

    /// The connection lasts if the client wants it and what is left of the request's body is worth reading.
    private func decideKeepAlive() {
        if loop.isDraining { answer.keepAlive = false }
        // An answer in place of the 100: nobody knows whether the body comes all the same or the next request does,
        // and some clients take it for the answer to their next request as well.
        if awaitsContinue {
            answer.keepAlive = false
            return
        }
        if bodyIsRead || exchange.requestIsSent { return }
        if case .length(let length) = head?.framing, length - record.bytesIn <= Self.discardLimit { return }
        answer.keepAlive = false
    }

    private func append(_ fields: FieldBlock, to bytes: inout ByteBuffer) {
        let fields = answer.crossOrigin?.added(to: fields) ?? fields
        if let lines = answer.caching.lines(beside: fields) {
            bytes.writeBytes(fields.bytes)
            bytes.writeStaticString(lines)
        } else {
            bytes.writeBytes(answer.caching.applied(to: fields).bytes)
        }
    }

    private func appendCommonFields(to bytes: inout ByteBuffer) {
        bytes.writeStaticString("x-amz-request-id: ")
        bytes.writeMultipleIntegers(record.requestID.high, record.requestID.low)
        bytes.writeStaticString("\r\n")
        bytes.writeBytes(answer.hardening.isEmpty ? snapshot.server.hardening : answer.hardening)
        if !answer.keepAlive {
            bytes.writeStaticString("connection: close\r\n")
        } else if !answer.clientTakesChunks {
            bytes.writeStaticString("connection: keep-alive\r\n")
        }
        bytes.writeStaticString("\r\n")
    }

    private func write(_ bytes: ByteBuffer) {
        guard let context else { return }
        context.write(wrapOutboundOut(bytes), promise: nil)
    }

    private func completeAnswer() {
        // Before the last bytes go out: whoever has them may ask again at once, on whatever connection.
        giveBack()
        if let context { loop.answers.add(context) }
        endRecord()
        exchange = Exchange()
        if !answer.keepAlive {
            linger()
        } else if bodyIsRead {
            readyForNext()
        } else {
            phase = .discarding
            extendDeadline(loop.waits.bodyIdle)
        }
        advance()
    }

    /// Ends the connection without taking back what was just said: it closes once everything is written. Where the client
    /// may still be sending, only our side is closed at first and what comes is dropped for a moment; closing at once
    /// would answer its bytes with a reset that can overtake the answer.
    func linger() {
        guard let context else { return }
        phase = .lingering
        inbox.clear()
        extendDeadline(loop.waits.bodyIdle)
        let mayStillSend = !bodyIsRead
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
        written.futureResult.assumeIsolated().whenComplete { _ in
            guard mayStillSend else { return self.close() }
            self.extendDeadline(.seconds(2))
            context.close(mode: .output, promise: nil)
            self.resumeReading()
        }
    }
}
