public import WireFormats

/// A service account of Google's with its private key, as its key file says (Google Cloud documentation, "Create and delete
/// service account keys").
public struct GoogleAccountKey: Sendable {
    public enum Refusal: Error, Hashable {
        /// No JSON object, or one that has a member twice.
        case malformed
        /// Not a key file of a service account: another kind of credential.
        case otherType
        case missing(String)
        /// Its `token_uri` is no URL, or what is sent there could be read on the way.
        case tokenService
    }

    /// The account's address.
    public let email: String
    /// Which of the account's keys it is.
    public let keyID: String
    /// In PEM.
    public let privateKey: Secret<String>
    /// `token_uri`: where its tokens are issued, and the audience of what asks for one.
    public let tokenService: ServiceURL

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
        privateKey = Secret(try text("private_key"))
        guard let service = ServiceURL(try text("token_uri")), service.isPrivate else { throw .tokenService }
        tokenService = service
    }
}

extension GoogleAccountKey: Hashable {
    private var parts: [String] { [email, keyID, privateKey.reveal(), tokenService.description] }

    public static func == (one: Self, other: Self) -> Bool { one.parts == other.parts }

    public func hash(into hasher: inout Hasher) { hasher.combine(parts) }
}
