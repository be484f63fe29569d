import HTTPTypes
import Hummingbird
import Journal
import S3API
import Valet
import WireFormats

/// Grants and links at the admin listener: all there are, and the way to take any of them back.
struct GrantRoutes: Sendable {
    let sources: AdminSources
    let pages: ConsolePages

    /// Rows of one page.
    static let page = 100

    func add(to router: Router<AdminContext>) {
        guard let grants = sources.grants else { return }
        router.get("/api/grants") { request, _ in
            try await shown(request, grants) { found in
                AdminReply.bytes(
                    StrictJSON.object(of: [
                        ("grants", .array(found.records.map(\.json))), ("next", found.next.map { .string($0) }),
                    ]).text,
                    type: "application/json"
                )
            }
        }
        router.delete("/api/grants/{id}") { _, context in
            try await taken(context, grants) { AdminReply.bytes($0.text, type: "application/json") }
        }
        router.get("/grants") { request, context in
            try await shown(request, grants) { found in
                AdminReply.html(pages.grants(found, at: sources.now(), caller: context.caller))
            }
        }
        router.post("/grants/{id}/revoke") { _, context in
            try await taken(context, grants) { _ in AdminReply.seeOther("/grants") }
        }
    }

    private func shown(
        _ request: Request,
        _ grants: GrantAPI,
        _ reply: (GrantPage) -> Response
    ) async throws -> Response {
        func text(_ name: String) -> String? {
            request.uri.queryParameters[name[...]].map { String($0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        var bucket: BucketName?
        if let name = text("bucket") {
            guard let valid = BucketName(validating: name) else {
                return AdminReply.refusal(.badRequest, "InvalidBucketName", "No bucket has such a name.")
            }
            bucket = valid
        }
        do throws(APIFailure) {
            let records = try await grants.asked { [bucket] () async throws(StateError) in
                try await grants.store.grants(
                    bucket: bucket,
                    subject: text("subject"),
                    after: text("after"),
                    limit: Self.page + 1
                )
            }
            let shown = Array(records.prefix(Self.page))
            return reply(
                GrantPage(
                    records: shown,
                    next: records.count > shown.count ? shown.last?.grant.id : nil,
                    bucket: text("bucket") ?? "",
                    subject: text("subject") ?? ""
                )
            )
        } catch {
            return AdminReply.refusal(error)
        }
    }

    /// Takes the grant back that the path names, and writes down who did.
    private func taken(
        _ context: AdminContext,
        _ grants: GrantAPI,
        _ reply: (StrictJSON) -> Response
    ) async throws -> Response {
        do throws(APIFailure) {
            let id = context.parameters.get("id") ?? ""
            let record = try await grants.asked { () async throws(StateError) in try await grants.store.grant(id) }
            let now = sources.now()
            guard let grant = record?.grant, let answer = try await grants.revoke(id, at: now) else {
                throw APIFailure(.notFound)
            }
            sources.auditLog?.record(
                AuditedAction(
                    at: now,
                    principal: context.caller?.principal,
                    source: context.source,
                    action: "revoke_grant",
                    bucket: grant.bucket.string,
                    key: grant.reach.bytes,
                    verdict: .allowed,
                    reason: "admin",
                    issued: IssuedArtefact(kind: "revocation", id: id)
                )
            )
            await sources.auditLog?.flush()
            return reply(answer)
        } catch {
            return AdminReply.refusal(error)
        }
    }
}

/// Some of the grants, in the order of their ids.
struct GrantPage: Sendable {
    let records: [GrantRecord]
    /// Where the next page begins; nil: there is none.
    let next: String?
    /// What was looked for; empty: everything.
    let bucket: String
    let subject: String
}

extension AdminReply {
    fileprivate static func refusal(_ failure: APIFailure) -> Response {
        refusal(HTTPResponse.Status(code: failure.code.status), failure.code.name, failure.message)
    }
}
