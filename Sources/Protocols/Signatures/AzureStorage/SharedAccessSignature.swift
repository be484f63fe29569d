import Crypto
public import WireFormats

/// A query that lets whoever holds it do one thing with one blob (Microsoft, "Create a service SAS", "Create a user
/// delegation SAS", the string to sign of version 2020-12-06).
///
/// It binds blob, permissions, time and the answer's overridden fields; neither a body's type nor its length.
public struct SharedAccessSignature: Sendable {
    public enum Permission: String, Sendable {
        case read = "r"
        /// Only where there is none yet.
        case create = "c"
        case write = "w"
        case delete = "d"
    }

    /// The transports it may be used over.
    public enum Transport: String, Sendable {
        case tls = "https"
        case any = "https,http"
    }

    /// What the answer shall say instead of what the service knows.
    public struct Overrides: Sendable {
        public var cacheControl = ""
        public var contentDisposition = ""
        public var contentEncoding = ""
        public var contentLanguage = ""
        public var contentType = ""

        public init() {}
    }

    /// The version whose rules it is read by.
    public static let version = "2021-12-02"

    private let account: String
    /// `container/blob`, not encoded.
    private let place: String
    private let permission: Permission
    private let expiry: Instant
    private let transport: Transport
    private let overrides: Overrides

    /// - Parameter blob: its name, not encoded.
    public init(
        account: String,
        container: String,
        blob: String,
        permission: Permission,
        expiry: Instant,
        transport: Transport,
        overrides: Overrides = Overrides()
    ) {
        self.account = account
        place = container + "/" + blob
        self.permission = permission
        self.expiry = expiry
        self.transport = transport
        self.overrides = overrides
    }

    /// Signed with the account's key.
    public func query(signedBy signer: SharedKeySigner) -> Query {
        // There is no policy that is referred to.
        var query = start(signer.signature(of: stringToSign([""])))
        appendOverrides(to: &query)
        return query
    }

    /// Nil where the key is no base64.
    public func query(signedBy key: UserDelegationKey) -> Query? {
        guard let bytes = Base64.decode(Array(key.value.reveal().utf8)), !bytes.isEmpty else { return nil }
        let issued = [key.objectID, key.tenantID, key.start, key.expiry, key.service, key.version]
        // Nobody is named that the bearer acts for.
        let text = stringToSign(issued + ["", "", ""])
        let code = HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: bytes))
        var query = start(Base64.encode(Array(code)))
        for (name, value) in zip(["skoid", "sktid", "skt", "ske", "sks", "skv"], issued) {
            query.append(name.utf8, value.utf8)
        }
        appendOverrides(to: &query)
        return query
    }

    /// - Parameter basis: the lines that differ: what the signature rests on.
    func stringToSign(_ basis: [String]) -> String {
        let head = [permission.rawValue, "", Timestamp.iso8601(expiry), "/blob/\(account)/\(place)"]
        let tail = ["", transport.rawValue, Self.version, "b", "", ""]
        return (head + basis + tail + responses.map(\.value)).joined(separator: "\n")
    }

    private var responses: [(name: String, value: String)] {
        [
            ("rscc", overrides.cacheControl), ("rscd", overrides.contentDisposition),
            ("rsce", overrides.contentEncoding), ("rscl", overrides.contentLanguage), ("rsct", overrides.contentType),
        ]
    }

    private func start(_ signature: String) -> Query {
        var query = Query()
        let parts = [
            ("sv", Self.version), ("sr", "b"), ("sp", permission.rawValue), ("se", Timestamp.iso8601(expiry)),
            ("spr", transport.rawValue), ("sig", signature),
        ]
        for (name, value) in parts { query.append(name.utf8, value.utf8) }
        return query
    }

    private func appendOverrides(to query: inout Query) {
        for (name, value) in responses where !value.isEmpty { query.append(name.utf8, value.utf8) }
    }
}
