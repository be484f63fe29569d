import Admission
import HTTPTypes
import Hummingbird
import Identity
import Journal
import Pipeline
import S3API
import Valet
import WireFormats

/// Grants and links at the admin listener: the way to give one, all there are, and the way to take any of them back.
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
                        ("grants", .array(found.grants.map(\.json))), ("next", found.next.map { .string($0) }),
                    ]).text,
                    type: "application/json"
                )
            }
        }
        router.post("/api/grants") { request, context in
            let body = try await request.body.collect(upTo: AdminGate.maximumBody)
            return await given(Array(body.readableBytesView), context, grants)
        }
        router.delete("/api/grants/{id}") { _, context in
            try await taken(context, grants) { AdminReply.bytes($0.text, type: "application/json") }
        }
        router.get("/grants") { request, context in
            try await shown(request, grants) { found in
                AdminReply.html(pages.grants(found, caller: context.caller))
            }
        }
        router.post("/grants/{id}/revoke") { _, context in
            try await taken(context, grants) { _ in AdminReply.seeOther("/grants") }
        }
    }

    private func given(_ document: [UInt8], _ context: AdminContext, _ grants: GrantAPI) async -> Response {
        let basis = sources.explainBasis()
        do throws(APIFailure) {
            let order = try GrantOrder(document, by: context.caller, under: basis.snapshot)
            // What is misspelt would be given in vain.
            if let subject = order.subject, !basis.snapshot.knows(subject) {
                throw APIFailure(.notFound, "The configuration has no \(subject).")
            }
            let revocations = sources.revocations.current
            guard !revocations.blocks(.principal(order.grantor)) else {
                throw APIFailure(
                    .accessDenied,
                    """
                    \(order.grantor) is blocked and can give nothing. 'gatehouse revoke user \(order.grantor) --unblock' \
                    lifts that.
                    """,
                    reason: "revoked"
                )
            }
            let call = APICall(
                onAccountOf: order.grantor,
                ["grants"],
                order.body,
                from: context.source,
                under: basis.snapshot,
                revocations: revocations,
                authorizer: basis.authorizer,
                at: sources.now(),
                requestID: RequestID(random: UInt64.random(in: .min ... .max))
            )
            guard let call else {
                throw APIFailure(
                    .invalidArgument,
                    "The configuration has no user and no usable access key \(order.grantor)."
                )
            }
            let answer = try await given(call, by: order.grantor, grants)
            guard case .object(let members)? = answer.body else { throw APIFailure(APIFailure.Code(.internalError)) }
            let grantor: [(name: String, value: StrictJSON)] = [("grantor", .string(order.grantor.description))]
            return AdminReply.bytes(
                StrictJSON.object(members + grantor).text,
                type: "application/json",
                status: HTTPResponse.Status(code: answer.status)
            )
        } catch {
            return AdminReply.refusal(error)
        }
    }

    /// An operator is told what a caller of the API is not: why whoever they name may not give that.
    private func given(
        _ call: APICall,
        by grantor: Principal,
        _ grants: GrantAPI
    ) async throws(APIFailure) -> APIAnswer {
        do throws(APIFailure) {
            return try await grants.given(call)
        } catch {
            guard error.code == .accessDenied, !error.reason.isEmpty else { throw error }
            throw APIFailure(.accessDenied, "Access Denied: \(grantor) may not give this: \(error.reason)")
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
            let (now, snapshot) = (sources.now(), sources.explainBasis().snapshot)
            let revocations = sources.revocations.current
            let shown = records.prefix(Self.page).map { record in
                ListedGrant(record, at: now) { snapshot.standing(of: $0, since: $1, revocations, at: now) }
            }
            return reply(
                GrantPage(
                    grants: shown,
                    next: records.count > shown.count ? shown.last?.record.grant.id : nil,
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
    let grants: [ListedGrant]
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
