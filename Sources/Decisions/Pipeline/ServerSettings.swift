public import Backends
public import HTTP1
public import S3API
public import WireFormats

/// What `[server]` says, as far as requests depend on it. Held by reference: every request looks at it.
public final class ServerSettings: Sendable {
    /// The region clients sign for; `*` accepts any.
    public let region: String
    /// How clients address us, for documents that name a location.
    public let view: ClientView
    /// `[audit] on_error = "deny"`: nothing is done that could not be written down.
    public let requiresAudit: Bool
    /// Suffixes of virtual hosts, in lower case.
    public let domains: [String]
    public let maxObjectSize: Int64
    public let trustedProxies: [CIDR]
    public let proxyProtocol: Bool
    public let keyRules: KeyRules
    /// Whether URLs and forms that are signed with version 2 are accepted.
    public let acceptsSigV2: Bool
    public let headLimits: HeadLimits
    public let maxConnections: Int
    public let headerTimeout: Duration
    public let idleTimeout: Duration
    public let bodyIdleTimeout: Duration
    /// What pages of other origins may do with paths under `/-/`.
    public let crossOrigin: CrossOriginRules?
    /// Field lines that every answer carries where no bucket says otherwise.
    public let hardening: [UInt8]

    public init(
        region: String = "us-east-1",
        publicURL: String = "http://127.0.0.1:9000",
        requiresAudit: Bool = false,
        domains: [String] = [],
        maxObjectSize: Int64 = 5 << 40,
        trustedProxies: [CIDR] = [],
        proxyProtocol: Bool = false,
        keyRules: KeyRules = .standard,
        acceptsSigV2: Bool = true,
        headLimits: HeadLimits = HeadLimits(),
        maxConnections: Int = 10_000,
        headerTimeout: Duration = .seconds(10),
        idleTimeout: Duration = .seconds(75),
        bodyIdleTimeout: Duration = .seconds(60),
        crossOrigin: CrossOriginRules? = nil,
        hardening: [UInt8] = HardeningFields.lines(frameOptions: "DENY", overTLS: false)
    ) {
        self.region = region
        view = ClientView(region: region, publicURL: publicURL)
        self.requiresAudit = requiresAudit
        self.domains = domains
        self.maxObjectSize = maxObjectSize
        self.trustedProxies = trustedProxies
        self.proxyProtocol = proxyProtocol
        self.keyRules = keyRules
        self.acceptsSigV2 = acceptsSigV2
        self.headLimits = headLimits
        self.maxConnections = maxConnections
        self.headerTimeout = headerTimeout
        self.idleTimeout = idleTimeout
        self.bodyIdleTimeout = bodyIdleTimeout
        self.crossOrigin = crossOrigin
        self.hardening = hardening
    }
}

/// The fields that keep a browser from doing with an answer what nobody meant it to.
public enum HardeningFields {
    /// `X-Content-Type-Options`, `X-Frame-Options`, and `Strict-Transport-Security` (RFC 6797) where clients reach us
    /// over https; as lines that end in CRLF.
    public static func lines(frameOptions: String, overTLS: Bool) -> [UInt8] {
        var lines = "x-content-type-options: nosniff\r\nx-frame-options: \(frameOptions)\r\n"
        if overTLS { lines += "strict-transport-security: \(strictTransportSecurity)\r\n" }
        return Array(lines.utf8)
    }

    /// A year.
    public static let strictTransportSecurity = "max-age=31536000"
}
