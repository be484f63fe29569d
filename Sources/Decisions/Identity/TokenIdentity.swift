public import WireFormats

/// Whom a verified token stands for, and what it says of them.
public struct TokenIdentity: Hashable, Sendable {
    /// The `name` of its identity provider in the configuration.
    public let provider: String
    /// The value of the provider's `principal_claim`.
    public let subject: String
    /// The claims whose values are strings, by name: what templates may use.
    public let claims: [String: String]
    /// All claims as the token has them: a JSON object.
    public let document: [UInt8]
    /// `exp` (RFC 7519, section 4.1.4): nothing that rests on the token outlives it.
    public let expiresAt: Instant

    public init(
        provider: String,
        subject: String,
        claims: [String: String],
        document: [UInt8] = noDocument,
        expiresAt: Instant
    ) {
        self.provider = provider
        self.subject = subject
        self.claims = claims
        self.document = document
        self.expiresAt = expiresAt
    }

    /// Says nothing.
    public static let noDocument = Array("{}".utf8)

    /// How far clocks may differ.
    public static let leeway = Duration.seconds(60)

    /// Until when the token itself is taken: what is issued on it ends at ``expiresAt``.
    public var acceptedUntil: Instant { expiresAt + Self.leeway }

    /// `aud`.
    public var audiences: Set<String> { (try? TokenClaims(parsing: document))?.audiences ?? [] }

    /// `idp:NAME:SUBJECT`.
    public var principal: Principal { .identityProvider(name: provider, subject: subject) }
}
