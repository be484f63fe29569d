import Backends
import HTTP1
import S3API

/// DeleteObjects: decided key by key. What may be deleted goes to the store as a document of ours; what may not comes back
/// as that key's error, beside the store's own.
struct DeleteBatch: Sendable {
    private let admitted: Admitted
    private let asking: Asking
    private let quiet: Bool
    private let allowed: [DeleteRequest.Entry]
    private let refused: [DeleteRequest.Entry]

    /// So many keys hold an event loop, or whoever else decides, at a time; where the caller says what one of them costs, one.
    private static func slice(_ rights: BatchRights) -> Int { rights.costIsOfCaller ? 1 : 64 }

    private init(_ document: DeleteRequest, allowed: Set<Int>, _ admitted: Admitted, _ asking: Asking) {
        self.admitted = admitted
        self.asking = asking
        quiet = document.quiet
        let entries = document.entries
        self.allowed = entries.indices.filter { allowed.contains($0) }.map { entries[$0] }
        refused = entries.indices.filter { !allowed.contains($0) }.map { entries[$0] }
    }

    /// What becomes of the client's document: a few keys are decided at once, many in slices, elsewhere than on the event
    /// loop that others wait for.
    static func plan(
        _ body: [UInt8],
        _ admitted: Admitted,
        _ asking: Asking,
        _ bucket: Bucket,
        _ planner: Planner
    ) throws(Refusal) -> Plan {
        let document: DeleteRequest
        do {
            document = try DeleteRequest(parsing: body, rules: asking.snapshot.server.keyRules)
        } catch {
            throw .request(error)
        }
        let rights = admitted.deletions(asking)
        let entries = document.entries[...]
        let slice = Self.slice(rights)
        guard entries.count > slice else {
            let allowed = Set(try rights.permitted(entries))
            return try DeleteBatch(document, allowed: allowed, admitted, asking).plan(bucket, planner)
        }
        return .wait {
            var allowed: Set<Int> = []
            for start in stride(from: entries.startIndex, to: entries.endIndex, by: slice) {
                // The client is gone, or has waited too long: nobody hears this.
                guard !Task.isCancelled else { return .reply(asking.reply(S3Error(.serviceUnavailable))) }
                let part = entries[start..<min(start + slice, entries.endIndex)]
                do throws(Refusal) {
                    allowed.formUnion(try rights.permitted(part))
                } catch {
                    return .reply(asking.reply(error.error))
                }
                await Task.yield()
            }
            let batch = DeleteBatch(document, allowed: allowed, admitted, asking)
            return planner.replying { () throws(Refusal) in try batch.plan(bucket, planner) }
        }
    }

    private init(_ batch: DeleteBatch, without vetoed: Set<Int>) {
        admitted = batch.admitted
        asking = batch.asking
        quiet = batch.quiet
        allowed = batch.allowed.indices.filter { !vetoed.contains($0) }.map { batch.allowed[$0] }
        refused = batch.refused + vetoed.sorted().map { batch.allowed[$0] }
    }

    /// The application is asked once for all keys that everything else allows.
    private func plan(_ bucket: Bucket, _ planner: Planner) throws(Refusal) -> Plan {
        guard let settings = asking.snapshot.authorizer, !allowed.isEmpty else { return try send(bucket, planner) }
        let (question, owners) = admitted.applicationQuestion(deleting: allowed)
        return .wait { [asking] in
            let verdicts = await asking.authorizer.verdicts(on: question, under: asking.snapshot, at: asking.now)
            // Who got no answer is not allowed.
            var vetoed = Set(allowed.indices)
            if verdicts.count == owners.count {
                vetoed = Set(zip(owners, verdicts).filter { $1.denial(settings) != nil }.map { $0.0 })
            }
            let batch = DeleteBatch(self, without: vetoed)
            return planner.replying { () throws(Refusal) in try batch.send(bucket, planner) }
        }
    }

    private func send(_ bucket: Bucket, _ planner: Planner) throws(Refusal) -> Plan {
        guard !allowed.isEmpty else { return .reply(reply(DeleteResult())) }
        return .forward(
            try planner.forward(
                to: bucket,
                outgoing: .deletion(allowed),
                isConditional: allowed.contains { !$0.conditions.isEmpty },
                finish: { document in .reply(reply(DeleteResult(parsing: document) ?? DeleteResult())) }
            )
        )
    }

    private func reply(_ result: DeleteResult) -> Reply {
        var result = result
        if quiet { result.deleted = [] }
        result.failures += refused.map {
            DeleteResult.Failure(key: $0.key, versionID: $0.versionID, S3Error(.accessDenied))
        }
        return .xml(result.document())
    }
}

extension Reply {
    /// A document of S3's.
    static func xml(_ body: [UInt8]) -> Reply {
        var fields = FieldBlock(reservingBytes: 64, fields: 1)
        fields.append("content-type", "application/xml")
        return Reply(status: 200, fields: fields, body: body)
    }
}
