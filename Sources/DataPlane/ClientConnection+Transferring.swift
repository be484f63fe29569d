import HTTP1
import Journal
import NIOCore
import Pipeline

extension ClientConnection {
    /// Begins a copy between stores; this connection waits for its answer.
    func transfer(_ transfer: Transfer) {
        let run = TransferRun(transfer, for: self)
        phase = .transferring(run)
        deadline = .distantFuture
        record.backend = transfer.backend
        run.start()
    }

    /// A copy takes long: the client is told 200 and then kept awake with white space, which XML allows before a
    /// document's element. An error then comes inside of the body, as S3 does it (S3 API reference, CopyObject).
    func giveSignOfLife() {
        guard case .transferring = phase else { return }
        if !answer.headIsWritten { beginLongAnswer() }
        writeAnswerBody(loop.whiteSpace)
        flushAnswer()
    }

    func transferEnded(with reply: Reply) {
        guard case .transferring = phase else { return }
        if answer.headIsWritten {
            finishLongAnswer(reply)
        } else {
            send(reply)
        }
        advance()
    }

    private func finishLongAnswer(_ reply: Reply) {
        noteReason(of: reply)
        if reply.status >= 400, record.reason.isEmpty { record.reason = "told inside of a 200: \(reply.status)" }
        var bytes = loop.buffer(capacity: reply.body.count)
        bytes.writeBytes(reply.bodyWithin)
        writeAnswerBody(bytes)
        finishAnswer()
    }
}
