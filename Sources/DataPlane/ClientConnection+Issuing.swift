import Journal
import Pipeline
import S3API

extension ClientConnection {
    /// Makes what is to be handed out, has it written down, and only then answers.
    func hand(out issue: Issuance) {
        switch issue.make(loop.randomBytes(issue.randomBytes)) {
        case .refused(let reply, let reason):
            record.reason = reason
            record.verdict = .denied
            loop.journal.decided(record)
            send(reply)
        case .issued(let issued, let reply):
            let action = AuditedAction(
                at: record.startedAt,
                principal: issued.principal ?? record.principal,
                source: String(decoding: record.clientAddress, as: UTF8.self),
                action: issued.kind == .url ? "sign_url" : "issue_session",
                bucket: issued.bucket?.string,
                key: issued.key?.bytes,
                verdict: .allowed,
                reason: issued.reason,
                issued: IssuedArtefact(kind: issued.kind == .url ? "url" : "session", id: issued.id),
                validUntil: issued.expiresAt,
                requestID: record.requestID
            )
            let written = loop.journal.issued(action)
            guard written != nil || issued.remember != nil else { return send(reply) }
            let mustBeWritten = snapshot.server.requiresAudit
            wait { @Sendable in
                if let remember = issued.remember, await !remember() { return .reply(issue.unrecorded) }
                let isWritten = await written?() ?? true
                return isWritten || !mustBeWritten ? .reply(reply) : .reply(issue.unrecorded)
            }
        }
    }
}
