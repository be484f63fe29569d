public import WireFormats

/// A temporary credential: whose rights it has, what narrows them, from when to when, and what it dies with. What those
/// rights are is looked up when it is used.
public struct Session: Hashable, Sendable {
    /// Whose rights it has.
    public enum Subject: Hashable, Sendable {
        case role(String)
        /// Those of whoever asked for it.
        case parent
    }

    /// Sessions got with sessions got with sessions: beyond that none is issued.
    public static let deepest = 4

    /// 32 lower-case hexadecimal digits.
    public let id: String
    /// `RoleSessionName`: the caller's own word for it.
    public let name: String
    public let subject: Subject
    /// Of the token's claims those that the role's templates use.
    public let claims: [String: String]
    /// `Policy`: what narrows it, as it was sent.
    public let policy: String?
    public let issuedAt: Instant
    public let expiresAt: Instant
    /// The credential that it was asked for with, and dies with; nil: a token of an identity provider, which is used up by
    /// that.
    public let parent: CredentialHolder?
    /// Whose token it was issued for; nil where it has a parent instead.
    public let bearer: Principal?
    /// Which of the parent's keys it was asked for with, as ``URLKey/generation``; empty where there is none.
    public let parentGeneration: String

    /// - Parameters:
    ///   - random: 16 unpredictable bytes.
    ///   - parent: nil is only possible for the session of a role.
    public init(
        random: [UInt8],
        name: String,
        subject: Subject,
        claims: [String: String] = [:],
        policy: String? = nil,
        issuedAt: Instant,
        expiresAt: Instant,
        parent: CredentialHolder? = nil,
        bearer: Principal? = nil,
        parentGeneration: String = ""
    ) {
        precondition(random.count == 16, "an id is 128 bits")
        precondition(parent != nil || subject != .parent, "somebody's rights")
        id = Hex.encode(random)
        self.name = name
        self.subject = subject
        self.claims = claims
        self.policy = policy
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.parent = parent
        self.bearer = bearer
        self.parentGeneration = parentGeneration
    }

    /// How many sessions it rests on, itself counted.
    public var depth: Int {
        if case .session(let session)? = parent { session.depth + 1 } else { 1 }
    }

    /// Everything that narrows it: its own policy and those of the sessions that it rests on.
    public var policies: [String] {
        let own = policy.map { [$0] } ?? []
        if case .session(let session)? = parent { return session.policies + own }
        return own
    }
}

extension Session {
    /// What is sealed.
    var members: CredentialHolder.Members {
        var members: CredentialHolder.Members = [("id", .string(id)), ("name", .string(name))]
        if case .role(let role) = subject { members.append(("role", .string(role))) }
        if !claims.isEmpty { members.append(("claims", .object(claims.sealed))) }
        if let policy { members.append(("policy", .string(policy))) }
        members.append(("issued", .string(String(issuedAt.nanosecondsSince1970))))
        members.append(("expires", .string(String(expiresAt.nanosecondsSince1970))))
        if let parent { members.append(("parent", .object(parent.members))) }
        if let bearer { members.append(("bearer", .string(bearer.description))) }
        if !parentGeneration.isEmpty { members.append(("generation", .string(parentGeneration))) }
        return members
    }

    init?(_ members: CredentialHolder.Members) {
        guard let id = members.text("id"), let name = members.text("name"), let issued = members.instant("issued"),
            let expires = members.instant("expires")
        else { return nil }
        var parent: CredentialHolder?
        if let value = members.value("parent") {
            guard case .object(let holder) = value, let known = CredentialHolder(holder) else { return nil }
            parent = known
        }
        let role = members.text("role")
        guard role != nil || parent != nil else { return nil }
        self.id = id
        self.name = name
        subject = role.map { .role($0) } ?? .parent
        claims = members.texts("claims") ?? [:]
        policy = members.text("policy")
        issuedAt = issued
        expiresAt = expires
        self.parent = parent
        // Those that were issued by versions before this one name nobody.
        bearer = members.text("bearer").flatMap { Principal($0) }
        parentGeneration = members.text("generation") ?? ""
    }
}
