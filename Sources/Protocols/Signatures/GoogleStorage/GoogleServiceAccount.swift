public import WireFormats

/// A service account of Google's that signs with its own private key: URLs, and the assertions that tokens are issued for.
public struct GoogleServiceAccount: Sendable {
    /// The account's address.
    public let email: String
    /// Which of the account's keys it is.
    private let keyID: String
    private let key: RSASigningKey

    /// - Parameter privateKey: in PEM.
    public init(email: String, keyID: String, privateKey: Secret<String>) throws(RSASigningKey.Refusal) {
        self.email = email
        self.keyID = keyID
        key = try RSASigningKey(pem: privateKey)
    }

    /// What URLs are signed with that nobody but this account's key stands for.
    public var signer: GoogleSigner { GoogleSigner(identity: email, key: .rsa(key)) }

    /// What a token service issues a token for: signed by the account, and good for that service alone (RFC 7523, section
    /// 3; Google Identity, "Using OAuth 2.0 for Server to Server Applications").
    ///
    /// - Parameters:
    ///   - audience: the token service's URL.
    ///   - lifetime: an hour at most.
    public func assertion(
        for scope: String,
        to audience: String,
        lifetime: Duration,
        at now: Instant
    ) throws(RSASigningKey.Refusal) -> Secret<String> {
        let header = StrictJSON.object([
            ("alg", .string("RS256")), ("typ", .string("JWT")), ("kid", .string(keyID)),
        ])
        let claims = StrictJSON.object([
            ("iss", .string(email)), ("scope", .string(scope)), ("aud", .string(audience)),
            ("iat", .number(String(now.secondsSince1970))),
            ("exp", .number(String((now + lifetime).secondsSince1970))),
        ])
        let text = Base64URL.encode(header.text) + "." + Base64URL.encode(claims.text)
        return Secret(text + "." + Base64URL.encode(try key.signature(for: Array(text.utf8))))
    }
}
