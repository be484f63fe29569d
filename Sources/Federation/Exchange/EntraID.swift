import Identity
import WireFormats

/// Microsoft Entra ID: a token of an application that trusts ours (OAuth 2.0 client credentials with a federated
/// credential; RFC 7523, section 2.2).
struct EntraID: Sendable {
    private static let scope = "https://storage.azure.com/.default"

    let application: AzureApplication

    func tokenRequest(_ assertion: Secret<String>) -> ExchangeRequest {
        let place = application.endpoint
        return .form(
            place.scheme + "://" + place.authority + "/\(application.tenantID)/oauth2/v2.0/token",
            [
                ("grant_type", "client_credentials"), ("client_id", application.clientID), ("scope", Self.scope),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", assertion.reveal()),
            ]
        )
    }

    func token(_ answer: ExchangeAnswer, at now: Instant) throws(ExchangeFailure) -> TimedCredential {
        try OAuthAnswer.token(answer, of: "Entra ID (\(application.endpoint.host))", at: now)
    }
}

/// The answer of a token endpoint (RFC 6749, sections 5.1 and 5.2).
enum OAuthAnswer {
    static func token(
        _ answer: ExchangeAnswer,
        of service: String,
        at now: Instant
    ) throws(ExchangeFailure) -> TimedCredential {
        let document = JSONAnswer(answer.body)
        guard answer.status == 200 else {
            throw ExchangeFailure(
                service,
                status: answer.status,
                code: document?.text("error"),
                message: document?.text("error_description")
            )
        }
        guard let document, document.text("token_type")?.lowercased() == "bearer",
            let token = document.bearer("access_token"), let lifetime = document.seconds("expires_in")
        else { throw ExchangeFailure("\(service) answered with something that is no bearer token") }
        return TimedCredential(credential: .bearer(token), expiresAt: now + lifetime)
    }
}
