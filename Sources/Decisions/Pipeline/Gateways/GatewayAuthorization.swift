import Admission
import HTTP1
import Identity
import S3API
import WireFormats

/// Gateway authorization: another gateway asks whether its client's request may pass, and carries it to the store itself.
///
/// The same stages as for a request that comes here, with one difference at the end: instead of being sent, what the
/// store will receive is signed. Every answer is 200, 401 or 403.
extension Pipeline {
    mutating func authorize(
        _ question: (dialect: GatewayDialect, rest: ArraySlice<UInt8>),
        _ head: RequestHead,
        _ facts: ConnectionFacts,
        knowing findings: Findings,
        under snapshot: Snapshot,
        at now: Instant,
        requestID: RequestID,
        auditIsHealthy: Bool
    ) -> Decision {
        var decision = Decision(plan: Self.undecided, client: nil)
        decision.operation = "authz"
        var asking: Asking?
        do throws(Refusal) {
            guard auditIsHealthy || !snapshot.server.requiresAudit else { throw .unrecorded }
            let check = try GatewayCheck(
                question.dialect,
                question.rest,
                head,
                facts,
                under: snapshot,
                knowing: state(at: now),
                asking: authorizer,
                at: now,
                requestID: requestID
            )
            asking = check.original
            decision.client = check.original.origin.client
            decision.plan = try plan(check, knowing: findings, noting: &decision)
        } catch {
            let refusal = asking.map { limitFailures(error, $0) } ?? error
            decision.outcome = refusal.outcome == .undecided ? .denied : refusal.outcome
            decision.reason = "\(question.dialect.rawValue): \(refusal.reason)"
            decision.failure = refusal.failure
            decision.plan = .reply(
                refusal.gatewayReply(
                    to: decision.principal,
                    takesTokens: snapshot.takesTokens,
                    requestID: requestID.description
                )
            )
        }
        return decision
    }

    private mutating func plan(
        _ check: GatewayCheck,
        knowing findings: Findings,
        noting notes: inout Decision
    ) throws(Refusal) -> Plan {
        let located = try Located(check.stripped)
        notes.bucket = located.address.bucket
        notes.key = located.address.key
        guard located.style == .path else { throw .gateway("the host names the bucket") }
        try check.checkQuery(located.query)
        if check.original.head.method == .options {
            return try preflight(check, located, knowing: findings, noting: &notes)
        }
        let authentication = try authenticator.authenticate(
            check.original,
            located.query,
            knowing: findings,
            tokens,
            resource: .own
        ) { _ in true }
        guard case .known(let caller) = authentication else {
            guard case .unverified(let token) = authentication else { throw .credentialNeeded }
            return wait(for: token, check.original, knowing: findings)
        }
        notes.principal = caller.principal
        notes.permit = try limit(caller, check.original, holding: findings.permit)
        let request = try classify(check.stripped, located)
        notes.operation = request.operation.metricName
        notes.copied = request.copySource
        let admitted = try Admitted(request, by: caller, to: located, check.stripped)
        // What is signed here is used elsewhere, and as often as one likes.
        guard admitted.countedGrants.isEmpty else { throw .denied(reason: "uses are not counted at another gateway") }
        if let wait = try stillOpen(admitted, check.stripped, knowing: findings, noting: &notes) { return wait }
        let signature = try GatewaySignature(admitted, check.stripped)
        notes.reason = "\(check.dialect.rawValue): \(admitted.reason)"
        notes.outcome = .allowed
        return .reply(signature.reply(check.dialect))
    }

    /// A browser's question before a request of another origin: it has no credential, and the store answers it.
    private func preflight(
        _ check: GatewayCheck,
        _ located: Located,
        knowing findings: Findings,
        noting notes: inout Decision
    ) throws(Refusal) -> Plan {
        notes.operation = "Preflight"
        let fields = check.original.head.fields
        // A browser sends none, and the store must not get one that was meant for us.
        for credential in Self.credentials where fields.count(of: credential) > 0 {
            throw .gateway("a preflight with \(credential)")
        }
        let question: CORSConfiguration.Preflight
        do {
            question = try CORSConfiguration.Preflight(fields)
        } catch {
            throw .gateway("no preflight: \(error.message)")
        }
        let unsigned = try GatewaySignature(question, located)
        notes.permit = try limitAnonymous(check.original, holding: findings.permit)
        notes.reason = "\(check.dialect.rawValue): preflight"
        notes.outcome = .allowed
        return .reply(unsigned.reply(check.dialect))
    }

    private static var credentials: [StaticString] {
        ["authorization", "x-api-key", "x-amz-security-token", "cookie"]
    }
}
