public import WireFormats

/// We as an identity provider: what stores and clouds believe of us (OpenID Connect Discovery 1.0), and tokens that say
/// so. The documents are made once.
public struct OIDCProvider: Sendable {
    public static let discoveryPath = "/.well-known/openid-configuration"
    public static let keySetPath = "/.well-known/jwks.json"
    public static let mostKeys = 16
    /// How long whoever asks may keep the documents: how long a new key has to be published before it signs.
    public static let freshFor = Duration.seconds(300)

    /// `iss` of every token, byte for byte as configured.
    public let issuer: String
    /// The first signs; all of them are published, so that tokens of the ones before it and the one after it verify.
    public let keys: [OIDCKey]
    /// The discovery document: a JSON object.
    public let discovery: [UInt8]
    /// The public halves: a JSON Web Key Set (RFC 7517, section 5).
    public let keySet: [UInt8]

    /// - Parameters:
    ///   - issuer: an absolute URL, without query and fragment.
    ///   - keys: at least one, no two of them the same.
    public init(issuer: String, keys: [OIDCKey]) {
        precondition(!keys.isEmpty, "nobody signs")
        self.issuer = issuer
        self.keys = keys
        discovery = Self.discovery(issuer, keys)
        keySet = StrictJSON.object([("keys", .array(keys.map(\.published)))]).text
    }

    /// A token that says we vouch for `subject` before `audience` (RFC 7519), signed by the first key.
    ///
    /// - Parameters:
    ///   - lifetime: whole seconds are counted; minutes are usual.
    ///   - jti: names this token; unpredictable, and never used before.
    public func mint(
        subject: String,
        audience: String,
        lifetime: Duration,
        at now: Instant,
        jti: String
    ) throws(OIDCKeyError) -> Secret<String> {
        let issuedAt = now.secondsSince1970
        let header: StrictJSON = .object([
            ("alg", .string(keys[0].algorithm.rawValue)), ("kid", .string(keys[0].id)), ("typ", .string("JWT")),
        ])
        let claims: StrictJSON = .object([
            ("iss", .string(issuer)), ("sub", .string(subject)), ("aud", .string(audience)),
            ("iat", .number(String(issuedAt))), ("nbf", .number(String(issuedAt))),
            ("exp", .number(String((now + lifetime).secondsSince1970))), ("jti", .string(jti)),
        ])
        let signed = Base64URL.encode(header.text) + "." + Base64URL.encode(claims.text)
        let signature = try keys[0].signature(over: Array(signed.utf8))
        return Secret(signed + "." + Base64URL.encode(signature))
    }

    private static func discovery(_ issuer: String, _ keys: [OIDCKey]) -> [UInt8] {
        let base = issuer.utf8.last == UInt8(ascii: "/") ? String(issuer.dropLast()) : issuer
        var algorithms: [String] = []
        for name in keys.map(\.algorithm.rawValue) where !algorithms.contains(name) { algorithms.append(name) }
        return StrictJSON.object([
            ("issuer", .string(issuer)), ("jwks_uri", .string(base + keySetPath)),
            ("response_types_supported", .array([.string("id_token")])),
            ("subject_types_supported", .array([.string("public")])),
            ("id_token_signing_alg_values_supported", .array(algorithms.map { .string($0) })),
        ]).text
    }
}

extension OIDCKey {
    /// As it stands in the key set.
    fileprivate var published: StrictJSON {
        let numbers: [(name: String, value: StrictJSON)] =
            switch material {
            case .rsa(let modulus, let exponent): [("n", .string(modulus)), ("e", .string(exponent))]
            case .p256(let x, let y): [("crv", .string("P-256")), ("x", .string(x)), ("y", .string(y))]
            case .p384(let x, let y): [("crv", .string("P-384")), ("x", .string(x)), ("y", .string(y))]
            }
        let type = if case .rsa = material { "RSA" } else { "EC" }
        return .object(
            [
                ("kty", .string(type)), ("alg", .string(algorithm.rawValue)), ("use", .string("sig")),
                ("kid", .string(id)),
            ] + numbers
        )
    }
}
