import HTTPTypes
import Hummingbird
import Identity
import Journal
import NIOCore
import WireFormats

/// Logging in with an admin's API key, and out.
///
/// The login form carries a token that must equal a cookie set with the form, so that a foreign page can't log a
/// browser in; the session's own token comes with the session.
struct LoginRoutes: Sendable {
    static let formCookie = "gatehouse_login"

    let sources: AdminSources
    let sessions: SessionStore
    let gate: AdminGate
    let pages: ConsolePages

    func add(to router: Router<AdminContext>) {
        router.get("/login") { _, _ in form(message: nil, status: .ok) }
        router.post("/login") { request, context in try await logIn(request, context) }
        router.post("/logout") { request, _ in
            if let token = request.cookie(AdminGate.sessionCookie) { sessions.remove(token: token) }
            var response = AdminReply.seeOther("/login")
            setCookie(AdminGate.sessionCookie, "", maxAge: 0, request, &response)
            return response
        }
        router.get("/console.css") { _, _ in
            AdminReply.bytes(Array(ConsoleStyle.sheet.utf8), type: "text/css; charset=utf-8")
        }
    }

    private func logIn(_ request: Request, _ context: AdminContext) async throws -> Response {
        var request = request
        let body = try await request.collectBody(upTo: AdminGate.maximumBody)
        guard let query = try? Query(parsing: Array(body.readableBytesView)), let key = query.first("api_key"),
            let sent = query.first("csrf"), let expected = request.cookie(Self.formCookie), !expected.isEmpty,
            constantTimeEqual(sent, Array(expected.utf8))
        else { return form(message: "The form had expired. Please try again.", status: .forbidden) }
        let now = sources.now()
        switch sources.caller(presenting: key) {
        case .admin(let principal):
            audit(principal, context, .allowed, "API key of an admin")
            return open(principal, APIKeyDigest(of: key), request, now)
        case .notAdmin(let principal):
            audit(principal, context, .denied, "not an admin")
            return form(message: "This key's user is not an admin.", status: .forbidden)
        case .blocked(let principal):
            audit(principal, context, .denied, "blocked")
            return form(message: "This key's user is blocked.", status: .forbidden)
        case .unknown:
            if let wait = gate.limit.take(context.limitKey, now: now) {
                var response = form(message: "Too many wrong keys. Please wait some minutes.", status: .tooManyRequests)
                response.headers[.retryAfter] = String(max(1, wait.components.seconds + 1))
                return response
            }
            audit(nil, context, .unauthenticated, "unknown API key")
            return form(message: "This API key is not known.", status: .unauthorized)
        }
    }

    private func open(
        _ principal: Principal,
        _ key: APIKeyDigest,
        _ request: Request,
        _ now: Instant
    ) -> Response {
        let token = Base64URL.encode(sources.random(32))
        let session = AdminSession(
            principal: principal,
            key: key,
            csrfToken: Base64URL.encode(sources.random(32)),
            startedAt: now,
            expiresAt: now + SessionStore.lifetime
        )
        sessions.insert(session, token: token, now: now)
        var response = AdminReply.seeOther("/")
        setCookie(AdminGate.sessionCookie, token, maxAge: SessionStore.lifetime.components.seconds, request, &response)
        setCookie(Self.formCookie, "", maxAge: 0, request, &response)
        return response
    }

    private func form(message: String?, status: HTTPResponse.Status) -> Response {
        let token = Base64URL.encode(sources.random(32))
        var response = AdminReply.html(pages.login(csrfToken: token, message: message), status: status)
        response.headers[values: .setCookie].append(
            "\(Self.formCookie)=\(token); Path=/login; Max-Age=3600; HttpOnly; SameSite=Strict"
        )
        return response
    }

    /// `Secure` where the browser came by https, as it says itself in `Origin` (which the gate has checked).
    private func setCookie(
        _ name: String,
        _ value: String,
        maxAge: Int64,
        _ request: Request,
        _ response: inout Response
    ) {
        let path = name == Self.formCookie ? "/login" : "/"
        let secure = request.onlyField("origin")?.lowercased().hasPrefix("https://") == true ? "; Secure" : ""
        response.headers[values: .setCookie].append(
            "\(name)=\(value); Path=\(path); Max-Age=\(maxAge); HttpOnly; SameSite=Strict\(secure)"
        )
    }

    private func audit(_ principal: Principal?, _ context: AdminContext, _ verdict: RecordedVerdict, _ reason: String) {
        sources.auditLog?.record(
            AuditedAction(
                at: sources.now(),
                principal: principal,
                source: context.source,
                action: "admin_login",
                verdict: verdict,
                reason: reason
            )
        )
    }
}
