public import Admission
public import HTTP1
public import Identity
public import S3API
public import WireFormats

/// What a known caller may do, for those who issue something instead of carrying it out: the same decision as for a
/// request of the caller's own. Only a caller who was authenticated has one, and the operator on somebody's account.
public struct Rights: Sendable {
    public let principal: Principal
    /// The configuration the caller was known under, or the same with a store's credential that had to be obtained.
    public private(set) var snapshot: Snapshot
    /// Nil where no trustworthy address is known.
    public let sourceAddress: IPAddress?
    /// When what the caller showed ends; nil: never. Nothing that is issued outlives it.
    public let credentialExpiresAt: Instant?
    /// What the caller showed.
    let holder: CredentialHolder?
    private let basis: RightsBasis
    private let sessionPolicies: [PolicyDocument]
    private let claims: [UInt8]
    private let asking: Asking
    /// What the application was asked for whoever issues URLs.
    private(set) var heard: [Wish: Permission] = [:]
    /// What others were asked to sign, by what it is.
    private(set) var signatures: [[UInt8]: SignatureFinding] = [:]

    init(_ caller: Authenticated, _ asking: Asking) {
        principal = caller.principal
        snapshot = asking.snapshot
        sourceAddress = asking.origin.client
        credentialExpiresAt = caller.expiresAt
        holder = caller.holder
        basis = caller.basis
        sessionPolicies = caller.sessionPolicies
        claims = caller.claims
        self.asking = asking
    }

    /// What an entry of the configuration permits; nil where there is none by that name. Of the keys that stand for one
    /// principal, the one counts that ends last.
    init?(ofEntry principal: Principal, _ asking: Asking) {
        switch principal {
        case .user: credentialExpiresAt = nil
        case .key(let name):
            let keys = asking.snapshot.accessKeys
            let ends = keys.ids(of: name, at: asking.now).map { (try? keys.find($0, at: asking.now))?.expiresAt }
            credentialExpiresAt = ends.contains(nil) ? nil : ends.compactMap(\.self).max()
        case .identityProvider, .role, .link, .anonymous: return nil
        }
        guard let basis = asking.snapshot.rights(of: Giver(principal), at: asking.now) else { return nil }
        self.principal = principal
        snapshot = asking.snapshot
        sourceAddress = nil
        holder = nil
        self.basis = basis
        sessionPolicies = []
        claims = []
        self.asking = asking
    }

    /// Whether somebody else can stand for what they gave then.
    public func standing(of giver: Giver, since issuedAt: Instant) -> GiverStanding {
        snapshot.standing(of: giver, since: issuedAt, asking.revocations, at: asking.now)
    }

    /// What somebody wants to issue: all of these actions on that.
    public struct Wish: Hashable, Sendable {
        public let actions: ActionSet
        public let target: AccessQuestion.Target

        public init(_ actions: ActionSet, at target: AccessQuestion.Target) {
            self.actions = actions
            self.target = target
        }
    }

    /// What may be issued.
    public enum Permission: Sendable {
        /// Nothing that rests on it outlives `until`, where there is one: the application said so.
        case granted(until: Instant?)
        /// The reason is for the log.
        case denied(reason: String)
    }

    /// The same rights, the application having allowed this already: for as long as it said, nil where it said nothing.
    func allowed(_ wish: Wish, until: Instant?) -> Rights {
        var rights = self
        rights.heard[wish] = .granted(until: until)
        return rights
    }

    /// The same rights with the application's word about these URLs, for which it is asked once; and with what signs them
    /// for their stores, credentials or signatures, as far as any can be had. Nobody is asked about what is denied anyway.
    ///
    /// - Parameter now: the time of the signatures.
    public func hearing(about wishes: [URLWish], at now: Instant) async -> Rights {
        var rights = await having(Set(wishes.map(\.bucket)))
        if snapshot.authorizer != nil {
            let allowed = wishes.filter { verdict(on: $0).isAllowed }
            let questions = Set(allowed.map { Wish($0.actions, at: .object($0.bucket, $0.key)) })
            rights = await rights.heard(about: Array(questions))
        }
        return await rights.withSignatures(for: wishes, at: now)
    }

    func with(signatures: [[UInt8]: SignatureFinding]) -> Rights {
        var rights = self
        rights.signatures = signatures
        return rights
    }

    /// The same rights with credentials for these buckets' stores: what can't be had now, nothing is signed with.
    private func having(_ buckets: Set<BucketName>) async -> Rights {
        var rights = self
        for bucket in buckets {
            for lease in rights.snapshot.bucket(bucket)?.leases ?? [] where !lease.isUsable(at: asking.now) {
                if case .obtained(let snapshot) = await lease.obtained() { rights.snapshot = snapshot }
            }
        }
        return rights
    }

    private func heard(about wishes: [Wish]) async -> Rights {
        var rights = self
        for (wish, permission) in zip(wishes, await permissions(for: wishes)) { rights.heard[wish] = permission }
        return rights
    }

    /// Does the application agree to each of this? It is asked once for all, about what is allowed without it: that is
    /// ``verdict(on:at:carrying:_:)``'s to say, and whether a use of a grant has to be taken for it.
    public func permissions(for wishes: [Wish]) async -> [Permission] {
        var permissions: [Permission] = wishes.map { _ in .granted(until: nil) }
        guard let settings = snapshot.authorizer else { return permissions }
        var items: [ApplicationQuestion.Item] = []
        var owners: [Int] = []
        for (index, wish) in wishes.enumerated() {
            let added = ApplicationQuestion.Item.items(of: question(wish.actions, wish.target, present))
            items += added
            owners += added.map { _ in index }
        }
        guard !items.isEmpty else { return permissions }
        let question = ApplicationQuestion(
            principal: principal,
            claims: claims,
            sourceAddress: sourceAddress,
            items: items
        )
        let verdicts = await asking.authorizer.verdicts(on: question, under: snapshot, at: asking.now)
        for (position, index) in owners.enumerated() {
            guard case .granted(let until) = permissions[index] else { continue }
            guard position < verdicts.count else {
                permissions[index] = .denied(reason: "authorizer_unavailable")
                continue
            }
            if let reason = verdicts[position].denial(settings) {
                permissions[index] = .denied(reason: reason)
            } else if case .allowed(let end) = verdicts[position] {
                permissions[index] = .granted(until: [until, end].compactMap(\.self).min())
            }
        }
        return permissions
    }

    /// May the caller do all of this there, now? Without the application: whoever issues something asks
    /// ``permissions(for:)``.
    ///
    /// - Parameters:
    ///   - fields: which the request that does it has to carry. Those of the call that asks for it are none of them: they
    ///     reach no store.
    ///   - query: of that request.
    public func verdict(
        on actions: ActionSet,
        at target: AccessQuestion.Target,
        carrying fields: FieldBlock = FieldBlock(),
        _ query: Query = Query()
    ) -> Verdict {
        hidden(target) ?? asking.verdict(on: question(actions, target, present), values: values(of: fields, query))
    }

    /// The same without what others gave, which can't be given on.
    public func ownVerdict(on actions: ActionSet, at target: AccessQuestion.Target) -> Verdict {
        hidden(target)
            ?? decide(question(actions, target, present), policies: snapshot.policies, values: values(of: FieldBlock()))
    }

    /// The same for whoever comes later, whenever and from wherever, with whatever fields: for what nobody will decide
    /// about again. Denied where it would depend on any of that, or takes a use of a grant.
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
        if let hidden = hidden(target) { return hidden }
        let verdict = asking.verdict(on: question(actions, target, circumstances)) { _ in [] }
        if case .allowed(.countedGrant) = verdict { return .denied(.notPermitted(actions.actions.first ?? .getObject)) }
        return verdict
    }

    /// When the first of the grants ends that a verdict rests on; nil where it rests on none.
    public func end(of verdict: Verdict) -> Instant? {
        verdict.grants.compactMap { asking.grants?.right($0)?.expiresAt }.min()
    }

    /// Whether a verdict rests on what the state says, which is too old to be believed: then there is no verdict.
    public func needsAbsentState(for verdict: Verdict) -> Bool { asking.state.isMissing(for: verdict) }

    /// What the caller's token says of them, as far as it is text; of a session's, what its rights follow from.
    public var claimsOfToken: [String: String] { holder?.claims ?? [:] }

    /// Whether the caller has a session, whose rights are nobody's to give: they may be narrowed, and end with it.
    public var isOfSession: Bool { if case .session? = holder { true } else { false } }

    /// Whether the caller administers what others have. A session that a policy narrows has no more than what that permits, and
    /// nothing permits to be an admin.
    public var isAdmin: Bool { sessionPolicies.isEmpty && snapshot.admins.contains(principal) }

    /// Whether the policies of the caller's session, if it has any, permit that there: what somebody may do with what they
    /// made before.
    ///
    /// - Parameter fields: as for ``verdict(on:at:carrying:_:)``.
    public func sessionPermits(
        _ actions: ActionSet,
        at target: AccessQuestion.Target,
        carrying fields: FieldBlock = FieldBlock()
    ) -> Bool {
        isWithinSession(question(actions, target, present), values: values(of: fields))
    }

    /// The caller as somebody who gives something to others: with the claims that templates ask for.
    public var giver: Giver {
        guard case .token(let identity) = holder else { return Giver(principal) }
        let templates = snapshot.tokenScopes[identity.provider] ?? []
        let names = templates.reduce(into: Set<String>()) { $0.formUnion($1.claimNames) }
        return Giver(principal, claims: identity.claims.filter { names.contains($0.key) })
    }

    /// What the caller's rights end with besides what is said of their own name, and when each was issued: the sessions they
    /// have, and those whom these were issued to.
    public var foundations: [(subject: RevocationTable.Subject, issuedAt: Instant)] {
        holder.map { asking.foundations(of: $0) } ?? []
    }

    /// Uploads that nobody has judged yet are nobody's.
    private func hidden(_ target: AccessQuestion.Target) -> Verdict? {
        guard case .object(_, let key) = target, snapshot.uploads.isQuarantined(key) else { return nil }
        return .denied(.quarantine)
    }

    /// What conditions look at of a request that is issued. What tells of the client is taken of whoever asks.
    private func values(of fields: FieldBlock, _ query: Query = Query()) -> (RequestValue) -> [[UInt8]] {
        let issued = ConditionValues(fields, query, under: snapshot)
        return { [asking] value in
            if case .client = value { asking.values(value) } else { issued.values(value) }
        }
    }

    private var present: AccessQuestion.Circumstances {
        AccessQuestion.Circumstances(
            now: asking.now,
            sourceAddress: sourceAddress,
            transport: asking.origin.isSecure ? .tls : .plain
        )
    }

    private func question(
        _ actions: ActionSet,
        _ target: AccessQuestion.Target,
        _ circumstances: AccessQuestion.Circumstances
    ) -> AccessQuestion {
        let facts = target.bucket.flatMap(snapshot.bucket)?.facts
        var question = AccessQuestion(
            principal: principal,
            basis: basis,
            actions: actions,
            target: target,
            bucket: facts ?? AccessQuestion.BucketFacts(),
            circumstances: circumstances
        )
        question.sessionPolicies = sessionPolicies
        return question
    }
}
