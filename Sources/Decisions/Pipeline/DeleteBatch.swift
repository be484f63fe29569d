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

    init(_ body: [UInt8], _ admitted: Admitted, _ asking: Asking) throws(Refusal) {
        let document: DeleteRequest
        do {
            document = try DeleteRequest(parsing: body, rules: asking.snapshot.server.keyRules)
        } catch {
            throw .request(error)
        }
        self.admitted = admitted
        self.asking = asking
        quiet = document.quiet
        var (allowed, refused): ([DeleteRequest.Entry], [DeleteRequest.Entry]) = ([], [])
        for entry in document.entries {
            if try admitted.mayDelete(entry, asking) { allowed.append(entry) } else { refused.append(entry) }
        }
        (self.allowed, self.refused) = (allowed, refused)
    }

    private init(_ batch: DeleteBatch, without vetoed: Set<Int>) {
        admitted = batch.admitted
        asking = batch.asking
        quiet = batch.quiet
        allowed = batch.allowed.indices.filter { !vetoed.contains($0) }.map { batch.allowed[$0] }
        refused = batch.refused + vetoed.sorted().map { batch.allowed[$0] }
    }

    /// The application is asked once for all keys that everything else allows.
    func plan(_ bucket: Bucket, _ planner: Planner) throws(Refusal) -> Plan {
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
        let answer = StoreAnswer(admitted, asking, bucket.upstream) { document in
            .reply(reply(DeleteResult(parsing: document) ?? DeleteResult()))
        }
        return .forward(
            try planner.forward(
                to: bucket,
                outgoing: .deletion(allowed),
                isConditional: allowed.contains { !$0.conditions.isEmpty },
                answer: { answer.answer($0) }
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
