import WireFormats

/// A JSON Web Token in compact form, taken apart strictly and not verified (RFC 7515, section 7.1; RFC 7519; RFC 8725).
public struct SignedToken: Sendable {
    public let algorithm: SignatureAlgorithm
    /// `kid`: which of the issuer's keys it says it was signed with.
    public let keyID: String?
    public let claims: TokenClaims
    /// What the signature is over: header and claims as they came.
    public let signedBytes: ArraySlice<UInt8>
    public let signature: [UInt8]

    private static let longestKeyID = 256

    public init(parsing token: BearerToken) throws(TokenRefusal) {
        let parts = token.bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Base64URL.decode(parts[0]), let claims = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2])
        else { throw .malformed }
        guard case .object(let members)? = try? StrictJSON(parsing: header) else { throw .malformed }
        // An unsigned token is told from a malformed one: somebody tries.
        algorithm = try Self.algorithm(members)
        guard !signature.isEmpty else { throw .malformed }
        try Self.checkKind(members)
        keyID = try Self.keyID(members)
        self.claims = try TokenClaims(parsing: claims)
        signedBytes = token.bytes[..<parts[1].endIndex]
        self.signature = signature
    }

    private typealias Members = [(name: String, value: StrictJSON)]

    private static func algorithm(_ header: Members) throws(TokenRefusal) -> SignatureAlgorithm {
        guard case .string(let name)? = header.value("alg") else { throw .malformed }
        guard let algorithm = SignatureAlgorithm(rawValue: name) else { throw .algorithm }
        return algorithm
    }

    /// `crit` names what has to be understood, and nothing of it is. `typ` keeps tokens apart that are for something
    /// else, a logout for one (RFC 8725, section 3.11).
    private static func checkKind(_ header: Members) throws(TokenRefusal) {
        guard header.value("crit") == nil, header.value("b64") == nil, header.value("enc") == nil else {
            throw .extensions
        }
        guard let type = header.value("typ") else { return }
        guard case .string(let name) = type else { throw .malformed }
        let known = ["jwt", "at+jwt", "application/jwt", "application/at+jwt"]
        let lower = name.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        guard known.contains(where: { $0.utf8.elementsEqual(lower) }) else { throw .extensions }
    }

    private static func keyID(_ header: Members) throws(TokenRefusal) -> String? {
        guard let value = header.value("kid") else { return nil }
        guard case .string(let id) = value, id.utf8.count <= longestKeyID else { throw .malformed }
        return id
    }
}

extension [(name: String, value: StrictJSON)] {
    /// The member of that name, byte for byte; there is one at most.
    func value(_ name: String) -> StrictJSON? {
        first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }
}
