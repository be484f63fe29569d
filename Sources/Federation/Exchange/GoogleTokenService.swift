import Identity
import WireFormats

/// Google's Security Token Service and the impersonation of a service account (RFC 8693; IAM Credentials API,
/// generateAccessToken).
struct GoogleTokenService: Sendable {
    private static let scope = "https://www.googleapis.com/auth/cloud-platform"
    /// How long an impersonated token shall last: the longest that needs no exception in an organisation's policy.
    private static let lifetime = "3600s"

    let workload: GoogleWorkload

    func exchangeRequest(_ token: Secret<String>) -> ExchangeRequest {
        let place = workload.endpoint
        return .form(
            place.scheme + "://" + place.authority + "/v1/token",
            [
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("audience", audience),
                ("scope", Self.scope), ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"), ("subject_token", token.reveal()),
            ]
        )
    }

    /// The provider as the token service calls it.
    var audience: String { workload.resource }

    func federated(_ answer: ExchangeAnswer, at now: Instant) throws(ExchangeFailure) -> TimedCredential {
        try OAuthAnswer.token(answer, of: "Google STS (\(workload.endpoint.host))", at: now)
    }

    func impersonationRequest(of account: String, with token: Secret<String>) -> ExchangeRequest {
        let place = workload.credentialsEndpoint
        let body = StrictJSON.object([
            (name: "scope", value: .array([.string(Self.scope)])), (name: "lifetime", value: .string(Self.lifetime)),
        ])
        let name = String(decoding: PercentEncoding.encode(account.utf8, keepSlash: .encode), as: UTF8.self)
        return ExchangeRequest(
            .post,
            place.scheme + "://" + place.authority + "/v1/projects/-/serviceAccounts/\(name):generateAccessToken",
            fields: [
                ("authorization", "Bearer " + token.reveal()), ("content-type", "application/json"),
                ("accept", "application/json"),
            ],
            body: body.text
        )
    }

    func impersonated(_ answer: ExchangeAnswer) throws(ExchangeFailure) -> TimedCredential {
        let service = "Google IAM credentials (\(workload.credentialsEndpoint.host))"
        let document = JSONAnswer(answer.body)
        guard answer.status == 200 else {
            throw GoogleFailure.refusal(by: service, status: answer.status, document)
        }
        guard let token = document?.bearer("accessToken"), let expiresAt = document?.instant("expireTime") else {
            throw ExchangeFailure("\(service) answered with something that is no access token")
        }
        return TimedCredential(credential: .bearer(token), expiresAt: expiresAt)
    }
}
