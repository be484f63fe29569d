import Identity
package import Journal
package import Pipeline
package import S3API
package import Valet
package import WireFormats

/// Writes down what is issued before it is answered, and what is refused: who, what, until when, from where.
package struct IssueLog: Sendable {
    private let auditLog: AuditLog?
    private let grants: (any GrantStore)?

    /// - Parameters:
    ///   - auditLog: nil: none is kept.
    ///   - grants: where it is kept what was handed out on their account; nil: there are none.
    package init(_ auditLog: AuditLog?, grants: (any GrantStore)? = nil) {
        self.auditLog = auditLog
        self.grants = grants
    }

    /// Returns once the lines are in the log.
    ///
    /// - Throws: `ServiceUnavailable` where they can't be written, and the configuration wants nothing done then.
    package func record(_ entries: [Entry], of request: APIRequest) async throws(APIFailure) {
        for url in entries.flatMap(\.onGrants) {
            do {
                try await grants?.remember(OutstandingURL(url))
            } catch {
                throw APIFailure(error)
            }
        }
        guard let auditLog, !entries.isEmpty else { return }
        for entry in entries {
            auditLog.record(
                AuditedAction(
                    at: request.now,
                    principal: request.caller.principal,
                    source: request.call.source,
                    action: entry.action,
                    bucket: entry.bucket?.string,
                    key: entry.key,
                    verdict: entry.issued == nil ? .denied : .allowed,
                    reason: entry.reason,
                    issued: entry.issued,
                    validUntil: entry.validUntil,
                    requestID: request.call.requestID
                )
            )
        }
        await auditLog.flush()
        guard auditLog.isHealthy || !request.caller.snapshot.server.requiresAudit else {
            throw APIFailure(.serviceUnavailable, retryAfter: 1, reason: "audit_unavailable")
        }
    }

    /// One line: something that was issued, or refused.
    package struct Entry: Sendable {
        let action: StaticString
        let bucket: BucketName?
        let key: [UInt8]?
        let reason: String
        let issued: IssuedArtefact?
        let validUntil: Instant?
        /// What taking grants back would not end.
        let onGrants: [URLOnGrant]

        /// - Parameters:
        ///   - action: `sign_url`, `issue_upload`: of a closed list.
        ///   - key: a key, or the prefix of keys.
        ///   - reason: the rule that allowed it.
        package static func issued(
            _ artefact: IssuedArtefact,
            by action: StaticString,
            bucket: BucketName?,
            key: [UInt8]?,
            reason: String,
            until validUntil: Instant?,
            onGrants: [URLOnGrant] = []
        ) -> Entry {
            Entry(
                action: action,
                bucket: bucket,
                key: key,
                reason: reason,
                issued: artefact,
                validUntil: validUntil,
                onGrants: onGrants
            )
        }

        package static func refused(
            _ action: StaticString,
            bucket: BucketName?,
            key: [UInt8]?,
            reason: String
        ) -> Entry {
            Entry(action: action, bucket: bucket, key: key, reason: reason, issued: nil, validUntil: nil, onGrants: [])
        }
    }
}
