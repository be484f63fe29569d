public import Identity
public import WireFormats

/// A store's credential that is obtained and ends: which one it is under this snapshot, and how another one is had.
public struct CredentialLease: Sendable {
    /// The credential that a snapshot signs with.
    public struct Term: Hashable, Sendable {
        /// Which one it is, of all that were obtained.
        public let version: Int
        /// When it ends; what was signed with it as a URL ends with it.
        public let expiresAt: Instant
        /// When nothing is signed with it any more.
        public let usableUntil: Instant

        public init(version: Int, expiresAt: Instant, usableUntil: Instant) {
            self.version = version
            self.expiresAt = expiresAt
            self.usableUntil = usableUntil
        }
    }

    public let source: CredentialSource
    /// Nil: none was had yet.
    public let term: Term?
    private let office: any CredentialOffice

    public init(_ source: CredentialSource, term: Term?, from office: any CredentialOffice) {
        self.source = source
        self.term = term
        self.office = office
    }

    /// Whether something may be signed with it now.
    public func isUsable(at now: Instant) -> Bool {
        guard let term else { return false }
        return now < term.usableUntil
    }

    func obtained() async -> CredentialFinding { await office.obtain(source) }

    /// A store refused what was signed with it.
    public func wasRefused() {
        if let term { office.refused(source, version: term.version) }
    }
}

/// Obtains stores' credentials and renews them: an I/O port.
public protocol CredentialOffice: Sendable {
    /// A snapshot with a credential of this source in force, once there is one.
    func obtain(_ source: CredentialSource) async -> CredentialFinding
    /// A store refused this one: it is time for another. Returns at once.
    func refused(_ source: CredentialSource, version: Int)
}

/// What became of the wish for a credential.
public enum CredentialFinding: Sendable {
    case obtained(Snapshot)
    /// The reason is for the log.
    case unavailable(reason: String, retryAfter: Duration)
}

/// What was found out about stores' credentials before a request could be decided.
struct CredentialFindings: Sendable {
    /// Once round is the rule, twice where a credential ended or the configuration changed meanwhile.
    static let mostRounds = 3

    var rounds = 0
    /// What the request is decided by from now on.
    var snapshot: Snapshot?
    /// The source that has none to give.
    var unavailable: (source: CredentialSource, reason: String, retryAfter: Duration)?
}
