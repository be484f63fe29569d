import Crypto
import WireFormats

extension JSONWebKey.Material {
    /// The SHA-256 of what makes the key what it is, in base64url (RFC 7638, section 3): members in alphabetical order and
    /// nothing between them.
    public var thumbprint: String {
        let members: [(name: String, value: StrictJSON)] =
            switch self {
            case .rsa(let modulus, let exponent):
                [("e", .string(exponent)), ("kty", .string("RSA")), ("n", .string(modulus))]
            case .p256(let x, let y):
                [("crv", .string("P-256")), ("kty", .string("EC")), ("x", .string(x)), ("y", .string(y))]
            case .p384(let x, let y):
                [("crv", .string("P-384")), ("kty", .string("EC")), ("x", .string(x)), ("y", .string(y))]
            }
        return Base64URL.encode(SHA256.hash(data: StrictJSON.object(members).text))
    }
}
