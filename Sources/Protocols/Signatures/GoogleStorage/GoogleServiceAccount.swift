import Synchronization
public import WireFormats

/// A service account of Google's with its private key, as the key file says (Google Cloud documentation, "Create and
/// delete service account keys").
///
/// Its access tokens are made here: a JWT that names a scope and is signed with the account's own key is one, without an
/// exchange (AIP-4111, "Self-signed JWT"). Nothing has to be asked, so nothing can fail or hang when one ends.
public struct GoogleServiceAccount: Sendable {
    public enum Refusal: Error, Hashable {
        /// No JSON object, or one that has a member twice.
        case malformed
        /// Not a key file of a service account: another kind of credential.
        case otherType
        case missing(String)
        case key(RSASigningKey.Refusal)
    }

    /// The account's address.
    public let email: String
    /// Which of the account's keys it is.
    let keyID: String
    public let key: RSASigningKey
    private let latest = LatestToken()

    /// - Parameter keyFile: the JSON document.
    public init(keyFile: Secret<String>) throws(Refusal) {
        guard let parsed = try? StrictJSON(parsing: keyFile.reveal().utf8), case .object(let members) = parsed else {
            throw .malformed
        }
        func text(_ name: String) throws(Refusal) -> String {
            guard case .string(let text)? = members.first(where: { $0.name == name })?.value, !text.isEmpty else {
                throw .missing(name)
            }
            return text
        }
        guard try text("type") == "service_account" else { throw .otherType }
        email = try text("client_email")
        keyID = try text("private_key_id")
        do { key = try RSASigningKey(pem: Secret(try text("private_key"))) } catch let refusal as RSASigningKey.Refusal
        {
            throw .key(refusal)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw .malformed
        }
    }

    /// What requests and URLs are signed with that nobody but this account's key stands for.
    public var signer: GoogleSigner { GoogleSigner(identity: email, key: .rsa(key)) }

    /// Good for half an hour at least, and the same for half an hour at most.
    public func accessToken(at now: Instant) throws(RSASigningKey.Refusal) -> Secret<String> {
        let slot = now.secondsSince1970 / Self.slot
        if let token = latest.token(of: slot) { return token }
        let token = try makeToken(from: slot * Self.slot)
        latest.keep(token, of: slot)
        return token
    }

    private static let slot: Int64 = 1800
    /// Clocks differ: a token that begins in the future is none.
    private static let skew: Int64 = 60

    private func makeToken(from start: Int64) throws(RSASigningKey.Refusal) -> Secret<String> {
        let header = StrictJSON.object([
            ("alg", .string("RS256")), ("typ", .string("JWT")), ("kid", .string(keyID)),
        ])
        let claims = StrictJSON.object([
            ("iss", .string(email)), ("sub", .string(email)),
            ("scope", .string("https://www.googleapis.com/auth/devstorage.read_write")),
            ("iat", .number(String(start - Self.skew))), ("exp", .number(String(start - Self.skew + 3600))),
        ])
        let text = Base64URL.encode(header.text) + "." + Base64URL.encode(claims.text)
        return Secret(text + "." + Base64URL.encode(try key.signature(for: Array(text.utf8))))
    }
}

/// The token made last, and for which half hour.
private final class LatestToken: Sendable {
    private let state = Mutex<(slot: Int64, token: Secret<String>)?>(nil)

    func token(of slot: Int64) -> Secret<String>? {
        state.withLock { $0?.slot == slot ? $0?.token : nil }
    }

    func keep(_ token: Secret<String>, of slot: Int64) {
        state.withLock { $0 = (slot, token) }
    }
}
