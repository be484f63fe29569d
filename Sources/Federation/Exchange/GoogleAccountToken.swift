import Identity
import Signatures
import WireFormats

/// The token of a service account at Google that signs for it with its own key (RFC 7523, section 2.1: the JWT bearer
/// grant).
struct GoogleAccountToken: Sendable {
    private static let scope = "https://www.googleapis.com/auth/devstorage.read_write"
    /// Of what is signed: it is used once, at once.
    private static let lifetime = Duration.seconds(300)

    let key: GoogleAccountKey

    func request(at now: Instant) throws(ExchangeFailure) -> ExchangeRequest {
        let assertion: Secret<String>
        do throws(RSASigningKey.Refusal) {
            let account = try GoogleServiceAccount(email: key.email, keyID: key.keyID, privateKey: key.privateKey)
            assertion = try account.assertion(
                for: Self.scope,
                to: key.tokenService.description,
                lifetime: Self.lifetime,
                at: now
            )
        } catch {
            throw ExchangeFailure("the key of \(key.email) can't sign: \(error)")
        }
        return .form(
            key.tokenService.description,
            [
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion.reveal()),
            ]
        )
    }

    func token(_ answer: ExchangeAnswer, at now: Instant) throws(ExchangeFailure) -> TimedCredential {
        try OAuthAnswer.token(answer, of: "Google (\(key.tokenService.host))", at: now)
    }
}
