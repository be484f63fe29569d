/// The signatures of tokens that are accepted at all (RFC 7518, section 3.1). A closed list: `none` is not in it.
public enum SignatureAlgorithm: String, CaseIterable, Sendable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case hs256 = "HS256"
}
