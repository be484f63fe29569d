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
    /// Who asked for it, as they showed it: enough to find out what they may do now.
    public enum Holder: Hashable, Sendable {
        case user(String)
        /// The access key's id.
        case accessKey(String)
        case token(TokenIdentity)
    }

    /// 32 lower-case hexadecimal digits, which the audit log knows it by.
    public let id: String
    public let holder: Holder

    /// - Parameter random: 16 unpredictable bytes.
    public init(random: [UInt8], holder: Holder) {
        precondition(random.count == 16, "an id is 128 bits")
        id = Hex.encode(random)
        self.holder = holder
    }

    fileprivate init(id: String, holder: Holder) {
        self.id = id
        self.holder = holder
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
    private static let longestToken = 4096
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
        var members: [(name: String, value: StrictJSON)] = [("id", .string(id))]
        switch holder {
        case .user(let name): members.append(("user", .string(name)))
        case .accessKey(let id): members.append(("key", .string(id)))
        case .token(let identity):
            let claims = identity.claims.sorted { $0.key < $1.key }.map {
                (name: $0.key, value: StrictJSON.string($0.value))
            }
            members.append(("provider", .string(identity.provider)))
            members.append(("subject", .string(identity.subject)))
            members.append(("expires", .string(String(identity.expiresAt.nanosecondsSince1970))))
            members.append(("claims", .object(claims)))
        }
        return StrictJSON.object(members).text
    }

    fileprivate init?(document: [UInt8]) {
        guard case .object(let members)? = try? StrictJSON(parsing: document) else { return nil }
        func text(_ name: String) -> String? {
            guard case .string(let text)? = members.first(where: { $0.name == name })?.value else { return nil }
            return text
        }
        guard let id = text("id") else { return nil }
        if let name = text("user") {
            self.init(id: id, holder: .user(name))
        } else if let key = text("key") {
            self.init(id: id, holder: .accessKey(key))
        } else if let provider = text("provider"), let subject = text("subject"),
            let expires = text("expires").flatMap(Int64.init),
            case .object(let claims)? = members.first(where: { $0.name == "claims" })?.value
        {
            let identity = TokenIdentity(
                provider: provider,
                subject: subject,
                claims: Dictionary(
                    claims.compactMap { claim in
                        if case .string(let text) = claim.value { (claim.name, text) } else { nil }
                    },
                    uniquingKeysWith: { first, _ in first }
                ),
                document: StrictJSON.object(claims).text,
                expiresAt: Instant(nanosecondsSince1970: expires)
            )
            self.init(id: id, holder: .token(identity))
        } else {
            return nil
        }
    }
}
