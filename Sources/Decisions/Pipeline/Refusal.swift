import Identity
import S3API

/// Why a request goes no further: what its sender is told, and what only the log is.
struct Refusal: Error {
    let error: S3Error
    let outcome: Decision.Outcome
    /// For the log: may name rules and principals, never a secret.
    let reason: String
    /// For a failed authentication: its label in the metrics; nil: it did not come to that.
    let failure: StaticString?

    /// The request itself can't be understood or carried out, whoever asks.
    static func request(_ error: S3Error) -> Refusal {
        Refusal(error: error, outcome: .undecided, reason: error.code.name, failure: nil)
    }

    /// The caller is not who it claims to be.
    static func unauthenticated(_ error: S3Error, reason: String, failure: StaticString?) -> Refusal {
        Refusal(error: error, outcome: .unauthenticated, reason: reason, failure: failure)
    }

    /// Nobody is served here who does not say who they are.
    static let credentialNeeded = Refusal(
        error: S3Error(.missingAuthenticationToken),
        outcome: .denied,
        reason: "credential_needed",
        failure: nil
    )

    /// The caller is known and may not. The client learns nothing but that.
    static func denied(reason: String) -> Refusal {
        Refusal(error: S3Error(.accessDenied), outcome: .denied, reason: reason, failure: nil)
    }

    /// - Parameter failure: where it is failed authentications that there were too many of.
    static func limited(_ error: S3Error, reason: String, failure: StaticString? = nil) -> Refusal {
        Refusal(error: error, outcome: .limited, reason: reason, failure: failure)
    }

    /// The audit log can't be written, and nothing shall be done without. Recorded itself: the attempt is what finds out
    /// that the log can be written again.
    static let unrecorded = Refusal(
        error: S3Error(.serviceUnavailable, retryAfter: 1),
        outcome: .denied,
        reason: "audit_unavailable",
        failure: nil
    )
}
