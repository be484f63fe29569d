import HTTPTypes
import Hummingbird
import Identity
import NIOCore
import WireFormats

/// The only way in: everything that is not on its short open list needs an admin, whatever routes are added later.
///
/// In order: `Host` and `Origin` must be ours; then the caller is the command line's socket, an `x-api-key` of an
/// admin, or a session's cookie. A cookie alone changes nothing: what writes also needs the session's CSRF token.
struct AdminGate: RouterMiddleware {
    typealias Context = AdminContext

    static let sessionCookie = "gatehouse_session"
    /// Bodies beyond this are refused, wherever they were meant to go.
    static let maximumBody = 64 * 1024

    enum Side: Sendable {
        case network(HostRules)
        case socket
    }

    let side: Side
    let sources: AdminSources
    let sessions: SessionStore
    let limit: AttemptLimit

    private enum Access {
        /// Probes and scrapers, which call by any name.
        case open
        /// For browsers that have not logged in.
        case loginOnly
        case admin
    }

    private static func access(_ path: String) -> Access {
        switch path {
        case "/-/health", "/-/ready", "/metrics": .open
        case "/login", "/console.css": .loginOnly
        default: .admin
        }
    }

    func handle(
        _ request: Request,
        context: AdminContext,
        next: (Request, AdminContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        guard case .network(let hosts) = side else {
            context.caller = .socket
            return try await next(request, context)
        }
        let access = Self.access(request.uri.path)
        if case .open = access { return try await next(request, context) }
        if let refusal = refuseForeign(request, hosts) { return refusal }
        if case .loginOnly = access { return try await next(request, context) }

        if request.hasField("x-api-key") {
            switch callerByKey(request, context) {
            case .success(let caller): context.caller = caller
            case .failure(let refusal): return refusal.response
            }
            return try await next(request, context)
        }
        guard let token = request.cookie(Self.sessionCookie),
            let session = sessions.session(token: token, now: sources.now()),
            sources.admits(session)
        else {
            if request.method == .get, request.wantsHTML { return AdminReply.seeOther("/login") }
            return AdminReply.refusal(.unauthorized, "Unauthorized", "An admin's API key or a login is needed.")
        }
        context.caller = .session(session)
        if request.method == .get || request.method == .head { return try await next(request, context) }
        var request = request
        let body = try await request.body.collect(upTo: Self.maximumBody)
        request.body = RequestBody(buffer: body)
        guard let sent = csrfToken(request, body), constantTimeEqual(sent, Array(session.csrfToken.utf8)) else {
            return AdminReply.refusal(
                .forbidden,
                "CSRFTokenMissing",
                "The form's token is missing or not this session's."
            )
        }
        return try await next(request, context)
    }

    private func refuseForeign(_ request: Request, _ hosts: HostRules) -> Response? {
        guard let authority = request.head.authority, hosts.permits(authority: authority) else {
            return AdminReply.refusal(
                .misdirectedRequest,
                "MisdirectedRequest",
                "This name is not one of the admin listener's: see [admin] allowed_hosts."
            )
        }
        if request.hasField("origin") {
            guard let origin = request.onlyField("origin"), hosts.permits(origin: origin, asking: authority)
            else {
                return AdminReply.refusal(
                    .forbidden,
                    "ForeignOrigin",
                    "Pages of this origin may not use the admin listener."
                )
            }
        }
        return nil
    }

    private struct Refused: Error {
        let response: Response
    }

    private func callerByKey(_ request: Request, _ context: AdminContext) -> Result<AdminCaller, Refused> {
        guard let key = request.onlyField("x-api-key") else {
            return .failure(
                Refused(response: AdminReply.refusal(.badRequest, "InvalidRequest", "There is more than one API key."))
            )
        }
        switch sources.caller(presenting: Array(key.utf8)) {
        case .admin(let principal):
            return .success(.apiKey(principal))
        case .notAdmin:
            return .failure(
                Refused(response: AdminReply.refusal(.forbidden, "AccessDenied", "The key's user is not an admin."))
            )
        case .blocked:
            return .failure(
                Refused(response: AdminReply.refusal(.forbidden, "AccessDenied", "The key's user is blocked."))
            )
        case .unknown:
            if let wait = limit.take(context.limitKey, now: sources.now()) {
                return .failure(Refused(response: tooMany(wait)))
            }
            return .failure(
                Refused(response: AdminReply.refusal(.unauthorized, "Unauthorized", "The API key is not known."))
            )
        }
    }

    /// From the header `x-csrf-token`, or the form's field `csrf`.
    private func csrfToken(_ request: Request, _ body: ByteBuffer) -> [UInt8]? {
        if let header = request.onlyField("x-csrf-token") { return Array(header.utf8) }
        return try? Query(parsing: Array(body.readableBytesView)).first("csrf")
    }

    func tooMany(_ wait: Duration) -> Response {
        var response = AdminReply.refusal(
            .tooManyRequests,
            "SlowDown",
            "There were too many wrong keys from this address."
        )
        response.headers[.retryAfter] = String(max(1, wait.components.seconds + 1))
        return response
    }
}
