import Admission
import Identity
import S3API

extension Pipeline {
    /// Anonymous callers share a budget by address, everybody else has one of their own.
    ///
    /// - Parameter held: what the request was granted when it was decided before: it is counted once.
    func limit(
        _ caller: Authenticated,
        _ asking: Asking,
        holding held: Limiter.Permit? = nil
    ) throws(Refusal) -> Limiter.Permit {
        if let held { return held }
        guard caller.principal != .anonymous else { return try limitAnonymous(asking) }
        return try permit(caller.holder?.budget(asking) ?? .principal(caller.principal), caller.principal, asking)
    }

    /// The same for a caller who shows nothing.
    func limitAnonymous(_ asking: Asking, holding held: Limiter.Permit? = nil) throws(Refusal) -> Limiter.Permit {
        if let held { return held }
        let key = asking.origin.client.map { LimitKey.anonymous(from: $0) } ?? .principal(.anonymous)
        return try permit(key, .anonymous, asking)
    }

    private func permit(
        _ key: LimitKey,
        _ principal: Principal,
        _ asking: Asking
    ) throws(Refusal) -> Limiter.Permit {
        switch limiter.admit(key, asking.snapshot.limits(of: principal), at: asking.now) {
        case .admitted(let permit):
            return permit
        case .refused(let refusal):
            throw .limited(
                S3Error(.tooManyRequests, retryAfter: Int(refusal.retryAfterSeconds)),
                reason: "over the limit of \(refusal.limit.rawValue)"
            )
        }
    }

    /// Guessing is slowed down: an address that failed too often hears 429 instead of why.
    func limitFailures(_ refusal: Refusal, _ asking: Asking) -> Refusal {
        guard refusal.outcome == .unauthenticated, let client = asking.origin.client ?? asking.origin.peer,
            let over = limiter.count(.failedAuthentication(from: client), .failedAuthentications, at: asking.now)
        else { return refusal }
        return .limited(
            S3Error(.tooManyRequests, retryAfter: Int(over.retryAfterSeconds)),
            reason: "too many failed authentications: " + refusal.reason,
            failure: refusal.failure
        )
    }
}

extension CredentialHolder {
    /// Whose budget is drawn on by whoever shows it; nil: that of the principal. Sessions of a role are named by their
    /// callers, who would have a budget for every name: what counts is what a session rests on.
    fileprivate func budget(_ asking: Asking) -> LimitKey? {
        guard case .session(let session) = self else { return nil }
        switch session.subject {
        case .parent: return session.parent?.budget(asking)
        case .role(let id): return .sessions(ofRole: id, of: session.foundation(asking))
        }
    }

    /// What tells it from others that something may rest on.
    fileprivate func foundation(_ asking: Asking) -> String {
        switch self {
        case .user(let name): return "user:" + name
        // Keys of one principal are one.
        case .accessKey(let id):
            let key = try? asking.snapshot.accessKeys.find(id, at: asking.now)
            return key?.principal.description ?? "access key:" + id
        case .token(let identity): return identity.principal.description
        case .session(let session):
            let foundation = session.foundation(asking)
            if case .role(let id) = session.subject { return "role:\(id) of \(foundation)" }
            return foundation
        }
    }
}

extension Session {
    fileprivate func foundation(_ asking: Asking) -> String {
        bearer?.description ?? parent?.foundation(asking) ?? "session:" + name
    }
}
