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
    /// What the caller showed.
    let holder: URLKey.Holder?
    private let basis: RightsBasis
    private let asking: Asking

    init(_ caller: Authenticated, _ asking: Asking) {
        principal = caller.principal
        snapshot = asking.snapshot
        sourceAddress = asking.origin.client
        credentialExpiresAt = caller.expiresAt
        holder = caller.holder
        basis = caller.basis
        self.asking = asking
    }

    /// May the caller do all of this there, now?
    public func verdict(on actions: ActionSet, at target: AccessQuestion.Target) -> Verdict {
        let circumstances = AccessQuestion.Circumstances(
            now: asking.now,
            sourceAddress: sourceAddress,
            transport: asking.origin.isSecure ? .tls : .plain
        )
        return verdict(on: actions, at: target, under: circumstances, values: asking.values)
    }

    /// The same for whoever comes later, whenever and from wherever, with whatever fields: for what nobody will decide
    /// about again. Denied where it would depend on any of that.
    ///
    /// - Parameter transport: what such a request comes over.
    public func standingVerdict(
        on actions: ActionSet,
        at target: AccessQuestion.Target,
        over transport: AccessQuestion.Circumstances.Transport
    ) -> Verdict {
        let circumstances = AccessQuestion.Circumstances(
            now: asking.now,
            sourceAddress: nil,
            transport: transport,
            occasion: .later
        )
        return verdict(on: actions, at: target, under: circumstances) { _ in [] }
    }

    private func verdict(
        on actions: ActionSet,
        at target: AccessQuestion.Target,
        under circumstances: AccessQuestion.Circumstances,
        values: (RequestValue) -> [[UInt8]]
    ) -> Verdict {
        let facts = target.bucket.flatMap(snapshot.bucket)?.facts
        return decide(
            AccessQuestion(
                principal: principal,
                basis: basis,
                actions: actions,
                target: target,
                bucket: facts ?? AccessQuestion.BucketFacts(),
                circumstances: circumstances
            ),
            policies: snapshot.policies,
            values: values
        )
    }
}
