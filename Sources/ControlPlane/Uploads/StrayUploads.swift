import Identity
package import Journal
package import Logging
import S3API
import Synchronization
package import Valet
import WireFormats

/// Objects under keys whose slots were taken back, by their issuers or with what they were issued on, and that fit these.
///
/// A store takes what is sent to a URL that it signed for as long as that is good, whatever was revoked. Under the key
/// itself it stays: what fits may be somebody else's by now. So it is told: in the audit log, in the log, and by a count.
package final class StrayUploads: Sendable {
    private let auditLog: AuditLog?
    private let logger: Logger
    private let tally = Mutex<[UploadSlot.Cause: Int]>([:])

    /// - Parameter auditLog: nil: none is kept.
    package init(_ auditLog: AuditLog?, logger: Logger) {
        self.auditLog = auditLog
        self.logger = logger
    }

    /// How many were found since the start, by why their slots had ended.
    package var counts: [UploadSlot.Cause: Int] { tally.withLock { $0 } }

    func note(_ found: FoundObject, of slot: UploadSlot, at now: Instant) {
        guard let cause = slot.cause else { return }
        tally.withLock { $0[cause, default: 0] += 1 }
        let version = found.versionID.map { ", version \($0)" } ?? ""
        auditLog?.record(
            AuditedAction(
                at: now,
                principal: Principal(slot.issuer),
                source: "store",
                action: "stray_upload",
                bucket: slot.bucket.string,
                key: slot.key.bytes,
                verdict: .denied,
                reason: "\(cause.rawValue): what fits it is there, etag \(found.etag)\(version)",
                issued: IssuedArtefact(kind: "upload", id: slot.id)
            )
        )
        logger.warning(
            "what fits an upload slot is there, though it was taken back",
            metadata: [
                "slot": "\(slot.id)", "bucket": "\(slot.bucket.string)", "cause": "\(cause.rawValue)",
                "etag": "\(found.etag)",
            ]
        )
    }
}
