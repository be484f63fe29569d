import Admission
import Identity
import S3API
import WireFormats

/// What the holder of a credential may do now: looked up whenever it is used.
struct Standing: Sendable {
    let principal: Principal
    let basis: RightsBasis
    /// When what it rests on ends; nil: never.
    let end: Instant?
}

extension Asking {
    /// What a holder may do now, by what the configuration and the list of revocations say at present.
    ///
    /// - Parameter issuedAt: when the thing was issued that rests on it; nil: the holder shows it now.
    /// - Throws: where the holder is nobody any more, or what was issued then was taken back.
    func standing(of holder: CredentialHolder, issuedAt: Instant?) throws(Refusal) -> Standing {
        let standing = try unrevoked(holder)
        let subject = RevocationTable.Subject.principal(standing.principal)
        let isEnded = issuedAt.map { revocations?.ends(subject, issuedAt: $0) ?? false } ?? isBlocked(subject)
        guard !isEnded else { throw .revoked }
        return standing
    }

    /// What is asked of the revocations where a holder shows a session: each of the chain by its id, its role, and those whom
    /// it was issued to.
    func foundations(of holder: CredentialHolder) -> [(subject: RevocationTable.Subject, issuedAt: Instant)] {
        guard case .session(let session) = holder else { return [] }
        var subjects: [RevocationTable.Subject] = [.session(session.id)]
        if case .role(let id) = session.subject {
            subjects += [.role(id), .principal(.role(id: id, session: session.name))]
        }
        guard let parent = session.parent else { return subjects.map { ($0, session.issuedAt) } }
        if let standing = try? unrevoked(parent) { subjects.append(.principal(standing.principal)) }
        return subjects.map { ($0, session.issuedAt) } + foundations(of: parent)
    }

    /// Whether nothing of somebody is good until that is lifted.
    func isBlocked(_ subject: RevocationTable.Subject) -> Bool { revocations?.blocks(subject) ?? false }

    private func unrevoked(_ holder: CredentialHolder) throws(Refusal) -> Standing {
        switch holder {
        case .user(let name):
            guard let user = snapshot.apiKeys.user(named: name) else { throw .gone(.unknown) }
            return Standing(principal: user.principal, basis: .user(user.role, user.allowedBuckets), end: nil)
        case .accessKey(let id):
            do {
                let key = try snapshot.accessKeys.find(id, at: now)
                return Standing(
                    principal: key.principal,
                    basis: .scopes(snapshot.keyScopes[id] ?? []),
                    end: key.expiresAt
                )
            } catch {
                throw .gone(error)
            }
        case .token(let identity):
            guard now < identity.expiresAt else { throw .gone(.expired) }
            // With its provider goes what rests on its tokens.
            guard let templates = snapshot.tokenScopes[identity.provider] else { throw .gone(.unknown) }
            let scopes = templates.compactMap { $0.scope(for: identity.claims) }
            return Standing(principal: identity.principal, basis: .scopes(scopes), end: identity.expiresAt)
        case .session(let session):
            return try standing(of: session)
        }
    }

    /// A session is as good as everything that it rests on.
    private func standing(of session: Session) throws(Refusal) -> Standing {
        guard now < session.expiresAt else { throw .sessionExpired }
        guard !state.isAway else { throw .stateAway }
        if let revocations, revocations.ends(.session(session.id), issuedAt: session.issuedAt) { throw .revoked }
        let parent = try session.parent.map { (parent) throws(Refusal) in
            let standing = try standing(of: parent, issuedAt: session.issuedAt)
            // The key may have another secret by now.
            guard snapshot.generation(of: parent, at: now) == session.parentGeneration else { throw .gone(.unknown) }
            return standing
        }
        switch session.subject {
        case .parent:
            guard let parent else { throw .gone(.unknown) }
            return Standing(principal: parent.principal, basis: parent.basis, end: session.expiresAt)
        case .role(let id):
            guard let role = snapshot.roles[id] else { throw .roleGone }
            let principal = Principal.role(id: id, session: session.name)
            for subject in [RevocationTable.Subject.role(id), .principal(principal)]
            where revocations?.ends(subject, issuedAt: session.issuedAt) ?? false { throw .revoked }
            return Standing(principal: principal, basis: role.rights(for: session.claims), end: session.expiresAt)
        }
    }
}

extension CredentialHolder {
    /// What narrows it besides, compiled.
    ///
    /// - Throws: where one of them can't be read: what is not understood narrows nothing.
    var compiledPolicies: [PolicyDocument] {
        get throws(Refusal) {
            guard case .session(let session) = self else { return [] }
            return try session.policies.map { (text) throws(Refusal) in
                do { return try PolicyDocument(parsing: text.utf8) } catch {
                    throw .unauthenticated(
                        S3Error(.invalidToken),
                        reason: "the session's policy can't be read",
                        failure: "session_policy"
                    )
                }
            }
        }
    }
}

extension Snapshot {
    func provider(named name: String) -> IdentityProvider? { identityProviders.first { $0.name == name } }

    /// Of a token's claims those that its rights follow from: what is sealed is no place for the others. Where an application
    /// may veto, it is shown all of them later, as if the token were shown.
    func needed(of holder: CredentialHolder) -> CredentialHolder {
        guard case .token(let identity) = holder else { return holder }
        let names = Set((tokenScopes[identity.provider] ?? []).flatMap(\.claimNames))
        return .token(
            TokenIdentity(
                provider: identity.provider,
                subject: identity.subject,
                claims: identity.claims.filter { names.contains($0.key) },
                document: authorizer == nil ? TokenIdentity.noDocument : identity.document,
                expiresAt: identity.expiresAt
            )
        )
    }
}

extension Refusal {
    /// What somebody holds was taken from them. What is said is what makes SDKs ask for a new one.
    static let revoked = Refusal.unauthenticated(
        S3Error(.expiredToken, "The provided token has expired or was revoked."),
        reason: "revoked",
        failure: "revoked"
    )
    static let sessionExpired = Refusal.unauthenticated(
        S3Error(.expiredToken),
        reason: "the session has expired",
        failure: "expired_session"
    )
    fileprivate static let roleGone = Refusal.unauthenticated(
        S3Error(.invalidToken),
        reason: "the session's role is not configured any more",
        failure: "unknown_role"
    )

    /// Whoever something rests on is not there any more, or not as they were.
    static func gone(_ refusal: AccessKeyRefusal) -> Refusal {
        let failure: StaticString =
            switch refusal {
            case .unknown: "unknown_access_key"
            case .disabled: "disabled_access_key"
            case .expired: "expired_access_key"
            }
        return .unauthenticated(S3Error(.invalidAccessKeyID), reason: refusal.rawValue, failure: failure)
    }
}
