import Admission
import Identity
import S3API
import STSAPI
import WireFormats

/// A session that will be issued: everything decided but its id.
struct SessionIssue: Sendable {
    /// Who the audit log says that it was issued to.
    let principal: Principal
    /// For the log.
    let reason: String
    private let asking: Asking
    private let keys: SessionKeyring
    private let wish: SessionWish
    private let subject: Session.Subject
    private let claims: [String: String]
    private let parent: CredentialHolder?
    private let bearer: Principal?
    private let expiresAt: Instant
    private let answer: @Sendable (IssuedSession) -> STSAnswer

    /// For the bearer of a token that was verified.
    init(
        _ name: RoleName,
        _ wish: SessionWish,
        for identity: TokenIdentity,
        _ asking: Asking
    ) throws(STSRefusal) {
        let role = try Self.role(name, asking)
        let (issuer, audiences) = (identity.claims["iss"] ?? "", identity.audiences)
        if let refusal = role.trust.refusal(issuer: issuer, audiences: audiences, subject: identity.claims["sub"]) {
            throw .denied("\(refusal.rawValue): role \(role.id), subject \(identity.claims["sub"] ?? "")")
        }
        principal = .role(id: role.id, session: wish.name)
        try Self.checkBlocks([.role(role.id), .principal(principal), .principal(identity.principal)], asking)
        reason = "role \(role.id); provider \(identity.provider); subject \(identity.subject)"
        subject = .role(role.id)
        claims = role.needed(of: identity.claims)
        parent = nil
        bearer = identity.principal
        expiresAt = Self.end(wish, role, within: nil, asking)
        let audience = Self.audience(audiences, role, asking.snapshot.provider(named: identity.provider))
        answer = {
            .assumeRoleWithWebIdentity(
                $0,
                subject: identity.claims["sub"] ?? identity.subject,
                audience: audience,
                provider: issuer
            )
        }
        (self.wish, self.asking) = (wish, asking)
        keys = try Self.keys(asking)
        try Self.checkPolicy(wish)
    }

    /// For a caller with another credential.
    init(
        _ name: RoleName,
        _ wish: SessionWish,
        for caller: Authenticated,
        _ asking: Asking
    ) throws(STSRefusal) {
        guard let holder = caller.holder, caller.issuedID.isEmpty else {
            throw .denied("sessions are issued to holders of a credential of their own")
        }
        if case .session(let session) = holder, session.depth >= Session.deepest {
            throw .denied("more than \(Session.deepest) sessions would rest on one another")
        }
        let role: Role?
        switch name {
        case .caller:
            role = nil
            subject = .parent
            claims = [:]
            principal = caller.principal
            reason = "own rights"
        case .role(let id):
            let named = try Self.role(name, asking)
            guard named.trust.admits(caller.principal) else {
                throw .denied("role \(id) does not list \(caller.principal) in trusted_principals")
            }
            role = named
            subject = .role(id)
            claims = named.needed(of: holder.claims)
            principal = .role(id: id, session: wish.name)
            reason = "role \(id); principal \(caller.principal)"
            try Self.checkBlocks([.role(id), .principal(principal)], asking)
        }
        parent = asking.snapshot.needed(of: holder)
        bearer = nil
        expiresAt = Self.end(wish, role, within: caller.expiresAt, asking)
        guard expiresAt > asking.now else {
            throw .unauthenticated(STSError(.expiredToken), "nothing is left of the caller's time", "expired_token")
        }
        answer = { .assumeRole($0) }
        (self.wish, self.asking) = (wish, asking)
        keys = try Self.keys(asking)
        try Self.checkPolicy(wish)
    }

    var plan: Plan {
        .issue(
            Issuance(
                randomBytes: 16 + SessionKeyring.nonceBytes,
                make: { make($0) },
                unrecorded: asking.reply(STSError(.serviceUnavailable, retryAfter: 1))
            )
        )
    }

    private func make(_ random: [UInt8]) -> Issuance.Outcome {
        let session = Session(
            random: Array(random.prefix(16)),
            name: wish.name,
            subject: subject,
            claims: claims,
            policy: wish.policy,
            issuedAt: asking.now,
            expiresAt: expiresAt,
            parent: parent,
            bearer: bearer,
            parentGeneration: parent.flatMap { asking.snapshot.generation(of: $0, at: asking.now) } ?? ""
        )
        guard let parts = keys.seal(session, nonce: Array(random.dropFirst(16))) else {
            return .refused(asking.reply(STSError(.packedPolicyTooLarge)), reason: "the session fits into no token")
        }
        let role = if case .role(let id) = subject { id } else { RoleName.own }
        let issued = IssuedSession(
            arn: "arn:aws:sts::\(STSAnswer.account):assumed-role/\(role)/\(wish.name)",
            assumedRoleID: "\(session.id):\(wish.name)",
            accessKeyID: parts.accessKeyID,
            secret: parts.secret,
            token: parts.token,
            expiresAt: expiresAt,
            packedPolicySize: wish.policy.map { max(1, $0.utf8.count * 100 / SessionWish.longestPolicy) }
        )
        return .issued(
            Issued(.session, id: session.id, to: principal, reason: reason, until: expiresAt),
            asking.reply(answer(issued))
        )
    }

    // MARK: - What stands against it

    private static func role(_ name: RoleName, _ asking: Asking) throws(STSRefusal) -> Role {
        guard case .role(let id) = name else { throw .denied("a token of an identity provider names a role") }
        // Said like any other refusal: which roles there are is nobody's business.
        guard let role = asking.snapshot.roles[id] else { throw .denied("there is no role \(id)") }
        return role
    }

    private static func keys(_ asking: Asking) throws(STSRefusal) -> SessionKeyring {
        // Whether somebody is blocked by now is not known.
        guard !asking.state.isAway else { throw STSRefusal(.stateAway) }
        guard let keys = asking.snapshot.sessionKeys else {
            throw STSRefusal(STSError(.serviceUnavailable))
        }
        return keys
    }

    private static func checkPolicy(_ wish: SessionWish) throws(STSRefusal) {
        guard let policy = wish.policy else { return }
        do { _ = try PolicyDocument(parsing: policy.utf8) } catch {
            throw STSRefusal(STSError(.malformedPolicy, "The policy is not valid: \(error)."))
        }
    }

    private static func checkBlocks(
        _ subjects: [RevocationTable.Subject],
        _ asking: Asking
    ) throws(STSRefusal) {
        for subject in subjects where asking.revocations?.blocks(subject) ?? false {
            throw .denied("revoked and blocked")
        }
    }

    /// What was asked for, as long as the role permits, and no longer than what it rests on; in whole seconds, as the
    /// answer tells it.
    private static func end(_ wish: SessionWish, _ role: Role?, within parentEnd: Instant?, _ asking: Asking) -> Instant
    {
        let start = Instant(secondsSince1970: asking.now.secondsSince1970)
        let asked = Duration.seconds(Int64(wish.seconds))
        let end = start + (role.map { min(asked, $0.longestSession) } ?? asked)
        guard let parentEnd, parentEnd < end else { return end }
        return Instant(secondsSince1970: parentEnd.secondsSince1970)
    }

    /// Of a token's audiences, the one that it was accepted for.
    private static func audience(_ audiences: Set<String>, _ role: Role, _ provider: IdentityProvider?) -> String {
        let wanted = role.trust.audiences.isEmpty ? provider?.audiences ?? [] : role.trust.audiences
        return audiences.intersection(wanted).sorted().first ?? audiences.sorted().first ?? ""
    }
}

extension CredentialHolder {
    /// What is known of its holder by a token.
    var claims: [String: String] {
        switch self {
        case .user, .accessKey: [:]
        case .token(let identity): identity.claims
        case .session(let session): session.claims
        }
    }
}
