import Admission
public import Identity
public import S3API
public import WireFormats

/// What had to be found out about a request before it could be decided.
public struct Findings: Sendable {
    public var token: TokenFinding?
    /// A form's fields, once they are read.
    public var form: PostForm?
    /// What the application said.
    var application: ApplicationFinding?
    /// What the request holds of its caller's limits already.
    var permit: Limiter.Permit?
    var grants = GrantFindings()
    var sts = STSFindings()
    var credentials = CredentialFindings()

    public init(token: TokenFinding? = nil) {
        self.token = token
    }
}

/// What became of a bearer token.
public enum TokenFinding: Sendable {
    case verified(TokenIdentity)
    /// It is none of ours, expired, forged, or meant for somebody else. `reason` is for the log and `failure` a label of
    /// a closed list; neither holds anything of the token.
    case refused(reason: String, failure: StaticString)
    /// Its issuer can't be asked for the keys at the moment.
    case unavailable(reason: String)
}

/// Verifies bearer tokens: an I/O port, since an issuer's keys may have to be fetched.
public protocol TokenVerifier: Sendable {
    /// What is known of a token without waiting; nil where it has to be verified first.
    func known(_ token: BearerToken, under snapshot: Snapshot, at now: Instant) -> TokenFinding?
    /// Verifies a token, and remembers what came of it.
    func verify(_ token: BearerToken, under snapshot: Snapshot, at now: Instant) async -> TokenFinding
    /// Verifies a token that shall be exchanged for a session: of a provider that is for that.
    func verify(forSession token: BearerToken, under snapshot: Snapshot, at now: Instant) async -> TokenFinding
}

extension TokenVerifier {
    /// Nobody's tokens are exchanged.
    public func verify(forSession token: BearerToken, under snapshot: Snapshot, at now: Instant) async -> TokenFinding {
        .refused(reason: "no identity provider is for sessions", failure: "unknown_issuer")
    }
}

/// Where no identity provider is configured: every token is a stranger's.
public struct NoTokens: TokenVerifier {
    public init() {}

    public func known(_ token: BearerToken, under snapshot: Snapshot, at now: Instant) -> TokenFinding? {
        .refused(reason: "no identity provider is configured", failure: "unknown_issuer")
    }

    public func verify(_ token: BearerToken, under snapshot: Snapshot, at now: Instant) async -> TokenFinding {
        .refused(reason: "no identity provider is configured", failure: "unknown_issuer")
    }
}
