import HTTP1
import Pipeline
import S3API
import Valet
import WireFormats

extension Uploads {
    var complete: APIOperation {
        APIOperation(
            "completeUpload",
            .post,
            "uploads/{id}/complete",
            summary: "Says that the bytes are there, which the store is asked about.",
            description: """
                Answered by what the store says: nothing new is there (`409`), something else than was promised (`422`, and \
                the slot is rejected), or the object. The same again once it has ended. `parts` of a multipart upload may \
                be left out: then all that the store has are put together.
                """,
            parameters: [Self.id],
            body: .object([
                JSONMember(
                    "parts",
                    .array(
                        of: .object([
                            JSONMember("number", .integer(1...10_000)), JSONMember("etag", .text(1...1024)),
                        ]),
                        count: 1...10_000
                    ),
                    .optional
                )
            ]),
            outcomes: [APIOutcome(200, "The slot, completed.", SlotView.shape)],
            failures: [
                .uploadNotFound, .uploadMismatch, .uploadEnded, .keyOccupied, APIFailure.Code(.invalidPart),
                APIFailure.Code(.invalidPartOrder), APIFailure.Code(.noSuchBucket), .keyTooLong, .proxyOnly,
            ] + APIFailure.Code.ofStores
        ) { request async throws(APIFailure) in
            let slot = try await own(request)
            // Who may not put it any more can't have it brought to its key either.
            if slot.state.isOpen {
                let operation: StaticString = "complete_upload"
                _ = try await permission(to: operation, slot.bucket, slot.key, if: slot.condition, request)
            }
            var given: [(number: Int, etag: String)]?
            if let objects = request.body.objects("parts") {
                given = objects.map { (Int($0.integer("number") ?? 0), $0.text("etag") ?? "") }
                for (one, next) in zip(given ?? [], (given ?? []).dropFirst()) where one.number >= next.number {
                    throw APIFailure(S3Error(.invalidPartOrder))
                }
            }
            let ended = try await slots.complete(
                slot.id,
                parts: .joined(given),
                for: .call(request.call),
                under: request.caller.snapshot
            )
            switch ended {
            case .unknown: throw APIFailure(.notFound)
            case .notThere(_, let bytes):
                guard let bytes else { throw APIFailure(.uploadNotFound) }
                throw APIFailure(.uploadNotFound, "\(bytes) of \(slot.size) bytes are there.")
            case .ended(let slot): return try Self.ended(slot)
            }
        }
    }

    private static func ended(_ slot: UploadSlot) throws(APIFailure) -> APIAnswer {
        switch (slot.state, slot.cause) {
        case (.completed, _): return APIAnswer(200, SlotView(slot: slot).json())
        case (.rejected, .occupied): throw APIFailure(.keyOccupied)
        case (.rejected, _):
            var failure = APIFailure(.uploadMismatch)
            failure.details = [("fields", .array(slot.differingFields.map { .string($0) }))]
            throw failure
        case (_, .revoked):
            throw APIFailure(.uploadEnded, "What this upload was issued on was revoked.")
        default: throw APIFailure(.uploadEnded, "This upload has \(slot.state.rawValue).")
        }
    }

    var remove: APIOperation {
        APIOperation(
            "deleteUpload",
            .delete,
            "uploads/{id}",
            summary: "Takes a slot back.",
            description: "A URL that was handed out stays good until it expires; what it puts is then nobody's.",
            parameters: [Self.id],
            outcomes: [APIOutcome(204, "It is taken back, now or before.")],
            failures: [.uploadEnded]
        ) { request async throws(APIFailure) in
            let slot = try await own(request)
            let ended = try await slots.close(slot.id, for: .call(request.call), under: request.caller.snapshot) {
                (slot, now) throws(SlotRefusal) in try slot.aborted(at: now)
            }
            guard let ended else { throw APIFailure(.notFound) }
            guard ended.state == .aborted else { throw APIFailure(.uploadEnded) }
            return APIAnswer(204)
        }
    }
}

extension UploadSlot {
    /// What of it differed from what was promised, as the request names it.
    fileprivate var differingFields: [String] {
        let causes: [Cause] = if case .mismatch(let causes) = judge(result) { causes } else { cause.map { [$0] } ?? [] }
        return causes.compactMap { cause in
            switch cause {
            case .sizeMismatch: "size"
            case .contentTypeMismatch: "content_type"
            case .checksumMismatch: "checksum_sha256"
            case .metadataMismatch: "metadata"
            case .timeout, .byIssuer, .revoked, .occupied: nil
            }
        }
    }
}
