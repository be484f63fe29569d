import Crypto
public import WireFormats

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// On whose behalf a URL to ourselves was signed. The rights are looked up when it is used, so that taking them from its
/// owner ends the URL too.
public struct URLKey: Hashable, Sendable {
    /// 32 lower-case hexadecimal digits, which the audit log knows it by.
    public let id: String
    /// Who asked for it.
    public let holder: CredentialHolder
    /// Which of the holder's keys it was, one after another; empty where there is none. With a key ends what was signed on its
    /// account.
    public let generation: String

    /// - Parameter random: 16 unpredictable bytes.
    public init(random: [UInt8], holder: CredentialHolder, generation: String = "") {
        precondition(random.count == 16, "an id is 128 bits")
        self.init(id: Hex.encode(random), holder: holder, generation: generation)
    }

    fileprivate init(id: String, holder: CredentialHolder, generation: String) {
        self.id = id
        self.holder = holder
        self.generation = generation
    }

    /// What tells one key from the next, without being of use for anything else.
    public static func generation(of secret: some Sequence<UInt8>) -> String {
        var hash = SHA256()
        hash.update(data: Array("gatehouse key generation\n".utf8))
        hash.update(data: Array(secret))
        return Hex.encode(Array(hash.finalize()).prefix(16))
    }
}

/// Makes the keys that URLs to ourselves are signed with, and knows them again. Nothing is kept for that: the session
/// token of such a key is the sealed ``URLKey`` (AES-256-GCM), and its secret follows from the token.
public struct URLKeyring: Sendable {
    /// What the client sees of such a key.
    public struct Parts: Sendable {
        public let accessKeyID: String
        public let secret: Secret<String>
        public let sessionToken: Secret<String>
    }

    /// Longer tokens are neither made nor opened.
    private static let longestToken = 8192
    private static let prefix = "GHURL"

    private let sealing: SymmetricKey
    private let signing: SymmetricKey

    /// - Parameter secret: at least 32 unpredictable bytes.
    public init(secret: Secret<[UInt8]>) {
        precondition(secret.reveal().count >= 32, "a key is 256 bits")
        let root = SymmetricKey(data: secret.reveal())
        func derive(_ purpose: String) -> SymmetricKey {
            HKDF<SHA256>.deriveKey(inputKeyMaterial: root, info: Array(purpose.utf8), outputByteCount: 32)
        }
        sealing = derive("gatehouse url key, sealing")
        signing = derive("gatehouse url key, signing")
    }

    /// Whether an access key id is of this kind.
    public static func issued(_ accessKeyID: String) -> Bool { accessKeyID.hasPrefix(prefix) }

    /// Nil where what is known of the holder does not fit into a token.
    ///
    /// - Parameter nonce: 12 bytes that were never used before.
    public func parts(of key: URLKey, nonce: [UInt8]) -> Parts? {
        guard let nonce = try? AES.GCM.Nonce(data: nonce),
            let box = try? AES.GCM.seal(key.document, using: sealing, nonce: nonce).combined
        else { return nil }
        let token = Base64URL.encode(box)
        guard token.utf8.count <= Self.longestToken else { return nil }
        return Parts(
            accessKeyID: Self.prefix + key.id,
            secret: secret(of: token),
            sessionToken: Secret(token)
        )
    }

    /// The key of a token; nil for what is none of ours. Its signature is still to be verified.
    public func open(_ token: [UInt8], accessKeyID: String) -> (key: URLKey, secret: Secret<String>)? {
        guard token.count <= Self.longestToken, let bytes = Base64URL.decode(token),
            let box = try? AES.GCM.SealedBox(combined: bytes), let document = try? AES.GCM.open(box, using: sealing),
            let key = URLKey(document: Array(document)), accessKeyID == Self.prefix + key.id
        else { return nil }
        return (key, secret(of: String(decoding: token, as: UTF8.self)))
    }

    private func secret(of token: String) -> Secret<String> {
        Secret(Hex.encode(HMAC<SHA256>.authenticationCode(for: Array(token.utf8), using: signing)))
    }
}

extension URLKey {
    /// What is sealed.
    fileprivate var document: [UInt8] {
        StrictJSON.object([("id", .string(id)), ("generation", .string(generation))] + holder.members).text
    }

    fileprivate init?(document: [UInt8]) {
        guard case .object(let members)? = try? StrictJSON(parsing: document), let id = members.text("id"),
            let generation = members.text("generation"), let holder = CredentialHolder(members)
        else { return nil }
        self.init(id: id, holder: holder, generation: generation)
    }
}
