import HTTP1
import Identity
import Journal
import Pipeline
import S3API
import Valet
import WireFormats

extension GrantAPI {
    /// Rows that one call looks at; more where somebody else gave most of them.
    private static let batch = 500
    private static let batches = 20

    var list: APIOperation {
        APIOperation(
            "listGrants",
            .get,
            "grants",
            summary: "Lists grants: those that the caller gave or holds; for admins, all.",
            description: "To a session with a policy, those whose actions that permits; it is never an admin's.",
            parameters: [
                APIParameter("bucket", in: .query, JSONText(1...255), .optional),
                APIParameter("subject", in: .query, JSONText(1...1024), .optional, "`link` for links."),
                APIParameter("after", in: .query, JSONText(32...32, .hexadecimal(digits: 32)), .optional),
            ],
            outcomes: [
                APIOutcome(
                    200,
                    "Grants, in the order of their ids.",
                    .object([
                        JSONMember("grants", .array(of: Self.shape, count: 0...Self.batch)),
                        JSONMember(
                            "next",
                            .text(JSONText(32...32, .hexadecimal(digits: 32))),
                            .optional,
                            "There may be more: `after` for the next call."
                        ),
                    ])
                )
            ],
            failures: [APIFailure.Code(.invalidBucketName)]
        ) { request async throws(APIFailure) in
            try await list(request)
        }
    }

    var revoke: APIOperation {
        APIOperation(
            "revokeGrant",
            .delete,
            "grants/{id}",
            summary: "Takes a grant back: requests that begin from now on are refused.",
            description: """
                By who gave it, or an admin; of a session with a policy, where that permits to give it. URLs of stores that were signed on its account can't be taken back: the answer \
                says which there are and when the last one ends.
                """,
            parameters: [APIParameter("id", in: .path, JSONText(32...32, .hexadecimal(digits: 32)))],
            outcomes: [
                APIOutcome(
                    200,
                    "It is taken back.",
                    .object([
                        JSONMember("id", .text(JSONText(32...32, .hexadecimal(digits: 32)))),
                        JSONMember("revoked_at", .instant),
                        JSONMember("outstanding_urls", .array(of: Self.url, count: 0...OutstandingURL.most)),
                        JSONMember("last_expires_at", .instant, .optional),
                    ])
                )
            ]
        ) { request async throws(APIFailure) in
            try await revoke(request)
        }
    }

    private static let shape = JSONShape.object([
        JSONMember("id", .text(JSONText(32...32, .hexadecimal(digits: 32)))),
        JSONMember(
            "state",
            .text(oneOf: GrantState.allCases.map(\.rawValue)),
            .required,
            "`giver_…`: nobody stands for it, since the giver's rights were revoked, are blocked, or are none any more."
        ),
        JSONMember("subject", .text(1...1024)),
        JSONMember("bucket", .bucket),
        JSONMember("key", .key, .optional),
        JSONMember("prefix", .text(0...1024), .optional),
        JSONMember("actions", .array(of: .text(1...64), count: 0...64)),
        JSONMember("grantor", .text(1...4096)),
        JSONMember("note", .text(0...500), .optional),
        JSONMember("created_at", .instant),
        JSONMember("expires_at", .instant),
        JSONMember("revoked_at", .instant, .optional),
        JSONMember("max_uses", .integer(1...1_000_000_000), .optional),
        JSONMember("uses", .integer(0...Int64.max), .optional),
        JSONMember("source_cidr", .text(1...64), .optional),
    ])

    private static let url = JSONShape.object([
        JSONMember("method", .text(1...16)), JSONMember("bucket", .bucket), JSONMember("key", .key),
        JSONMember("expires_at", .instant),
    ])

    private func list(_ request: APIRequest) async throws(APIFailure) -> APIAnswer {
        var bucket: BucketName?
        if let text = request.parameters["bucket"] {
            guard let name = BucketName(validating: text) else {
                throw APIFailure(APIFailure.Code(.invalidBucketName))
            }
            bucket = name
        }
        var after = request.parameters["after"]
        var found: [StrictJSON] = []
        var isComplete = false
        for _ in 0..<Self.batches where found.isEmpty && !isComplete {
            let records = try await asked { [bucket, after] () async throws(StateError) in
                try await store.grants(
                    bucket: bucket,
                    subject: request.parameters["subject"],
                    after: after,
                    limit: Self.batch
                )
            }
            isComplete = records.count < Self.batch
            after = records.last?.grant.id ?? after
            found = records.filter { request.caller.maySee($0.grant) }.map {
                ListedGrant($0, at: request.now, request.caller.standing).json
            }
        }
        return APIAnswer(
            200,
            .object(of: [("grants", .array(found)), ("next", isComplete ? nil : after.map { .string($0) })])
        )
    }

    private func revoke(_ request: APIRequest) async throws(APIFailure) -> APIAnswer {
        let id = request.parameters["id"] ?? ""
        let record = try await asked { () async throws(StateError) in try await store.grant(id) }
        // What is somebody else's is as unknown as what nobody gave.
        guard let record, request.caller.mayRevoke(record.grant) else { throw APIFailure(.notFound) }
        let isOwn = request.caller.principal.isNamed(record.grant.grantor)
        guard let revoked = try await revoke(id, at: request.now) else { throw APIFailure(.notFound) }
        let entry = IssueLog.Entry.issued(
            IssuedArtefact(kind: "revocation", id: id),
            by: "revoke_grant",
            bucket: record.grant.bucket,
            key: record.grant.reach.bytes,
            reason: isOwn ? "grantor" : "admin",
            until: nil
        )
        try await log.record([entry], of: request)
        return APIAnswer(200, revoked)
    }

    /// Takes a grant back, here and at once; nil where there is none.
    func revoke(_ id: String, at now: Instant) async throws(APIFailure) -> StrictJSON? {
        try await asked { () async throws(StateError) in
            guard let revoked = try await store.revoke(id, at: now) else { return nil }
            try await keeper.refresh()
            return Self.answer(revoked.grant, try await store.outstanding(id, at: now, limit: OutstandingURL.most), now)
        }
    }

    private static func answer(_ grant: Grant, _ urls: [OutstandingURL], _ now: Instant) -> StrictJSON {
        .object(of: [
            ("id", .string(grant.id)),
            ("revoked_at", .instant(grant.revokedAt ?? now)),
            (
                "outstanding_urls",
                .array(
                    urls.map { url in
                        .object([
                            ("method", .string(url.method)), ("bucket", .string(url.bucket.string)),
                            ("key", .string(String(decoding: url.key.bytes, as: UTF8.self))),
                            ("expires_at", .instant(url.expiresAt)),
                        ])
                    }
                )
            ),
            ("last_expires_at", urls.first.map { .instant($0.expiresAt) }),
        ])
    }
}

extension Rights {
    func maySee(_ grant: Grant) -> Bool {
        mayRevoke(grant) || gaveOrHolds(grant) && permits(grant.actions, of: grant)
    }

    fileprivate func mayRevoke(_ grant: Grant) -> Bool {
        let isLink = if case .link = grant.subject { true } else { false }
        return isAdmin
            || principal.isNamed(grant.grantor) && permits(ActionSet(isLink ? .shareLink : .share), of: grant)
    }

    private func gaveOrHolds(_ grant: Grant) -> Bool {
        if principal.isNamed(grant.grantor) { return true }
        guard case .principal(let subject) = grant.subject else { return false }
        return principal.isNamed(subject)
    }

    /// Whether nothing that narrows the caller's session stands against it.
    private func permits(_ actions: ActionSet, of grant: Grant) -> Bool {
        grant.reach.places(of: actions, in: grant.bucket, nobodys: grant.id).allSatisfy {
            sessionPermits($0.0, at: $0.1)
        }
    }
}
