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
    /// May it? With everything that the request's circumstances add.
    func verdict(on question: AccessQuestion) -> Verdict { verdict(on: question, values: values) }

    func verdict(on question: AccessQuestion, values: (RequestValue) -> [[UInt8]]) -> Verdict {
        var question = question
        question.spentGrants = spentGrants
        return decide(
            question,
            policies: snapshot.policies,
            grants: grants,
            rights: { snapshot.rights(of: $0, at: now) },
            values: values
        )
    }
}
