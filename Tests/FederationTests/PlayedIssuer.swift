import Federation
import Identity
import JWTKit
import Samples
import Synchronization
import WireFormats

/// An issuer that is played: its documents by URL, changed by the test; counts how often it is asked.
final class PlayedIssuer: DocumentSource {
    private struct State {
        var documents: [String: Result<Document, DocumentFailure>] = [:]
        var asked: [String] = []
        var isHeld = false
    }

    static let issuer = "https://auth.example.com"
    static let jwks = "https://auth.example.com/jwks"
    private let state = Mutex(State())

    var asked: [String] { state.withLock(\.asked) }

    /// Answers nobody until it is let go.
    var isHeld: Bool {
        get { state.withLock(\.isHeld) }
        set { state.withLock { $0.isHeld = newValue } }
    }

    func publish(_ keys: SigningKey..., at url: String = jwks, maxAge: Duration? = nil) {
        let document = #"{"keys":[\#(keys.map(\.published).joined(separator: ","))]}"#
        answer(document, at: url, maxAge: maxAge)
    }

    func answer(_ text: String, at url: String, maxAge: Duration? = nil) {
        state.withLock { $0.documents[url] = .success(Document(bytes: Array(text.utf8), maxAge: maxAge)) }
    }

    func goAway() {
        state.withLock { $0.documents = [:] }
    }

    func document(at url: ServiceURL, limit: Int) async throws(DocumentFailure) -> Document {
        state.withLock { $0.asked.append(url.description) }
        while isHeld { try? await Task.sleep(for: .milliseconds(2)) }
        guard let answer = state.withLock({ $0.documents[url.description] }) else {
            throw DocumentFailure("nobody there")
        }
        return try answer.get()
    }
}

/// A key that tokens are signed with, and how its public half is published.
struct SigningKey: Sendable {
    let algorithm: SignatureAlgorithm
    let kid: String?
    private let signer: any JWTAlgorithm
    /// A JSON object; empty for secrets, which nobody publishes.
    let published: String

    /// Makes a new one on P-256.
    static func es256(_ kid: String?) async throws -> SigningKey {
        let key = ES256PrivateKey()
        let signer = try await JWTKeyCollection().add(ecdsa: key).getKey()
        return SigningKey(.es256, kid, signer, try elliptic("P-256", key.parameters, kid))
    }

    static func es384(_ kid: String?) async throws -> SigningKey {
        let key = ES384PrivateKey()
        let signer = try await JWTKeyCollection().add(ecdsa: key).getKey()
        return SigningKey(.es384, kid, signer, try elliptic("P-384", key.parameters, kid))
    }

    static func rsa(_ algorithm: SignatureAlgorithm, _ kid: String?) async throws -> SigningKey {
        let key = try Insecure.RSA.PrivateKey(pem: PEMSample.pkcs8)
        let digest: DigestAlgorithm =
            switch algorithm {
            case .rs384: .sha384
            case .rs512: .sha512
            default: .sha256
            }
        let signer = try await JWTKeyCollection().add(rsa: key, digestAlgorithm: digest).getKey()
        let (modulus, exponent) = try key.publicKey.getKeyPrimitives()
        let members = #""kty":"RSA","n":"\#(Base64URL.encode(modulus))","e":"\#(Base64URL.encode(exponent))""#
        return SigningKey(algorithm, kid, signer, "{" + members + name(kid) + "}")
    }

    static func hs256(_ secret: [UInt8], _ kid: String? = nil) async throws -> SigningKey {
        let signer = try await JWTKeyCollection().add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256).getKey()
        return SigningKey(.hs256, kid, signer, "")
    }

    private init(_ algorithm: SignatureAlgorithm, _ kid: String?, _ signer: any JWTAlgorithm, _ published: String) {
        self.algorithm = algorithm
        self.kid = kid
        self.signer = signer
        self.published = published
    }

    private static func elliptic(_ curve: String, _ point: ECDSAParameters?, _ kid: String?) throws -> String {
        func url(_ text: String) -> String { Base64URL.encode(Base64.decode(text.utf8) ?? []) }
        guard let point else { throw DocumentFailure("no point") }
        return #"{"kty":"EC","crv":"\#(curve)","x":"\#(url(point.x))","y":"\#(url(point.y))""# + name(kid) + "}"
    }

    private static func name(_ kid: String?) -> String { kid.map { #","kid":"\#($0)""# } ?? "" }

    /// A token signed with it.
    ///
    /// - Parameter more: members of the header besides `alg` and `kid`, each with a comma before it.
    func token(_ claims: String = claims(), kid: String? = nil, header more: String = "") throws -> BearerToken {
        let named = (kid ?? self.kid).map { #","kid":"\#($0)""# } ?? ""
        let header = #"{"alg":"\#(algorithm.rawValue)""# + named + more + "}"
        let signed = Base64URL.encode(header.utf8) + "." + Base64URL.encode(claims.utf8)
        let signature = try signer.sign(Array(signed.utf8))
        guard let token = BearerToken((signed + "." + Base64URL.encode(signature)).utf8) else {
            throw DocumentFailure("no token")
        }
        return token
    }
}

/// What a token says, valid for ten minutes from ``noon``.
func claims(
    subject: String = "alice",
    issuer: String = PlayedIssuer.issuer,
    audience: String = #""gatehouse""#,
    expires: Int64 = 600
) -> String {
    #"{"iss":"\#(issuer)","sub":"\#(subject)","aud":\#(audience),"exp":\#(noon.secondsSince1970 + expires)}"#
}

let noon = Instant(secondsSince1970: 1_800_000_000)
