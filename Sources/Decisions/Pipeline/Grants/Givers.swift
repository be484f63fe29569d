import Admission
import Identity
import WireFormats

extension Snapshot {
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
        guard revocations?.ends(.principal(right.giver.principal), issuedAt: right.issuedAt) != true else { return nil }
        return snapshot.rights(of: right.giver, at: now)
    }

    /// May it? With everything that the request's circumstances add.
    func verdict(on question: AccessQuestion) -> Verdict { verdict(on: question, values: values) }

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
