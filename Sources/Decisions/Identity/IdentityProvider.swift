public import WireFormats

/// Whose tokens are accepted: one entry of `[[identity_providers]]`.
public struct IdentityProvider: Sendable {
    /// What its tokens are good for.
    public enum Use: String, CaseIterable, Sendable {
        /// `Authorization: Bearer` on any request.
        case bearer
        /// Exchanged for a session.
        case sts
    }

    /// Where the keys come from that its tokens are verified with. Nothing else is ever a source of keys, the token
    /// least of all.
    public enum Keys: Sendable {
        /// The issuer's `/.well-known/openid-configuration` says where they are (OpenID Connect Discovery 1.0).
        case discovery(ServiceURL)
        case url(ServiceURL)
        case set(JSONWebKeySet)
        /// HMAC; no other algorithm is accepted with it, and it with no other.
        case secret(Secret<[UInt8]>)
    }

    /// Part of the principal's identity.
    public let name: String
    /// What `iss` must be, byte for byte.
    public let issuer: String
    /// One of them must be in `aud`.
    public let audiences: Set<String>
    public let uses: Set<Use>
    public let keys: Keys
    /// Whose value names the caller.
    public let principalClaim: String
    /// The cookie that carries a token on GET and HEAD of routes; nil: none does.
    public let cookie: String?
    /// How long what a bearer hands on to others may last.
    public let maxGrantTTL: Duration

    public init(
        name: String,
        issuer: String,
        audiences: Set<String>,
        uses: Set<Use>,
        keys: Keys,
        principalClaim: String = "sub",
        cookie: String? = nil,
        maxGrantTTL: Duration = .seconds(86_400)
    ) {
        self.name = name
        self.issuer = issuer
        self.audiences = audiences
        self.uses = uses
        self.keys = keys
        self.principalClaim = principalClaim
        self.cookie = cookie
        self.maxGrantTTL = maxGrantTTL
    }

    /// Whether its tokens may be signed this way.
    public func accepts(_ algorithm: SignatureAlgorithm) -> Bool {
        switch keys {
        case .secret: algorithm == .hs256
        case .discovery, .url, .set: algorithm != .hs256
        }
    }
}

extension [IdentityProvider] {
    /// The one that a token claims to be from.
    ///
    /// - Throws: where it is none, or where it could be two: which one counts must not depend on their order.
    public func provider(
        of claims: TokenClaims,
        for use: IdentityProvider.Use
    ) throws(TokenRefusal) -> IdentityProvider {
        let issuers = filter { $0.uses.contains(use) && $0.issuer.utf8.elementsEqual(claims.issuer.utf8) }
        guard !issuers.isEmpty else { throw .unknownIssuer }
        let meant = issuers.filter { !$0.audiences.isDisjoint(with: claims.audiences) }
        guard let provider = meant.first else { throw .otherAudience }
        guard meant.count == 1 else { throw .ambiguousAudience }
        return provider
    }
}
