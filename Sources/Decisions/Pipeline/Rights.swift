public import Admission
public import Identity
public import S3API
public import WireFormats

/// What a known caller may do, for those who issue something instead of carrying it out: the same decision as for a
/// request of the caller's own. Only a caller who was authenticated has one.
public struct Rights: Sendable {
    public let principal: Principal
    /// The configuration the caller was known under.
    public let snapshot: Snapshot
    /// Nil where no trustworthy address is known.
    public let sourceAddress: IPAddress?
    /// When what the caller showed ends; nil: never. Nothing that is issued outlives it.
    public let credentialExpiresAt: Instant?
    private let basis: RightsBasis
    private let asking: Asking

    init(_ caller: Authenticated, _ asking: Asking) {
        principal = caller.principal
        snapshot = asking.snapshot
        sourceAddress = asking.origin.client
        credentialExpiresAt = caller.expiresAt
        basis = caller.basis
        self.asking = asking
    }

    /// May the caller do all of this there, now?
    public func verdict(on actions: ActionSet, at target: AccessQuestion.Target) -> Verdict {
        let facts = target.bucket.flatMap(snapshot.bucket)?.facts
        return decide(
            AccessQuestion(
                principal: principal,
                basis: basis,
                actions: actions,
                target: target,
                bucket: facts ?? AccessQuestion.BucketFacts(),
                circumstances: AccessQuestion.Circumstances(
                    now: asking.now,
                    sourceAddress: sourceAddress,
                    transport: asking.origin.isSecure ? .tls : .plain
                )
            ),
            policies: snapshot.policies,
            values: asking.values
        )
    }
}
