/// Why a token is not accepted. Neither text has anything of the token in it.
public enum TokenRefusal: Error, Hashable, Sendable {
    /// It is no JWS of three canonical parts with JSON in them, or has a member twice.
    case malformed
    /// Its algorithm is none, unknown, or not of the kind of key its issuer has.
    case algorithm
    /// It asks for extensions (`crit`), or says it is something else than an access or identity token.
    case extensions
    case unknownIssuer
    case otherAudience
    /// Two identity providers would accept it.
    case ambiguousAudience
    /// A claim that is needed is missing or not of its type.
    case claims(String)
    case expired
    case notYetValid
    case unknownKey
    case signature

    /// For the log.
    public var reason: String {
        switch self {
        case .malformed: "the token is malformed"
        case .algorithm: "the token's algorithm is not accepted"
        case .extensions: "the token is of another kind"
        case .unknownIssuer: "no identity provider has the token's issuer"
        case .otherAudience: "the token is meant for another audience"
        case .ambiguousAudience: "two identity providers have the token's audiences"
        case .claims(let name): "the token's claim \(name) is missing or unusable"
        case .expired: "the token has expired"
        case .notYetValid: "the token is not valid yet"
        case .unknownKey: "its issuer has no key like the token's"
        case .signature: "the token's signature is wrong"
        }
    }

    /// The label in the metrics: of a closed list.
    public var failure: StaticString {
        switch self {
        case .malformed: "malformed_token"
        case .algorithm: "token_algorithm"
        case .extensions: "token_type"
        case .unknownIssuer: "unknown_issuer"
        case .otherAudience, .ambiguousAudience: "token_audience"
        case .claims: "token_claims"
        case .expired: "expired_token"
        case .notYetValid: "token_not_yet_valid"
        case .unknownKey: "unknown_key"
        case .signature: "token_signature"
        }
    }
}
