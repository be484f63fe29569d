public import Admission
import Identity
public import WireFormats

/// Whether somebody who gave something can still stand for it.
public enum GiverStanding: Sendable {
    /// By what is in the configuration now.
    case stands(RightsBasis)
    /// What was issued to them up to an instant was ended, and the gift with it.
    case revoked
    /// Nothing of theirs is good until that is lifted.
    case blocked
    /// The configuration has nobody of that name, or no usable key.
    case gone
}

extension Snapshot {
    /// - Parameters:
    ///   - issuedAt: when they gave it.
    ///   - revocations: nil: nothing was ended.
    public func standing(
        of giver: Giver,
        since issuedAt: Instant,
        _ revocations: RevocationTable?,
        at now: Instant
    ) -> GiverStanding {
        let subject = RevocationTable.Subject.principal(giver.principal)
        if let revocations, revocations.ends(subject, issuedAt: issuedAt) {
            return revocations.blocks(subject) ? .blocked : .revoked
        }
        return rights(of: giver, at: now).map { .stands($0) } ?? .gone
    }

    /// What somebody who gave something may do now, by their own entry in the configuration; nil where there is none any
    /// more. Keys that stand for one principal give together.
    func rights(of giver: Giver, at now: Instant) -> RightsBasis? {
        switch giver.principal {
        case .user(let name):
            return apiKeys.user(named: name).map { .user($0.role, $0.allowedBuckets) }
        case .key(let name):
            let ids = accessKeys.ids(of: name, at: now)
            return ids.isEmpty ? nil : .scopes(ids.flatMap { keyScopes[$0] ?? [] })
        case .identityProvider(let name, _):
            return tokenScopes[name].map { .scopes($0.compactMap { $0.scope(for: giver.claims) }) }
        case .role, .link, .anonymous:
            return nil
        }
    }
}

extension Asking {
    /// What whoever gave it may do now; nil where they are nobody any more, or where what they gave then was ended with
    /// whatever else was issued to them.
    func rightsOfGiver(of right: GivenRight) -> RightsBasis? {
        switch snapshot.standing(of: right.giver, since: right.issuedAt, revocations, at: now) {
        case .stands(let rights): rights
        case .revoked, .blocked, .gone: nil
        }
    }

    /// May it? With everything that the request's circumstances add.
    func verdict(on question: AccessQuestion, values: (RequestValue) -> [[UInt8]]) -> Verdict {
        var question = question
        question.spentGrants = spentGrants
        return decide(
            question,
            policies: snapshot.policies,
            grants: grants,
            rights: rightsOfGiver,
            values: values
        )
    }
}
