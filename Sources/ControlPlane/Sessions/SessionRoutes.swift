import Foundation
import Hummingbird
import Identity
import Journal
import NIOCore
package import Pipeline
package import Valet
import WireFormats

/// What is revoked with, and by what names are known.
package struct RevocationDesk: Sendable {
    package let keeper: RevocationKeeper
    package let grants: any GrantStore
    package let grantKeeper: GrantKeeper
    package let snapshot: @Sendable () -> Snapshot

    package init(
        keeper: RevocationKeeper,
        grants: any GrantStore,
        grantKeeper: GrantKeeper,
        snapshot: @escaping @Sendable () -> Snapshot
    ) {
        self.keeper = keeper
        self.grants = grants
        self.grantKeeper = grantKeeper
        self.snapshot = snapshot
    }
}

/// `GET /api/sessions`: what was ended before its time. `POST /api/sessions/revoke`: ends something:
/// `{"kind": "session" | "user" | "role" | "grant", "id": ..., "block"?: true, "unblock"?: true}`.
///
/// Sessions are nowhere kept, so that there is no list of them: the audit log has each that was issued.
struct SessionRoutes: Sendable {
    let sources: AdminSources
    let desk: RevocationDesk

    private static let longestBody = 16 * 1024
    private static let listed = 1000

    func add(to router: Router<AdminContext>) {
        router.get("/api/sessions") { _, _ in
            do throws(StateError) {
                let known = try await desk.keeper.store.revocations(limit: Self.listed)
                return Self.json(.object([("revocations", .array(known.map(\.json)))]))
            } catch {
                return Self.unavailable(error)
            }
        }
        router.post("/api/sessions/revoke") { request, context in
            let body = try await request.body.collect(upTo: Self.longestBody)
            do throws(RevocationRefusal) {
                let order = try RevocationOrder(Array(body.readableBytesView), under: desk.snapshot())
                guard let done = try await carryOut(order) else {
                    throw order.effect == .unblock
                        ? .notBlocked(order.kind.name, order.id) : .unknown(order.kind.name, order.id)
                }
                await record(order, context)
                return Self.json(done)
            } catch {
                return error.response
            }
        }
    }

    /// Nil where there is nothing of that id.
    private func carryOut(_ order: RevocationOrder) async throws(RevocationRefusal) -> StrictJSON? {
        do throws(StateError) {
            switch (order.kind, order.effect) {
            case (.grant, _):
                guard let taken = try await desk.grants.revoke(order.id, at: sources.now()) else { return nil }
                try await desk.grantKeeper.refresh()
                let left = try await desk.grants.outstanding(order.id, at: sources.now(), limit: 100)
                return .object(taken.json(outstanding: left))
            case (.issued(let kind), .unblock):
                return try await desk.keeper.unblock(kind, order.id)?.json
            case (.issued(let kind), let effect):
                return try await desk.keeper.revoke(kind, order.id, block: effect == .block).json
            }
        } catch {
            throw .unavailable("\(error)")
        }
    }

    /// Returns once it is in the log.
    private func record(_ order: RevocationOrder, _ context: AdminContext) async {
        sources.auditLog?.record(
            AuditedAction(
                at: sources.now(),
                principal: context.caller?.principal,
                source: context.source,
                action: "revoke",
                verdict: .allowed,
                reason: "\(order.effect.rawValue) \(order.kind.name) \(order.id)"
            )
        )
        await sources.auditLog?.flush()
    }

    private static func json(_ value: StrictJSON) -> Response {
        AdminReply.bytes(value.text, type: "application/json")
    }

    private static func unavailable(_ error: StateError) -> Response {
        RevocationRefusal.unavailable("\(error)").response
    }
}

/// What somebody wants to be ended.
struct RevocationOrder: Sendable {
    enum Kind: Sendable {
        case issued(Revocation.Kind)
        case grant

        var name: String {
            switch self {
            case .issued(let kind): kind.rawValue
            case .grant: "grant"
            }
        }
    }

    enum Effect: String, Sendable {
        case revoke, block, unblock
    }

    let kind: Kind
    /// As the state knows it.
    let id: String
    let effect: Effect

    init(_ body: [UInt8], under snapshot: Snapshot) throws(RevocationRefusal) {
        guard case .object(let members)? = try? StrictJSON(parsing: body) else {
            throw .invalid("The body must be a JSON object.")
        }
        let known = ["kind", "id", "block", "unblock"]
        if let other = members.first(where: { !known.contains($0.name) }) {
            throw .invalid("'\(other.name.prefix(64))' is not known.")
        }
        func flag(_ name: String) throws(RevocationRefusal) -> Bool {
            switch members.first(where: { $0.name == name })?.value {
            case nil: return false
            case .bool(let value)?: return value
            default: throw .invalid("'\(name)' must be true or false.")
            }
        }
        guard case .string(let kind)? = members.first(where: { $0.name == "kind" })?.value,
            case .string(let id)? = members.first(where: { $0.name == "id" })?.value
        else { throw .invalid("'kind' and 'id' are required.") }
        switch (try flag("block"), try flag("unblock")) {
        case (true, true): throw .invalid("Either 'block' or 'unblock', not both.")
        case (true, false): effect = .block
        case (false, true): effect = .unblock
        case (false, false): effect = .revoke
        }
        if kind == "grant" {
            guard effect == .revoke else { throw .invalid("A grant is taken back and not blocked.") }
            (self.kind, self.id) = (.grant, id)
            return
        }
        guard let kind = Revocation.Kind(rawValue: kind) else {
            throw .invalid("'kind' must be session, user, role or grant.")
        }
        self.kind = .issued(kind)
        self.id = try Self.subject(id, kind, effect, snapshot)
    }

    /// What is misspelt would be revoked in vain: what the configuration has to know must be in it.
    private static func subject(
        _ id: String,
        _ kind: Revocation.Kind,
        _ effect: Effect,
        _ snapshot: Snapshot
    ) throws(RevocationRefusal) -> String {
        switch kind {
        case .session:
            guard let session = SessionKeyring.sessionID(in: id) else {
                throw .invalid("A session is named by its id, its access key id or its AssumedRoleId.")
            }
            guard effect == .revoke else {
                throw .invalid("A session is ended and not blocked: there is no other of its id.")
            }
            return session
        case .role:
            guard snapshot.roles[id] != nil || effect == .unblock else { throw .unknown("role", id) }
            return id
        case .user:
            let text = id.contains(":") ? id : "user:" + id
            switch Principal(text) {
            case .user(let name)? where !snapshot.knows(.user(name)) && effect != .unblock: throw .unknown("user", name)
            case .key(let name)? where !snapshot.knows(.key(name)) && effect != .unblock: throw .unknown("key", name)
            case .user, .key, .identityProvider, .role: break
            case .link, .anonymous, nil:
                throw .invalid(
                    "A user is a name, or one of user:NAME, key:NAME, idp:PROVIDER:SUBJECT, role:ID:SESSION."
                )
            }
            return text
        }
    }
}

/// Why something can't be ended.
enum RevocationRefusal: Error {
    case invalid(String)
    case unknown(String, String)
    case notBlocked(String, String)
    case unavailable(String)

    var response: Response {
        switch self {
        case .invalid(let message): AdminReply.refusal(.badRequest, "InvalidArgument", message)
        case .unknown(let kind, let id):
            AdminReply.refusal(.notFound, "NotFound", "There is no \(kind) \(id.prefix(256)).")
        case .notBlocked(let kind, let id):
            AdminReply.refusal(.notFound, "NotFound", "The \(kind) \(id.prefix(256)) is not blocked.")
        case .unavailable(let problem):
            AdminReply.refusal(.serviceUnavailable, "ServiceUnavailable", "The state can't be used: \(problem).")
        }
    }
}

extension Revocation {
    fileprivate var json: StrictJSON {
        .object([
            ("kind", .string(kind.rawValue)), ("id", .string(subject)), ("revoked_at", .string(Timestamp.iso8601(at))),
            ("blocked", .bool(isBlocked)),
        ])
    }
}

extension GrantRecord {
    fileprivate func json(outstanding: [OutstandingURL]) -> [(name: String, value: StrictJSON)] {
        let revokedAt = grant.revokedAt.map { StrictJSON.string(Timestamp.iso8601($0)) } ?? .null
        let last = outstanding.map(\.expiresAt).max().map { StrictJSON.string(Timestamp.iso8601($0)) } ?? .null
        return [
            ("kind", .string("grant")), ("id", .string(grant.id)), ("revoked_at", revokedAt),
            ("outstanding_urls", .number(String(outstanding.count))), ("last_url_expires_at", last),
        ]
    }
}
