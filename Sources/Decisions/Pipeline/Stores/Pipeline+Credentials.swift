import Admission
import Identity
import S3API
import WireFormats

extension Pipeline {
    /// What has still to be found out about a request that everything here allows: the application's word, then the
    /// credentials of the stores that it is about. Nil where nothing has.
    func stillOpen(
        _ admitted: Admitted,
        _ asking: Asking,
        knowing findings: Findings,
        noting notes: inout Decision
    ) throws(Refusal) -> Plan? {
        if let wait = try application(admitted, asking, knowing: findings, noting: &notes) { return wait }
        guard let lease = admitted.unusableLease(asking) else { return nil }
        if let known = findings.credentials.unavailable, known.source == lease.source {
            throw .noCredential(known.reason, known.retryAfter)
        }
        guard findings.credentials.rounds < CredentialFindings.mostRounds else {
            throw .noCredential("none that lasts long enough", .seconds(1))
        }
        notes.outcome = .undecided
        notes.reason = ""
        let permit = notes.permit
        return .wait {
            var found = findings
            found.permit = permit
            found.credentials.rounds += 1
            switch await lease.obtained() {
            case .obtained(let snapshot): found.credentials.snapshot = snapshot
            case .unavailable(let reason, let retryAfter):
                found.credentials.unavailable = (lease.source, reason, retryAfter)
            }
            return .reconsider(found)
        }
    }
}

extension Admitted {
    /// The first of the leases it needs with which nothing can be signed now; nil where there is none.
    fileprivate func unusableLease(_ asking: Asking) -> CredentialLease? {
        let place = bucket == nil ? asking.snapshot.openAccount?.lease : bucket?.lease
        if let place, !place.isUsable(at: asking.now) { return place }
        if let source = source?.lease, !source.isUsable(at: asking.now) { return source }
        return nil
    }

    /// A store that it is about refused our credential.
    func credentialWasRefused(_ asking: Asking) {
        let place = bucket == nil ? asking.snapshot.openAccount?.lease : bucket?.lease
        place?.wasRefused()
        source?.lease?.wasRefused()
    }
}

extension Refusal {
    /// Nothing can be asked of the store at the moment.
    static func noCredential(_ reason: String, _ retryAfter: Duration) -> Refusal {
        let seconds = Int(min(max(retryAfter, .seconds(1)), .seconds(60)).components.seconds)
        return Refusal(
            error: S3Error(.backendCredentialUnavailable, retryAfter: seconds),
            outcome: .undecided,
            reason: "no credential for the store: " + reason,
            failure: nil
        )
    }
}
