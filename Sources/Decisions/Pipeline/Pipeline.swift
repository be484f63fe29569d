public import Admission
public import HTTP1
import Identity
import S3API
import Signatures
public import WireFormats

/// The life of a request without I/O: from its head to what is to be done, one line for each stage.
///
/// A value confined to its event loop, for the caches it keeps; everything it decides by is in the ``Snapshot``, the
/// head, and the time it is given.
public struct Pipeline {
    let limiter: Limiter
    let tokens: any TokenVerifier
    let authorizer: any Authorizer
    private let desk: (any APIDesk)?
    let counter: (any UseCounter)?
    var grants: GrantBook.Reader
    var revocations: RevocationBook.Reader
    private let isServing: Bool
    var authenticator = Authenticator()

    /// - Parameters:
    ///   - desk: who answers the JSON API; nil: there is none.
    ///   - grants: what callers were given by others; nil: there are no grants.
    ///   - revocations: what was ended before its time; nil: nothing ever is.
    ///   - isServing: false: decisions are about some other moment, of which the state's age says nothing.
    public init(
        limiter: Limiter,
        tokens: any TokenVerifier,
        authorizer: any Authorizer = NoAuthorizer(),
        desk: (any APIDesk)? = nil,
        grants: GrantSource? = nil,
        revocations: RevocationBook? = nil,
        isServing: Bool = true
    ) {
        self.isServing = isServing
        self.limiter = limiter
        self.tokens = tokens
        self.authorizer = authorizer
        self.desk = desk
        counter = grants?.counter
        self.grants = GrantBook.Reader(grants?.book)
        self.revocations = RevocationBook.Reader(revocations)
    }

    /// - Parameters:
    ///   - findings: what an earlier decision about this request had to wait for; empty at first.
    ///   - auditIsHealthy: whether the decision will be written down.
    ///   - isDraining: whether the server is ending: nobody new is to be sent here.
    public mutating func decide(
        _ head: RequestHead,
        from facts: ConnectionFacts,
        knowing findings: Findings = Findings(),
        under snapshot: Snapshot,
        at now: Instant,
        requestID: RequestID,
        auditIsHealthy: Bool,
        isDraining: Bool = false
    ) -> Decision {
        let snapshot = findings.credentials.snapshot ?? snapshot
        if let (dialect, rest) = GatewayDialect.find(in: head.path), snapshot.gateways.isGateway(head, facts) {
            return authorize(
                (dialect, rest),
                head,
                facts,
                knowing: findings,
                under: snapshot,
                at: now,
                requestID: requestID,
                auditIsHealthy: auditIsHealthy
            )
        }
        let origin = RequestOrigin(head, facts, trusted: snapshot.server.trustedProxies)
        let reserved = ReservedPath(head, on: origin.host, of: snapshot.server)
        let route = reserved == nil ? snapshot.routes?.route(of: head, on: origin.host, snapshot.server) : nil
        let sts = route == nil ? STSEntrance(head, reserved, on: origin.host, of: snapshot.server) : nil
        let owner: PathOwner = reserved == nil && route == nil && sts == nil ? .s3 : .gatehouse
        let ownFields = owner == .s3 ? nil : snapshot.server.crossOrigin?.fields(for: head)
        let asking = Asking(
            head: head,
            origin: origin,
            snapshot: snapshot,
            authorizer: authorizer,
            now: now,
            requestID: requestID,
            ownPath: route == nil ? nil : head.path,
            state: state(at: now),
            spentGrants: findings.grants.spent
        )
        var decision = Decision(plan: Self.undecided, client: origin.client)
        decision.isOfRoute = route != nil
        decision.crossOrigin = ownFields
        if owner == .s3 { decision.caching = CacheTerms(of: head) }
        // Held since the first decision, whatever comes of this one.
        decision.permit = findings.permit
        switch reserved {
        case .health:
            decision.plan = ReservedPath.alive
            return decision
        case .ready:
            let serves = !isDraining && (auditIsHealthy || !snapshot.server.requiresAudit)
            decision.plan = serves ? ReservedPath.alive : ReservedPath.unready
            return decision
        default: break
        }
        if head.method == .options { return preflight(asking, owner, noting: decision) }
        do throws(Refusal) {
            guard auditIsHealthy || !snapshot.server.requiresAudit else { throw .unrecorded }
            decision.plan =
                if let sts {
                    plan(sts, asking, knowing: findings, noting: &decision)
                } else if let reserved {
                    try plan(reserved, asking, knowing: findings, noting: &decision)
                } else if let route {
                    try plan(route, asking, knowing: findings, noting: &decision)
                } else {
                    try plan(asking, knowing: findings, noting: &decision)
                }
        } catch {
            let refusal = limitFailures(error, asking)
            decision.outcome = refusal.outcome
            decision.reason =
                decision.remark.utf8CodeUnitCount == 0 ? refusal.reason : refusal.reason + "; \(decision.remark)"
            decision.failure = refusal.failure
            if owner == .s3, decision.bucket == nil {
                decision.crossOrigin = asking.crossOriginForAnybody(asking.bucketOfHost)
            }
            decision.plan = .reply(asking.reply(refusal.error))
        }
        return decision
    }

    /// What is known of the state by now.
    mutating func state(at now: Instant) -> KnownState {
        KnownState(
            grants: grants.current(),
            revocations: revocations.current(),
            isAway: isServing && !(grants.isGood(at: now) && revocations.isGood(at: now))
        )
    }

    /// What stands in a decision until it is made; without storage of its own.
    static let undecided = Plan.reply(Reply(status: 500, fields: FieldBlock(bytes: [], entries: [])))

    private mutating func plan(
        _ asking: Asking,
        knowing findings: Findings,
        noting notes: inout Decision
    ) throws(Refusal) -> Plan {
        let located = try Located(asking)
        notes.bucket = located.address.bucket
        notes.key = located.address.key
        notes.crossOrigin = asking.crossOriginForAnybody(located.bucket)
        if let link = LinkRequest(located) {
            let plan = try plan(link, located.query, asking, knowing: findings, noting: &notes)
            if notes.outcome == .allowed { notes.disclose(located.bucket, to: asking.head) }
            return plan
        }
        if let form = findings.form { return try plan(form, located, asking, knowing: findings, noting: &notes) }
        if asking.head.method == .post, let reader = try FormUpload.reader(asking, located) {
            return .readForm(reader, findings)
        }
        let caller: Authenticated
        let authentication = try authenticator.authenticate(
            asking,
            located.query,
            knowing: findings,
            tokens,
            resource: .s3(bucketInHost: located.style == .virtualHost ? located.address.bucket?.string : nil)
        ) { host in located.isSame(under: host, asking) }
        switch authentication {
        case .known(let authenticated): caller = authenticated
        case .unverified(let token): return wait(for: token, asking, knowing: findings)
        }
        notes.principal = caller.principal
        notes.remark = caller.remark
        notes.permit = try limit(caller, asking, holding: findings.permit)
        let request = try classify(asking, located)
        notes.operation = request.operation.metricName
        notes.copied = request.copySource
        let admitted = try Admitted(request, by: caller, to: located, asking)
        notes.disclose(located.bucket, to: asking.head)
        notes.reason =
            caller.remark.utf8CodeUnitCount == 0 ? admitted.reason : admitted.reason + "; \(caller.note)"
        if let wait = try stillOpen(admitted, asking, knowing: findings, noting: &notes) { return wait }
        let plan = try counting(admitted, asking, knowing: findings, noting: &notes) { () throws(Refusal) -> Plan in
            try Planner(admitted, asking).plan()
        }
        return asking.snapshot.isolating(plan, of: request, located, asking.head)
    }

    /// The plan of an admitted request, behind the uses of grants that it takes.
    func counting(
        _ admitted: Admitted,
        _ asking: Asking,
        knowing findings: Findings,
        noting notes: inout Decision,
        _ make: () throws(Refusal) -> Plan
    ) throws(Refusal) -> Plan {
        guard !admitted.countedGrants.isEmpty else {
            let plan = try make()
            notes.outcome = .allowed
            return plan
        }
        var findings = findings
        findings.permit = notes.permit
        let use = CountedUse(admitted: admitted, asking: asking, findings: findings, counter: counter)
        let (plan, isFinal) = try use.plan(make)
        if isFinal { notes.outcome = .allowed }
        return plan
    }

    /// What is asked with a link. Whatever is wrong with the link itself has one answer.
    private func plan(
        _ link: LinkRequest,
        _ query: Query,
        _ asking: Asking,
        knowing findings: Findings,
        noting notes: inout Decision
    ) throws(Refusal) -> Plan {
        do throws(Refusal) {
            try LinkRequest.check(asking.head, query)
            return try read(link, asking, knowing: findings, noting: &notes)
        } catch {
            let isOfLink =
                error.outcome == .denied && error.error.code == .accessDenied || error.error.code == .noSuchKey
            guard isOfLink else { throw error }
            let refusal = limitFailures(error, asking)
            guard refusal.outcome != .limited else { throw refusal }
            notes.outcome = refusal.outcome
            notes.reason = refusal.reason
            notes.failure = refusal.failure
            return .reply(asking.noSuchLink)
        }
    }

    private func read(
        _ link: LinkRequest,
        _ asking: Asking,
        knowing findings: Findings,
        noting notes: inout Decision
    ) throws(Refusal) -> Plan {
        guard !asking.state.isAway else { throw .stateAway }
        guard let right = asking.grants?.link(link.hash), asking.now < right.expiresAt else { throw .noSuchLink }
        let caller = Authenticated.holder(of: right)
        notes.principal = caller.principal
        let (plain, located) = try link.request(asking, by: right)
        notes.bucket = located.address.bucket
        notes.key = located.address.key
        notes.permit = try limit(caller, asking, holding: findings.permit)
        let request = try classify(plain, located)
        notes.operation = request.operation.metricName
        guard request.operation == .getObject || request.operation == .headObject else { throw .noSuchLink }
        let admitted = try Admitted(request, by: caller, to: located, plain)
        // Good for what it was made for and for nothing else, though a policy or the bucket itself permits more.
        guard admitted.reason == AllowReason.grants([right.id]).description else { throw .noSuchLink }
        notes.hardening = located.bucket?.hardening ?? []
        notes.reason = admitted.reason
        if let wait = try stillOpen(admitted, plain, knowing: findings, noting: &notes) { return wait }
        let plan = try counting(admitted, plain, knowing: findings, noting: &notes) { () throws(Refusal) -> Plan in
            try Planner(admitted, plain).plan()
        }
        guard case .forward(let forward) = plan else { return plan }
        return .forward(forward.seen(through: LinkAnswer(asking: asking)))
    }

    /// A form whose fields are here.
    private mutating func plan(
        _ form: PostForm,
        _ located: Located,
        _ asking: Asking,
        knowing findings: Findings,
        noting notes: inout Decision
    ) throws(Refusal) -> Plan {
        notes.operation = S3Operation.postObject.metricName
        let caller: Authenticated
        let policy: PostPolicy?
        if let signed = try authenticator.authenticate(form, asking, located.query) {
            (caller, policy) = signed
        } else {
            let authentication = try authenticator.authenticate(
                asking,
                located.query,
                knowing: findings,
                tokens,
                resource: .own
            ) { host in located.isSame(under: host, asking) }
            guard case .known(let authenticated) = authentication else {
                guard case .unverified(let token) = authentication else { throw .credentialNeeded }
                return wait(for: token, asking, knowing: findings)
            }
            guard authenticated.payload == .unsigned else {
                throw .request(S3Error(.notImplemented, "Forms are accepted with UNSIGNED-PAYLOAD only."))
            }
            (caller, policy) = (authenticated, nil)
        }
        notes.principal = caller.principal
        notes.remark = caller.remark
        notes.permit = try limit(caller, asking, holding: findings.permit)
        let upload = try FormUpload(form, policy: policy, located, asking)
        notes.key = upload.request.key
        let admitted = try Admitted(upload.request, by: caller, to: located, upload.asking)
        notes.disclose(located.bucket, to: asking.head)
        notes.reason =
            caller.remark.utf8CodeUnitCount == 0 ? admitted.reason : admitted.reason + "; \(caller.note)"
        if let wait = try stillOpen(admitted, upload.asking, knowing: findings, noting: &notes) { return wait }
        return try counting(admitted, upload.asking, knowing: findings, noting: &notes) { () throws(Refusal) -> Plan in
            try Planner(admitted, upload.asking).plan(upload)
        }
    }

    /// What is asked of Gatehouse itself.
    private mutating func plan(
        _ reserved: ReservedPath,
        _ asking: Asking,
        knowing findings: Findings,
        noting notes: inout Decision
    ) throws(Refusal) -> Plan {
        if case .link(let rest) = reserved {
            guard let query = try? Query(parsing: asking.head.query ?? []) else { throw .request(S3Error(.invalidURI)) }
            return try plan(LinkRequest(path: rest), query, asking, knowing: findings, noting: &notes)
        }
        if case .provider(let document) = reserved {
            guard let provider = asking.snapshot.provider else { return .reply(asking.nothingHere) }
            return ReservedPath.document(document, of: provider)
        }
        guard let desk else { return .reply(asking.nothingHere) }
        if case .description = reserved { return ReservedPath.document(desk.document) }
        if case .events = reserved {
            notes.operation = "event"
            return try EventPush(asking).plan(asking, at: desk)
        }
        guard case .api(let path) = reserved else { return .reply(asking.nothingHere) }
        guard let query = try? Query(parsing: asking.head.query ?? []) else { throw .request(S3Error(.invalidURI)) }
        let call = try APIReading(path, query)
        switch try authenticateOnOwnPath(asking, query, knowing: findings) {
        case .unverified(let token): return wait(for: token, asking, knowing: findings)
        case .known(let caller):
            guard caller.principal != .anonymous else { throw .credentialNeeded }
            notes.principal = caller.principal
            notes.permit = try limit(caller, asking)
            notes.operation = "api"
            return try call.plan(for: caller, asking, at: desk)
        }
    }

    /// Who asks on a path of ours, where signatures are for the path itself.
    mutating func authenticateOnOwnPath(
        _ asking: Asking,
        _ query: Query,
        knowing findings: Findings
    ) throws(Refusal) -> Authentication {
        let server = asking.snapshot.server
        return try authenticator.authenticate(
            asking,
            query,
            knowing: findings,
            tokens,
            resource: .own
        ) { host in ReservedPath.isPathStyle(host, server) }
    }

    /// Has a token verified, then decides again.
    func wait(for token: BearerToken, _ asking: Asking, knowing findings: Findings) -> Plan {
        .wait { [tokens] in
            var found = findings
            found.token = await tokens.verify(token, under: asking.snapshot, at: asking.now)
            return .reconsider(found)
        }
    }

    /// Asks the application, once everything else has allowed it. Nil where it allows too, or nobody is to be asked; else
    /// the plan that waits for its answer.
    func application(
        _ admitted: Admitted,
        _ asking: Asking,
        knowing findings: Findings,
        noting notes: inout Decision
    ) throws(Refusal) -> Plan? {
        guard let settings = asking.snapshot.authorizer, let question = admitted.applicationQuestion else { return nil }
        let heard = findings.application.flatMap { $0.question == question ? $0.verdicts : nil }
        if let verdicts = heard ?? authorizer.known(question, under: asking.snapshot, at: asking.now) {
            for verdict in verdicts {
                if let reason = verdict.denial(settings) { throw .denied(reason: reason) }
            }
            guard verdicts.count == question.items.count else { throw .denied(reason: "authorizer_unavailable") }
            return nil
        }
        notes.outcome = .undecided
        notes.reason = ""
        let permit = notes.permit
        return .wait { [authorizer] in
            var found = findings
            found.permit = permit
            found.application = ApplicationFinding(
                question: question,
                verdicts: await authorizer.verdicts(on: question, under: asking.snapshot, at: asking.now)
            )
            return .reconsider(found)
        }
    }

    func classify(_ asking: Asking, _ located: Located) throws(Refusal) -> S3Request {
        do {
            return try S3Classifier.classify(
                asking.head,
                located.address,
                located.query,
                rules: asking.snapshot.server.keyRules
            )
        } catch {
            throw .request(error)
        }
    }
}
