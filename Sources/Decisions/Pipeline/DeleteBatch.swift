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
        allowed = document.entries.filter { admitted.mayDelete($0, asking) }
        refused = document.entries.filter { !admitted.mayDelete($0, asking) }
    }

    func plan(_ bucket: Bucket, _ planner: Planner) throws(Refusal) -> Plan {
        guard !allowed.isEmpty else { return .reply(reply(DeleteResult())) }
        let body: [UInt8]
        do {
            body = try bucket.backend.deleteDocument(allowed)
        } catch {
            throw .request(error)
        }
        let answer = StoreAnswer(admitted, asking, bucket.backend) { document in
            .reply(reply(DeleteResult(parsing: document) ?? DeleteResult()))
        }
        return .forward(
            try planner.forward(
                to: bucket,
                outgoing: .rewritten(body),
                body: .bytes(body),
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
