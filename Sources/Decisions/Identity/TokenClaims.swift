public import WireFormats

/// What a token says (RFC 7519, section 4): not believed until its signature was verified.
public struct TokenClaims: Sendable {
    /// OpenID Connect allows 255 characters for `sub`.
    private static let longestPrincipal = 256
    private static let mostAudiences = 64

    public let issuer: String
    public let audiences: Set<String>
    /// The whole document, members in order.
    public let document: [UInt8]
    private let members: [(name: String, value: StrictJSON)]

    init(parsing document: [UInt8]) throws(TokenRefusal) {
        guard case .object(let members)? = try? StrictJSON(parsing: document) else { throw .malformed }
        self.members = members
        self.document = document
        guard case .string(let issuer)? = members.value("iss"), !issuer.isEmpty else { throw .claims("iss") }
        self.issuer = issuer
        audiences = try Self.audiences(members.value("aud"))
    }

    /// Whom the token stands for, where it is valid now.
    public func identity(for provider: IdentityProvider, at now: Instant) throws(TokenRefusal) -> TokenIdentity {
        guard let expiry = try instant("exp") else { throw .claims("exp") }
        guard now < expiry + TokenIdentity.leeway else { throw .expired }
        for name in ["nbf", "iat"] {
            if let instant = try instant(name), instant > now + TokenIdentity.leeway { throw .notYetValid }
        }
        var texts: [String: String] = [:]
        for (name, value) in members {
            guard case .string(let text) = value else { continue }
            // Two names that only differ in how Unicode spells them are one to whoever asks for it.
            guard texts.updateValue(text, forKey: name) == nil else { throw .malformed }
        }
        guard case .string(let subject)? = members.value(provider.principalClaim), Self.isPrincipal(subject) else {
            throw .claims(provider.principalClaim)
        }
        return TokenIdentity(
            provider: provider.name,
            subject: subject,
            claims: texts,
            document: document,
            expiresAt: expiry
        )
    }

    /// A string, or an array of them.
    private static func audiences(_ value: StrictJSON?) throws(TokenRefusal) -> Set<String> {
        switch value {
        case .string(let audience): return [audience]
        case .array(let elements):
            guard elements.count <= mostAudiences else { throw .claims("aud") }
            var audiences: Set<String> = []
            for element in elements {
                guard case .string(let audience) = element else { throw .claims("aud") }
                audiences.insert(audience)
            }
            return audiences
        default: throw .claims("aud")
        }
    }

    /// A NumericDate: seconds, possibly with a fraction, which is cut off.
    private func instant(_ name: String) throws(TokenRefusal) -> Instant? {
        guard let value = members.value(name) else { return nil }
        // Beyond this no number of seconds is exact any more.
        guard case .number(let text) = value, let seconds = Double(text), abs(seconds) < 9e15 else {
            throw .claims(name)
        }
        return Instant(secondsSince1970: Int64(seconds))
    }

    /// A name that can stand in logs and policies: not empty, without control characters.
    private static func isPrincipal(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= longestPrincipal
            && text.unicodeScalars.allSatisfy { $0.value > 0x1F && !(0x7F...0x9F).contains($0.value) }
    }
}
