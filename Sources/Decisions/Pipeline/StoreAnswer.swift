import Backends
import HTTP1
import S3API

/// Makes the client's answer of a store's, asking the store again where that takes several exchanges.
struct StoreAnswer: Sendable {
    private let admitted: Admitted
    private let asking: Asking
    private let upstream: Upstream
    /// Of the exchanges that follow.
    private let replay: Replay
    /// What goes with the one that carries the client's body.
    private let carried: ForwardedBody
    /// What becomes of a document that was read whole; nil: the answer as it is.
    private let finish: (@Sendable (_ document: [UInt8]) -> Plan)?

    init(
        _ admitted: Admitted,
        _ asking: Asking,
        _ upstream: Upstream,
        replay: Replay = .allowed,
        carrying carried: ForwardedBody = .none,
        finish: (@Sendable ([UInt8]) -> Plan)? = nil
    ) {
        self.admitted = admitted
        self.asking = asking
        self.upstream = upstream
        self.replay = replay
        self.carried = carried
        self.finish = finish
    }

    func answer(_ told: S3Answer) -> Answer {
        switch told {
        case .stream(let status, let fields):
            return .stream(status: status, fields: fields)
        case .collect(let limit, let then):
            return .collect(limit: limit) { body in complete(then(body)) }
        case .failure(let failure, let fields):
            return .reply(reply(to: failure, fields))
        }
    }

    private func complete(_ answer: S3CompleteAnswer) -> Plan {
        switch answer {
        case .document(let status, let fields, let body):
            if let finish { return finish(body) }
            return .reply(Reply(status: status, fields: fields, body: body))
        case .failure(let failure, let fields):
            return .reply(reply(to: failure, fields))
        case .ask(let next):
            return .forward(
                Forward(
                    admitted: admitted,
                    upstream: upstream,
                    exchange: next,
                    carrying: carried,
                    replay: replay,
                    answer: { self.answer($0) }
                )
            )
        }
    }

    /// What an answer that was read whole means to a copy, whose own answer is another document. A refusal keeps none of
    /// the store's fields: they are about one of two objects.
    func read(_ told: S3Answer, _ body: [UInt8]) -> CopyEnds.Said {
        switch told {
        case .stream(_, let fields):
            return .success(fields, body)
        case .collect(_, let then):
            switch then(body) {
            case .document(_, let fields, let body): return .success(fields, body)
            case .failure(let failure, _): return .refusal(refusal(failure))
            case .ask(let next): return .ask(next)
            }
        case .failure(let failure, _):
            return .refusal(refusal(failure))
        }
    }

    private func refusal(_ failure: StoreFailure) -> Reply {
        var reply = reply(to: failure, FieldBlock())
        reply.document =
            asking.errors.asDocument.reply(
                code: failure.code,
                message: failure.message,
                status: failure.status,
                retryAfter: nil,
                requestID: asking.requestID
            ).body
        return reply
    }

    private func reply(to failure: StoreFailure, _ fields: FieldBlock) -> Reply {
        var reply = asking.errors.reply(
            code: failure.code,
            message: failure.message,
            status: failure.status,
            retryAfter: failure.retryAfter,
            details: failure.details,
            requestID: asking.requestID
        )
        for entry in fields.entries where reply.fields.entries.allSatisfy({ !same($0, reply.fields, entry, fields) }) {
            reply.fields.append(fields.name(entry), fields.value(entry))
        }
        switch failure.cause {
        case .request: break
        case .credential:
            admitted.credentialWasRefused(asking)
            reply.reason = "the store refused our credential: \(failure.storeCode ?? "status \(failure.status)")"
        case .redirect(let region):
            reply.reason = "the store redirects: the region or endpoint is wrong" + (region.map { " (\($0))" } ?? "")
        case .store:
            reply.reason = "the store failed: \(failure.storeCode ?? "status \(failure.status)")"
        }
        return reply
    }

    private func same(
        _ one: FieldBlock.Entry,
        _ ones: FieldBlock,
        _ other: FieldBlock.Entry,
        _ others: FieldBlock
    ) -> Bool {
        ones.name(one).elementsEqual(others.name(other))
    }
}
