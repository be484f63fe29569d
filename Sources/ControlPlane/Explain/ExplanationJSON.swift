package import Pipeline
import S3API
package import WireFormats

extension Explanation {
    /// As `POST /api/explain` answers.
    package func json(_ captured: CapturedRequest) -> StrictJSON {
        .object(
            of: [
                ("understood", understood.json),
                ("signature", signature?.json),
                (
                    "caller",
                    .object(of: [("principal", caller.map { .string($0) }), ("credential", .string(credential))])
                ),
                (
                    "findings",
                    .array(
                        findings.map {
                            .object(of: [("code", .string($0.code.rawValue)), ("message", .string($0.message))])
                        }
                    )
                ),
                ("rules", .array(rules.map { .string($0) })),
                (
                    "decision",
                    .object(
                        of: [
                            ("outcome", .string(decision.outcome)),
                            ("status", decision.status.map { .integer(Int64($0)) }),
                            ("code", decision.errorCode.map { .string($0) }),
                            ("message", decision.errorMessage.map { .string($0) }),
                            ("reason", .string(decision.reason)),
                        ]
                    )
                ),
                ("assumptions", .array(captured.assumptions.map { .string($0) })),
            ]
        )
    }
}

extension Explanation.Understood {
    fileprivate var json: StrictJSON {
        .object(
            of: [
                ("kind", .string(kind.rawValue)),
                ("method", .string(method)),
                ("host", .string(host)),
                ("path", .string(path)),
                ("route", route.map { .string($0) }),
                ("secure", .bool(isSecure)),
                ("client_address", clientAddress.map { .string($0) }),
                ("addressing", style.map { .string($0 == .path ? "path" : "virtual_host") }),
                ("bucket", bucket.map { .string($0) }),
                ("bucket_configured", bucket.map { _ in .bool(bucketIsKnown) }),
                ("key", key.map { .string(String(decoding: $0, as: UTF8.self)) }),
                ("operation", operation.map { .string($0) }),
                ("actions", .array(actions.map { .string($0) })),
                ("copy_source", copySource.map { .string($0) }),
            ]
        )
    }
}

extension Explanation.Signature {
    fileprivate var json: StrictJSON {
        .object(
            of: [
                ("form", .string(form.rawValue)),
                ("verdict", .string(verdict.rawValue)),
                ("access_key_id", .string(accessKeyID)),
                ("region", region.map { .string($0) }),
                ("service", service.map { .string($0) }),
                ("signed_at", signedAt.map { .instant($0) }),
                ("expires_at", expiresAt.map { .instant($0) }),
                ("signed_headers", .array(signedHeaders.map { .string($0) })),
                ("payload", payload.map { .string($0) }),
                ("hosts_tried", .array(hosts.map { .string($0) })),
                ("canonical_request", canonicalRequest.map { .string($0) }),
                ("string_to_sign", stringToSign.map { .string($0) }),
                ("masked", .array(masked.map { .string($0) })),
            ]
        )
    }
}
