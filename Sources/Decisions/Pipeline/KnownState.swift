import Admission
import S3API

/// What the state says, as far as it is known here: what others gave, and what was ended before its time.
struct KnownState: Sendable {
    /// Nil: nothing was given.
    var grants: GrantTable?
    /// Nil: nothing was ended.
    var revocations: RevocationTable?
    /// The state could not be looked at for longer than `max_staleness`: what rests on it is neither allowed nor denied.
    var isAway = false

    /// Whether a verdict rests on what is not believed any more.
    func isMissing(for verdict: Verdict) -> Bool { isAway && !verdict.grants.isEmpty }
}

extension Refusal {
    /// Neither yes nor no: nobody knows whether it was taken back.
    static let stateAway = Refusal(
        error: S3Error(.serviceUnavailable, retryAfter: 5),
        outcome: .denied,
        reason: "state_away",
        failure: nil
    )
}
