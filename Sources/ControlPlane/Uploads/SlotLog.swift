import Identity
package import Journal
import Pipeline
import S3API
import Valet
import WireFormats

/// Who has a slot looked at or ended.
enum SlotCaller: Sendable {
    /// Whoever called the API.
    case call(APICall)
    /// A store that told of an object.
    case store
    /// Nobody: its time was over.
    case reaper
}

/// Writes down how each slot ended: Gatehouse itself puts an object under a key there, or takes bytes away.
package struct SlotLog: Sendable {
    private let auditLog: AuditLog?

    /// - Parameter auditLog: nil: none is kept.
    package init(_ auditLog: AuditLog?) { self.auditLog = auditLog }

    /// - Throws: `ServiceUnavailable` where lines can't be written, and the configuration wants nothing done then.
    func requireWritable(under snapshot: Snapshot) throws(APIFailure) {
        guard auditLog?.isHealthy ?? true || !snapshot.server.requiresAudit else {
            throw APIFailure(.serviceUnavailable, retryAfter: 1, reason: "audit_unavailable")
        }
    }

    /// One line for a slot that has just ended; none for one that goes on. Returns once the line of a call is in the log.
    func record(_ slot: UploadSlot, by caller: SlotCaller, at now: Instant) async {
        guard let auditLog, let action = Self.action(of: slot, by: caller, at: now) else { return }
        auditLog.record(action)
        if case .call = caller { await auditLog.flush() }
    }

    private static func action(of slot: UploadSlot, by caller: SlotCaller, at now: Instant) -> AuditedAction? {
        func line(action: StaticString, _ verdict: RecordedVerdict) -> AuditedAction {
            let (principal, source, request) = asked(of: slot, by: caller)
            return AuditedAction(
                at: now,
                principal: principal,
                source: source,
                action: action,
                bucket: slot.bucket.string,
                key: slot.key.bytes,
                verdict: verdict,
                reason: reason(of: slot),
                issued: IssuedArtefact(kind: "upload", id: slot.id),
                requestID: request
            )
        }
        return switch (slot.state, slot.cause) {
        case (.issued, _), (.started, _): nil
        case (.completed, _): line(action: "complete_upload", .allowed)
        case (.rejected, _): line(action: "reject_upload", .denied)
        case (.aborted, .byIssuer): line(action: "abort_upload", .allowed)
        case (.aborted, _): line(action: "abort_upload", .denied)
        case (.expired, _): line(action: "expire_upload", .denied)
        }
    }

    /// Where no request asked for it, it was done on account of whoever has the slot.
    private static func asked(
        of slot: UploadSlot,
        by caller: SlotCaller
    ) -> (principal: Principal?, source: String, request: RequestID?) {
        switch caller {
        case .call(let call): (call.caller.principal, call.source, call.requestID)
        case .store: (Principal(slot.issuer), "store", nil)
        case .reaper: (Principal(slot.issuer), "reaper", nil)
        }
    }

    /// As in `revoked`, `size_mismatch; etag "…"`, `etag "…", version …`.
    private static func reason(of slot: UploadSlot) -> String {
        let found = slot.result.map { found in
            "etag \(found.etag)" + (found.versionID.map { ", version \($0)" } ?? "")
        }
        return [slot.cause?.rawValue, found].compactMap { $0 }.joined(separator: "; ")
    }
}
