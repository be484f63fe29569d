import Admission
import Identity
import S3API

extension Pipeline {
    /// Anonymous callers share a budget by address, everybody else has one of their own.
    ///
    /// - Parameter held: what the request was granted when it was decided before: it is counted once.
    func limit(
        _ principal: Principal,
        _ asking: Asking,
        holding held: Limiter.Permit? = nil
    ) throws(Refusal) -> Limiter.Permit {
        if let held { return held }
        let key: LimitKey =
            if principal == .anonymous, let client = asking.origin.client {
                .anonymous(from: client)
            } else {
                .principal(principal)
            }
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
