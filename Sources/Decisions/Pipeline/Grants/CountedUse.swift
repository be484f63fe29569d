import HTTP1
import S3API
import WireFormats

/// The stage that takes a use of every grant that an admitted request rests on, before anything is carried.
struct CountedUse {
    let admitted: Admitted
    let asking: Asking
    let findings: Findings
    let counter: (any UseCounter)?

    /// The plan, once every use is taken; first one that takes them and decides again. There is something to count.
    func plan(_ make: () throws(Refusal) -> Plan) throws(Refusal) -> (plan: Plan, isFinal: Bool) {
        if let reason = findings.grants.unavailable { throw .uncounted(reason: reason) }
        if let ticket = findings.grants.ticket, admitted.countedGrants.allSatisfy({ ticket.grants[$0] != nil }) {
            return (charging(ticket, try make()), true)
        }
        guard let counter else { throw .uncounted(reason: "nobody counts uses") }
        let kind = self.kind
        return (
            .wait { [admitted, asking, findings] in
                .reconsider(await Self.take(admitted, kind, asking, findings, counter))
            },
            false
        )
    }

    private static func take(
        _ admitted: Admitted,
        _ kind: UseOfGrant,
        _ asking: Asking,
        _ findings: Findings,
        _ counter: any UseCounter
    ) async -> Findings {
        var found = findings
        var taken: [String: TakenUse] = [:]
        for grant in admitted.countedGrants where taken[grant] == nil {
            let use = await counter.take(grant, kind, from: asking.origin.client, at: asking.now)
            switch use {
            case .counted, .free: taken[grant] = use
            case .refused: found.grants.spent.insert(grant)
            case .unavailable(let reason): found.grants.unavailable = reason
            }
        }
        // Where not all could be taken, the ticket's end gives those back that were.
        let ticket = UseTicket(taken, of: counter, from: asking.origin.client, at: asking.now)
        if taken.count == admitted.countedGrants.count { found.grants.ticket = ticket }
        return found
    }

    /// Reading an object from its beginning is a use, looking at its head is none; whatever else is done is one.
    private var kind: UseOfGrant {
        switch admitted.request.operation {
        case .headObject: .looking
        case .getObject:
            Self.beginsLater(asking.head.fields) || Self.isLaterPart(admitted.request.query) ? .continuing : .fresh
        default: .fresh
        }
    }

    /// Whether a read asks for one range behind the first byte. What stores may not understand, and so answer with the
    /// whole object, does not.
    static func beginsLater(_ fields: FieldBlock) -> Bool {
        guard fields.count(of: "range") == 1, let value = fields.first("range"), value.starts(with: "bytes=".utf8)
        else {
            return false
        }
        let parts = value.dropFirst("bytes=".utf8.count)
            .split(separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[0].count < 19, (parts[0] + parts[1]).allSatisfy(isDigit) else {
            return false
        }
        return parts[0].contains { $0 != UInt8(ascii: "0") }
    }

    /// Whether a read asks for another part than the first of what was uploaded in parts.
    private static func isLaterPart(_ query: Query) -> Bool {
        guard !query.isEmpty, query.count(of: "partNumber") == 1, let number = query.first("partNumber") else {
            return false
        }
        return number.count < 6 && Int(String(decoding: number, as: UTF8.self)).map { $0 > 1 } ?? false
    }

    /// A read is a use once its store begins to give something of the object, wherever that lies in it: a use that was
    /// taken for it is kept. Everything else is one when it is sent.
    private func charging(_ ticket: UseTicket, _ plan: Plan) -> Plan {
        guard case .forward(let forward) = plan, admitted.request.operation == .getObject else {
            ticket.keep()
            return plan
        }
        return .forward(forward.seen(through: ChargedAnswer(ticket: ticket, asking: asking)))
    }
}

/// A read's answer that costs a use of a grant, once it gives something.
private struct ChargedAnswer: AnswerView {
    let ticket: UseTicket
    let asking: Asking

    func carried(_ status: Int, _ fields: FieldBlock, of head: ResponseHead) -> Answer {
        guard status == 200 || status == 206 else { return .stream(status: status, fields: fields) }
        if ticket.isFree, isFromBeginning(head) {
            // It was to be a later part, and is not: that is a use, and none was taken.
            var reply = asking.reply(S3Error(.accessDenied))
            reply.reason = "the store answered from the beginning"
            return .reply(reply)
        }
        ticket.keep()
        return .stream(status: status, fields: fields)
    }

    private func isFromBeginning(_ head: ResponseHead) -> Bool {
        guard head.status == 206, let range = head.fields.first("content-range") else { return true }
        // `bytes 5-9/10`
        let first = range.drop { !isDigit($0) }.prefix(while: isDigit)
        return first.allSatisfy { $0 == UInt8(ascii: "0") }
    }
}

private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

extension Refusal {
    /// A use has to be counted and can't be.
    static func uncounted(reason: String) -> Refusal {
        Refusal(
            error: S3Error(.serviceUnavailable, retryAfter: 1),
            outcome: .denied,
            reason: "grants can't be counted: " + reason,
            failure: nil
        )
    }
}
