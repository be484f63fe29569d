import Admission
import HTTP1
import Identity
import Journal
import Pipeline
import S3API
package import Valet
import WireFormats

/// `/-/v1/uploads`: permission to put one object under one exact key, once, for minutes.
package struct Uploads: Sendable {
    let slots: Slots
    let log: IssueLog
    let creation: Creation

    /// - Parameter creations: where it is kept which of them were answered.
    package init(_ slots: Slots, _ log: IssueLog, creations: any IdempotencyStore) {
        self.slots = slots
        self.log = log
        creation = Creation(creations)
    }

    package var operations: [APIOperation] { [create, read, parts, complete, remove] }

    static let id = APIParameter("id", in: .path, JSONText(32...32, .hexadecimal(digits: 32)))

    private var read: APIOperation {
        APIOperation(
            "getUpload",
            .get,
            "uploads/{id}",
            summary: "A slot of one's own.",
            parameters: [Self.id],
            outcomes: [APIOutcome(200, "The slot.", SlotView.shape)]
        ) { request async throws(APIFailure) in
            APIAnswer(200, SlotView(slot: try await own(request)).json())
        }
    }

    /// To whoever may not see it, it is not there.
    func own(_ request: APIRequest) async throws(APIFailure) -> UploadSlot {
        try await shown(request.parameters["id"] ?? "", to: request.caller)
    }

    func shown(_ id: String, to caller: Rights) async throws(APIFailure) -> UploadSlot {
        guard let slot = try await slots.slot(id), caller.maySee(slot) else { throw APIFailure(.notFound) }
        return slot
    }

    /// The caller's right to put an object.
    struct Permission {
        /// The rule that gives it.
        let reason: String
        /// The grants that it rests on.
        let grants: [String]
        /// What it ends with.
        let limits: [(cap: SignedURL.Cap, until: Instant)]
    }

    /// What the caller may, and the application agrees to.
    ///
    /// - Parameters:
    ///   - operation: for the log, where it is refused.
    ///   - condition: under which the object is made.
    func permission(
        to operation: StaticString,
        _ bucket: BucketName,
        _ key: ObjectKey,
        if condition: FieldBlock,
        _ request: APIRequest
    ) async throws(APIFailure) -> Permission {
        let caller = request.caller
        let question = Rights.Wish(ActionSet(.putObject), at: .object(bucket, key))
        let verdict = caller.verdict(on: question.actions, at: question.target, carrying: condition)
        guard !caller.needsAbsentState(for: verdict) else { throw .stateAway }
        let permission = verdict.isAllowed ? await caller.permissions(for: [question]).first : nil
        // A slot is used elsewhere, and looked at more than once: nobody takes a use of a grant for it.
        let isCounted = if case .allowed(.countedGrant) = verdict { true } else { false }
        if !isCounted, case .granted(let until)? = permission {
            let limits: [(cap: SignedURL.Cap, until: Instant?)] = [
                (.callerCredential, caller.credentialExpiresAt), (.authorizer, until),
                (.grant, caller.end(of: verdict)),
            ]
            return Permission(
                reason: verdict.reason,
                grants: verdict.grants,
                limits: limits.compactMap { limit in limit.until.map { (limit.cap, $0) } }
            )
        }
        var reason = verdict.reason
        var failure = isCounted ? APIFailure(.proxyOnly) : .denied(reason)
        if case .denied(let told)? = permission { (reason, failure) = (told, .denied(told)) }
        let entry = IssueLog.Entry.refused(operation, bucket: bucket, key: key.bytes, reason: reason)
        try await log.record([entry], of: request)
        throw failure
    }
}

extension Rights {
    /// Its issuer and admins; of sessions with a policy those whom that permits to put what it is for.
    fileprivate func maySee(_ slot: UploadSlot) -> Bool {
        isAdmin
            || principal.isNamed(slot.issuer)
                && sessionPermits(
                    ActionSet(.putObject),
                    at: .object(slot.bucket, slot.key),
                    carrying: slot.condition
                )
    }
}
