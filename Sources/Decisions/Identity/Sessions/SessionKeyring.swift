import Crypto
public import WireFormats

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Makes session tokens and knows them again; nothing is kept for that. The first key seals, all of them open.
///
/// A token is base64url of
///
///     version 1 · key id 8 · session id 16 · nonce 12 · AES-256-GCM of the session's JSON · tag 16
///
/// and everything before the ciphertext is bound to it as associated data (NIST SP 800-38D). The access key id is the
/// session's id, and the secret follows from the token, so that each of the three is worth nothing without the others.
public struct SessionKeyring: Sendable {
    /// What the client sees of a session.
    public struct Parts: Sendable {
        public let accessKeyID: String
        public let secret: Secret<String>
        public let token: Secret<String>
    }

    /// Longer tokens are neither made nor opened.
    public static let longestToken = 8192
    public static let mostKeys = 16
    /// Of a nonce.
    public static let nonceBytes = 12

    private static let prefix = "GHSTS"
    private static let version: UInt8 = 1
    private static let idEnd = 1 + 8 + 16
    private static let headerEnd = idEnd + nonceBytes

    private let keys: [SessionKey]

    /// - Parameter keys: at least one.
    public init(keys: [SessionKey]) {
        precondition(!keys.isEmpty, "nothing seals")
        self.keys = keys
    }

    /// Whether an access key id is a session's.
    public static func issued(_ accessKeyID: String) -> Bool { accessKeyID.utf8.starts(with: prefix.utf8) }

    /// The session that somebody names: by its id, by its access key id, or as STS answers it, `ID:NAME`.
    public static func sessionID(in text: String) -> String? {
        var id = Array(text.utf8)[...]
        if id.starts(with: prefix.utf8) { id = id.dropFirst(prefix.utf8.count) }
        id = id.prefix { $0 != UInt8(ascii: ":") }
        guard id.count == 32, let bytes = Hex.decode(id) else { return nil }
        return Hex.encode(bytes)
    }

    /// Nil where the session does not fit into a token.
    ///
    /// - Parameter nonce: 12 unpredictable bytes.
    public func seal(_ session: Session, nonce: [UInt8]) -> Parts? {
        guard let id = Hex.decode(session.id.utf8), id.count == 16, nonce.count == Self.nonceBytes else { return nil }
        let header = [Self.version] + keys[0].id + id + nonce
        guard let nonce = try? AES.GCM.Nonce(data: nonce),
            let box = try? AES.GCM.seal(
                StrictJSON.object(session.members).text,
                using: keys[0].derived("sealing", for: id),
                nonce: nonce,
                authenticating: header
            )
        else { return nil }
        let token = Base64URL.encode(header + box.ciphertext + box.tag)
        guard token.utf8.count <= Self.longestToken else { return nil }
        return Parts(
            accessKeyID: Self.prefix + session.id,
            secret: Self.secret(of: Array(token.utf8), keys[0], id),
            token: Secret(token)
        )
    }

    /// The session of a token, and the secret its holder signs with; nil for what is none of ours, or comes with another's
    /// access key id. Whether it is still good is not asked here.
    public func open(_ token: [UInt8], accessKeyID: String) -> (session: Session, secret: Secret<String>)? {
        guard token.count <= Self.longestToken, let bytes = Base64URL.decode(token),
            bytes.count > Self.headerEnd + 16, bytes[0] == Self.version,
            let key = keys.first(where: { $0.id.elementsEqual(bytes[1..<9]) })
        else { return nil }
        let id = Array(bytes[9..<Self.idEnd])
        guard let nonce = try? AES.GCM.Nonce(data: bytes[Self.idEnd..<Self.headerEnd]),
            let box = try? AES.GCM.SealedBox(
                nonce: nonce,
                ciphertext: bytes[Self.headerEnd..<(bytes.count - 16)],
                tag: bytes.suffix(16)
            ),
            let document = try? AES.GCM.open(
                box,
                using: key.derived("sealing", for: id),
                authenticating: bytes[..<Self.headerEnd]
            ),
            case .object(let members)? = try? StrictJSON(parsing: document), let session = Session(members),
            session.id == Hex.encode(id), accessKeyID.utf8.elementsEqual((Self.prefix + session.id).utf8)
        else { return nil }
        return (session, Self.secret(of: token, key, id))
    }

    private static func secret(of token: [UInt8], _ key: SessionKey, _ id: [UInt8]) -> Secret<String> {
        Secret(Base64URL.encode(HMAC<SHA256>.authenticationCode(for: token, using: key.derived("signing", for: id))))
    }
}
