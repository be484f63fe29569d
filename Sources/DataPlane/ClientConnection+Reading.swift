import HTTP1
import Journal
import NIOCore
import Pipeline
import S3API

extension ClientConnection {
    /// How long somebody outside of the loop may take to answer; whoever is asked has a shorter limit of its own.
    private static let longestWait = TimeAmount.seconds(30)

    // MARK: - Somebody's answer

    func wait(for make: @escaping @Sendable () async -> Plan) {
        extendDeadline(Self.longestWait)
        let connection = NIOLoopBound(self, eventLoop: loop.eventLoop)
        let eventLoop = loop.eventLoop
        waitCount += 1
        let id = waitCount
        let task = Task {
            let plan = await make()
            eventLoop.execute { connection.value.waitEnded(id, with: plan) }
        }
        phase = .waiting(task, id: id)
    }

    /// What was waited for is here, unless the request has ended meanwhile.
    private func waitEnded(_ id: Int, with plan: Plan) {
        guard case .waiting(_, id) = phase else { return }
        phase = .connecting
        perform(plan)
        advance()
    }

    // MARK: - The client's body

    func collect(limit: Int, then: @Sendable ([UInt8]) -> Plan) -> Bool {
        if bodyIsRead {
            let body = collected
            collected = []
            perform(then(body))
            return true
        }
        switch decoder.next(&inbox) {
        case .needMore:
            awaitHeldBody()
            return false
        case .bytes(let bytes):
            record.bytesIn += Int64(bytes.readableBytes)
            guard collected.count + bytes.readableBytes <= limit else {
                send(refusal(S3Error(.entityTooLarge)))
                return true
            }
            guard hold(bytes.readableBytes) else { return true }
            collected.append(contentsOf: bytes.readableBytesView)
            return true
        case .end:
            bodyIsRead = true
            return true
        case .refused(let refusal):
            refuse(refusal)
            return false
        }
    }

    /// Reads a form up to its file, a short one to its end, and decides what it asks for.
    func readForm(knowing findings: Findings) -> Bool {
        do throws(S3Error) {
            switch decoder.next(&inbox) {
            case .needMore:
                awaitHeldBody()
                return false
            case .bytes(let bytes):
                record.bytesIn += Int64(bytes.readableBytes)
                guard hold(bytes.readableBytes) else { return true }
                if let form = try formReader?.take(bytes) { decide(form, knowing: findings) }
            case .end:
                bodyIsRead = true
                if let form = try formReader?.finish() { decide(form, knowing: findings) }
            case .refused(let refusal):
                refuse(refusal)
                return false
            }
        } catch {
            formReader = nil
            record.reason = "the form is not well-formed: \(error.message)"
            send(refusal(error))
        }
        return true
    }

    func decide(_ form: PostForm, knowing findings: Findings) {
        formReader = nil
        guard let head else { return close() }
        // The file flows from here on, and its fields are few.
        if case .streamed = form.file { releaseHeld() }
        var findings = findings
        findings.form = form
        decide(head, knowing: findings)
    }

    func discard() -> Bool {
        switch decoder.next(&inbox) {
        case .needMore: return false
        case .bytes: return true
        case .end:
            bodyIsRead = true
            readyForNext()
            return true
        case .refused:
            close()
            return false
        }
    }

    /// The body may come: sent once, as soon as the request is allowed and there is somewhere for it to go.
    func continueIfExpected() {
        guard awaitsContinue, inbox.readableBytes == 0, let context else { return }
        answer.saidContinue = true
        context.writeAndFlush(wrapOutboundOut(loop.continueBytes), promise: nil)
    }

    /// Whether the client may be waiting for a 100; some do ahead of a body of length 0, too.
    var awaitsContinue: Bool {
        guard let head, head.expectsContinue, !answer.saidContinue else { return false }
        return !bodyIsRead || head.framing == .length(0)
    }
}
