import Admission
import HTTP1
import Identity
import Pipeline
import Testing
import WireFormats

/// A route as the configuration would say it.
func route(
    _ path: String,
    _ methods: Set<Route.Method> = [.get, .head],
    bucket: String = "photos",
    key: String,
    _ delivery: Route.Delivery = .proxy,
    lifetime: Duration = .seconds(30),
    callers: Route.Callers = .known,
    disposition: String? = nil,
    type: String? = nil
) throws -> Route {
    let pattern = try RoutePattern(path)
    return Route(
        pattern,
        methods: methods,
        bucket: try RouteTemplate(bucket, parameters: pattern.names),
        key: try RouteTemplate(key, parameters: pattern.names),
        delivery: delivery,
        lifetime: lifetime,
        callers: callers,
        contentDisposition: disposition,
        contentType: type
    )
}

extension Gate {
    /// With routes, and a token that everybody's `Bearer t` is.
    init(_ routes: [Route], claims: [String: String] = ["sub": "photos"], cookie: String? = nil) {
        self.init(
            tokens: Verifier(
                finding: .verified(
                    TokenIdentity(
                        provider: "auth",
                        subject: claims["sub"] ?? "nobody",
                        claims: claims,
                        expiresAt: noon + .seconds(600)
                    )
                ),
                isKnown: true
            )
        )
        self.routes = routes
        identityProviders = [
            IdentityProvider(
                name: "auth",
                issuer: "https://auth.example.com",
                audiences: ["gatehouse"],
                uses: [.bearer],
                keys: .secret(Secret(Array("0123456789abcdef0123456789abcdef".utf8))),
                cookie: cookie
            )
        ]
    }
}

extension Call {
    /// With a bearer token.
    var withToken: Call { with("authorization", "Bearer t") }
}

extension Plan {
    /// What comes of handing something out.
    func issued(_ location: SourceLocation = #_sourceLocation) throws -> Issuance.Outcome {
        guard case .issue(let issue) = self else {
            Issue.record("nothing is handed out", sourceLocation: location)
            throw OtherPlan()
        }
        return issue.make(Array(repeating: 7, count: issue.randomBytes))
    }

    func location(_ location: SourceLocation = #_sourceLocation) throws -> String {
        guard case .issued(_, let reply) = try issued(location) else { throw OtherPlan() }
        return try #require(reply.fields.string("location"))
    }
}
