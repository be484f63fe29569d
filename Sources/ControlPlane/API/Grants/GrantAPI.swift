import Admission
import Backends
import Crypto
import HTTP1
import Identity
import Journal
import Pipeline
import S3API
package import Valet
import WireFormats

/// `/-/v1/grants`: what somebody may do, given to somebody else or to whoever has a link, and taken back.
package struct GrantAPI: Sendable {
    static let limits = GrantLimits(together: 100_000, ofOneGiver: 10_000, forOneKey: 16, prefixes: 100)

    let store: any GrantStore
    let keeper: GrantKeeper
    private let creation: Creation
    let log: IssueLog
    /// So many unpredictable bytes.
    private let random: @Sendable (Int) -> [UInt8]

    package init(
        _ store: any GrantStore & IdempotencyStore,
        keeper: GrantKeeper,
        log: IssueLog,
        random: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.store = store
        self.keeper = keeper
        creation = Creation(store)
        self.log = log
        self.random = random
    }

    package var operations: [APIOperation] { [create, list, revoke] }

    /// Gives what somebody orders who is no caller of the API.
    func given(_ call: APICall) async throws(APIFailure) -> APIAnswer {
        try await create.perform(try APIRequest(call, create, path: [:]))
    }

    private var create: APIOperation {
        let limits = Self.limits
        return APIOperation(
            "createGrant",
            .post,
            "grants",
            summary: "Gives somebody else, or whoever has a link, a part of what the caller may do.",
            description: """
                Needs the actions themselves and `share`, or `share_link` for a link, on all of it; what the caller may do is \
                asked again whenever the grant is used. Either `key` or `prefix` says where; an empty prefix is the whole \
                bucket. What somebody was given they can't give on. Links are for `get_object` and `head_object` alone; \
                their address is in this answer and kept nowhere, so that a repeated creation is answered without it. Grants \
                that are given with a token end when the identity provider's `max_grant_ttl` is over, those of an access key \
                with the key, and none lasts longer than ten years: `expires_at` in the answer says when. Nobody has more than \
                \(limits.ofOneGiver) in force, nobody gives the same subject more than \(limits.forOneKey) \
                for one key, or \(limits.prefixes) for prefixes of one bucket.
                """,
            parameters: [.idempotencyKey],
            body: .object([
                JSONMember("subject", .text(1...1024), .required, "`user:bob`, `key:…`, `idp:…`, or `link`."),
                JSONMember("bucket", .bucket),
                JSONMember("key", .key, .optional),
                JSONMember("prefix", .text(0...1024), .optional),
                JSONMember("actions", .array(of: .text(1...64), count: 1...64)),
                JSONMember("expires_at", .instant),
                JSONMember("max_uses", .integer(1...1_000_000_000), .optional),
                JSONMember("source_cidr", .text(1...64), .optional, "Addresses that it can be used from."),
                JSONMember("note", .text(0...500), .optional),
            ]),
            outcomes: [
                APIOutcome(
                    201,
                    "The grant.",
                    .object([
                        JSONMember("id", .text(JSONText(32...32, .hexadecimal(digits: 32)))),
                        JSONMember("link", .text(1...4096), .optional, "What to give to whoever shall read it."),
                        JSONMember("expires_at", .instant),
                    ])
                )
            ],
            failures: [
                APIFailure.Code(.noSuchBucket), APIFailure.Code(.invalidBucketName), .keyTooLong, .tooManyGrants,
                .idempotencyConflict, .underWay,
            ]
        ) { request async throws(APIFailure) in
            try await creation.once(request) { (key) async throws(APIFailure) in
                try await create(request, key)
            } show: { (id) async throws(APIFailure) in
                try await show(id, to: request.caller)
            }
        }
    }

    private func create(_ request: APIRequest, _ creation: IdempotencyKey?) async throws(APIFailure) -> APIAnswer {
        let id = Hex.encode(random(16))
        let token = Base64URL.encode(random(24))
        let wish = try GrantWish(request, id: id)
        let (grant, reason): (Grant, String)
        do throws(APIFailure) {
            (grant, reason) = try await wish.grant(linkedBy: Array(SHA256.hash(data: Array(token.utf8))))
            // Before it is written down; the insertion has the last word.
            let hasRoom = try await asked { [grant] () async throws(StateError) in
                try await store.hasRoom(for: grant, within: Self.limits)
            }
            guard hasRoom else { throw APIFailure(.tooManyGrants) }
        } catch {
            throw try await refused(wish, error, to: request)
        }
        let entry = IssueLog.Entry.issued(
            IssuedArtefact(kind: wish.isLink ? "link" : "grant", id: id),
            by: wish.action,
            bucket: grant.bucket,
            key: grant.reach.bytes,
            reason: "\(reason); for \(wish.isLink ? "a link" : wish.subject)",
            until: grant.expiresAt
        )
        // Written down first: what is in force is known to the log.
        try await log.record([entry], of: request)
        let insertion = try await asked { () async throws(StateError) in
            try await store.insert(grant, within: Self.limits, for: creation)
        }
        switch insertion {
        case .inserted: break
        case .tooMany: throw try await refused(wish, APIFailure(.tooManyGrants), to: request)
        case .repeated(let first): return try await show(first, to: request.caller)
        }
        try await asked { () async throws(StateError) in try await keeper.refresh() }
        let link = wish.isLink ? request.caller.snapshot.server.link(token, grant.reach) : nil
        return APIAnswer(
            201,
            .object(of: [
                ("id", .string(id)), ("link", link.map { .string($0) }), ("expires_at", .instant(grant.expiresAt)),
            ])
        )
    }

    /// Writes down that nothing is given.
    private func refused(
        _ wish: GrantWish,
        _ failure: APIFailure,
        to request: APIRequest
    ) async throws(APIFailure) -> APIFailure {
        let reason = failure.reason.isEmpty ? failure.code.name : failure.reason
        let entry = IssueLog.Entry.refused(
            wish.action,
            bucket: wish.bucket,
            key: wish.reach.bytes,
            reason: "\(reason); for \(wish.isLink ? "a link" : wish.subject)"
        )
        try await log.record([entry], of: request)
        return failure
    }

    /// What the state says; without it, nothing.
    func asked<Value>(_ ask: () async throws(StateError) -> Value) async throws(APIFailure) -> Value {
        do {
            return try await ask()
        } catch {
            throw APIFailure(error)
        }
    }

    /// What was created before, to whoever may see it; a link's address is not known any more.
    private func show(_ id: String, to caller: Rights) async throws(APIFailure) -> APIAnswer {
        let record = try await asked { () async throws(StateError) in try await store.grant(id) }
        guard let grant = record?.grant, caller.maySee(grant) else { throw APIFailure(.notFound) }
        return APIAnswer(201, .object([("id", .string(id)), ("expires_at", .instant(grant.expiresAt))]))
    }
}

extension APIFailure.Code {
    static let tooManyGrants = APIFailure.Code("TooManyGrants", 409, "There are too many grants in force.")
}

extension Grant.Reach {
    var bytes: [UInt8] {
        switch self {
        case .key(let key): key.bytes
        case .prefix(let prefix): prefix
        }
    }
}

extension ServerSettings {
    /// The address of a link: for an object whole, for a prefix as far as the keys that come behind it.
    fileprivate func link(_ token: String, _ reach: Grant.Reach) -> String {
        let base = view.publicURL + "/-/l/" + token
        guard case .prefix(let prefix) = reach else { return base }
        return base + "/" + String(decoding: PercentEncoding.encode(prefix, keepSlash: .keep), as: UTF8.self)
    }
}
