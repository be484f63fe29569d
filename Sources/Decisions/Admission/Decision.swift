import Identity
public import S3API

/// May it? The one place where that is decided:
///
///     no explicit deny
///     AND the bucket is open to the session's role
///     AND within the ceiling: a disabled or expired principal has nothing, `readonly` reads and lists
///     AND each action permitted by a scope, the user's role on an allowed bucket, a policy's Allow,
///         the bucket's anonymous right, which every valid caller has too, or a grant
///     AND permitted by every session policy
///     AND all of that for the key that the store may take the asked-for one for, too
///
/// - Parameters:
///   - grants: What callers were given by others; nil: nothing.
///   - rights: What somebody may do who gave this, by their own entry in the configuration; nil: they are nobody any more,
///     or what they gave was ended.
///   - values: The values of a part of the request, all of them where it is repeated; asked only where a policy's
///     condition looks at it.
/// - Returns: The verdict; nothing is allocated where there are no policies.
public func decide(
    _ question: AccessQuestion,
    policies: PolicySet,
    grants: GrantTable? = nil,
    rights: (GivenRight) -> RightsBasis? = { _ in nil },
    values: (RequestValue) -> [[UInt8]]
) -> Verdict {
    let verdict = judge(question, given: question, policies, grants, rights, values)
    guard verdict.isAllowed, !question.bucket.keepsKeys, let folded = question.target.folded else { return verdict }
    if case .object(_, let key) = folded, key.bytes.isEmpty { return otherSpelling(of: question) }
    var other = question
    other.target = folded
    let second = judge(other, given: question, policies, grants, rights, values)
    switch second {
    case .denied(.notPermitted): return otherSpelling(of: question)
    case .denied: return second
    case .allowed:
        // What it rests on is said in one verdict: either of them, where the other rests on nobody's grants.
        if second.grants.isEmpty || Set(second.grants) == Set(verdict.grants) { return verdict }
        return verdict.grants.isEmpty ? second : otherSpelling(of: question)
    }
}

private func otherSpelling(of question: AccessQuestion) -> Verdict {
    .denied(.otherSpelling(question.actions.first ?? .getObject))
}

/// The decision about one spelling of what is asked for.
///
/// - Parameter asked: The spelling that was asked for: a grant of it is one of its other spelling too, where whoever gave it
///   may do that there.
private func judge(
    _ question: AccessQuestion,
    given asked: AccessQuestion,
    _ policies: PolicySet,
    _ grants: GrantTable?,
    _ rights: (GivenRight) -> RightsBasis?,
    _ values: (RequestValue) -> [[UInt8]]
) -> Verdict {
    switch question.standing {
    case .active: break
    case .disabled: return .denied(.disabled)
    case .expired: return .denied(.expired)
    }

    if case .role(let role, _) = question.principal, let allowed = question.bucket.allowedRoles, !allowed.contains(role)
    {
        return .denied(.roleNotAllowed)
    }

    let ruling = policies.isEmpty ? PolicyRuling() : policies.ruling(on: question, values)
    if let policy = ruling.deniedBy { return .denied(.explicitDeny(policy: policy)) }

    if case .user(.readonly, _) = question.basis,
        let excess = question.actions.subtracting(.readOnlyCeiling).first
    {
        return .denied(.readonly(excess))
    }

    let verdict = permission(for: question, ruling, grants, given: asked) { right, actions in
        guard let basis = rights(right) else { return false }
        // Without grants: what somebody was given they can't give on.
        return decide(question.asked(by: right, basis, actions), policies: policies, values: values).isAllowed
    }
    guard verdict.isAllowed else { return verdict }
    return isWithinSession(question, values: values) ? verdict : .denied(.sessionPolicy)
}

/// Whether everything that narrows the caller's session permits what is asked; of callers whom nothing narrows, it does.
public func isWithinSession(_ question: AccessQuestion, values: (RequestValue) -> [[UInt8]]) -> Bool {
    guard !question.sessionPolicies.isEmpty else { return true }
    return question.targets.allSatisfy { target in
        var one = question
        one.target = target
        return one.sessionPolicies.allSatisfy { document in
            let ruling = document.ruling(on: one, named: "", values)
            return ruling.deniedBy == nil && ruling.allowed.isSuperset(of: one.actions)
        }
    }
}

/// Whether ListBuckets shows a bucket to the caller who asked: whether it may list anything in it.
/// - Parameter question: As for ListBuckets itself.
public func mayList(
    _ bucket: BucketName,
    _ facts: AccessQuestion.BucketFacts,
    for question: AccessQuestion,
    policies: PolicySet,
    grants: GrantTable? = nil,
    rights: (GivenRight) -> RightsBasis? = { _ in nil },
    values: (RequestValue) -> [[UInt8]]
) -> Bool {
    var listing = question
    listing.actions = ActionSet(.listBucket)
    listing.target = .listing(bucket, prefix: [])
    listing.bucket = facts
    switch decide(listing, policies: policies, grants: grants, rights: rights, values: values) {
    case .allowed(.countedGrant):
        // Nobody takes a use of it for this.
        return false
    case .allowed:
        return true
    case .denied(.notPermitted):
        // A scope that is narrower than the bucket does not permit to list all of it. What a session's own policy says of
        // parts of it is not guessed.
        guard question.sessionPolicies.isEmpty, case .scopes(let scopes) = question.basis else { return false }
        return scopes.contains { $0.permitsListingSomething(in: bucket) }
    case .denied:
        return false
    }
}

/// Whether something permits each of the actions.
private func permission(
    for question: AccessQuestion,
    _ ruling: PolicyRuling,
    _ grants: GrantTable?,
    given asked: AccessQuestion,
    giverMay: (GivenRight, ActionSet) -> Bool
) -> Verdict {
    if question.actions.isEmpty { return .denied(.nothingAsked) }
    guard let bucket = question.target.bucket else {
        switch question.principal {
        case .anonymous, .link: return .denied(.credentialNeeded)
        default: return .allowed(.filtered)
        }
    }
    var missing = question.actions
    if case .link = question.principal, let reason = grants?.permit(missing, for: asked, giverMay: giverMay) {
        return .allowed(reason)
    }

    switch question.basis {
    case .scopes(let scopes):
        for scope in scopes { missing.subtract(scope.permitted(at: question.target, question.bucket)) }
        if missing.isEmpty { return .allowed(.scope) }
    case .user(let role, let buckets):
        if buckets.contains(bucket.string) { missing.subtract(role.actions) }
        if missing.isEmpty { return .allowed(.role(role)) }
    case .none:
        break
    }

    if let policy = ruling.allowedBy {
        missing.subtract(ruling.allowed)
        if missing.isEmpty { return .allowed(.policy(policy)) }
    }

    if question.bucket.anonymousAccess { missing.subtract(.anonymous) }
    guard let first = missing.first else { return .allowed(.anonymousAccess) }
    if let reason = grants?.permit(missing, for: asked, giverMay: giverMay) { return .allowed(reason) }
    return .denied(.notPermitted(first))
}

extension AccessQuestion {
    /// Whether a giver may do what they gave, and still share it.
    fileprivate func asked(by right: GivenRight, _ basis: RightsBasis, _ actions: ActionSet) -> AccessQuestion {
        var asked = self
        asked.principal = right.giver.principal
        asked.basis = basis
        asked.standing = .active
        asked.sessionPolicies = []
        let isLink = if case .link = principal { true } else { false }
        asked.actions = actions.union(ActionSet(isLink ? .shareLink : .share))
        return asked
    }
}
