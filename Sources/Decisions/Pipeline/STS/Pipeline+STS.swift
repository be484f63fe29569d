import Admission
import Crypto
import HTTP1
import Identity
import S3API
import STSAPI
import Signatures
import WireFormats

extension Pipeline {
    /// What is asked of STS. Everything it answers is a document of its own, refusals too.
    mutating func plan(
        _ entrance: STSEntrance,
        _ asking: Asking,
        knowing findings: Findings,
        noting notes: inout Decision
    ) -> Plan {
        notes.operation = "sts"
        do throws(STSRefusal) {
            return try answer(entrance, asking, knowing: findings, noting: &notes)
        } catch {
            var refusal = error
            if refusal.outcome == .unauthenticated {
                let counted = limitFailures(
                    .unauthenticated(S3Error(.accessDenied), reason: refusal.reason, failure: refusal.failure),
                    asking
                )
                if counted.outcome == .limited { refusal = STSRefusal(counted) }
            }
            notes.outcome = refusal.outcome
            notes.reason = refusal.reason
            notes.failure = refusal.failure
            return .reply(asking.reply(refusal.error))
        }
    }

    private mutating func answer(
        _ entrance: STSEntrance,
        _ asking: Asking,
        knowing findings: Findings,
        noting notes: inout Decision
    ) throws(STSRefusal) -> Plan {
        if findings.sts.form == nil, findings.sts.token == nil, findings.token == nil { try countAsking(asking) }
        guard let (parameters, body) = try entrance.parameters(of: asking.head, form: findings.sts.form) else {
            if case .length(let length) = asking.head.framing, length > Int64(STSEntrance.longestForm) {
                throw STSRefusal(STSError(.validationError, "The form is too long."))
            }
            notes.isPreliminary = true
            return .collect(limit: STSEntrance.longestForm) { body in
                var found = findings
                found.sts.form = body
                return .reconsider(found)
            }
        }
        let request: STSRequest
        do { request = try STSRequest(parameters) } catch { throw STSRefusal(error) }
        notes.operation = request.name
        if case .assumeRoleWithWebIdentity(let role, let token, let wish) = request {
            return try exchange(token, for: role, wish, asking, knowing: findings, noting: &notes)
        }
        let caller: Authenticated
        switch try known(asking, body, knowing: findings) {
        case .unverified(let token): return wait(for: token, asking, knowing: findings)
        case .known(let authenticated): caller = authenticated
        }
        guard caller.principal != .anonymous else { throw STSRefusal(.credentialNeeded) }
        notes.principal = caller.principal
        do { notes.permit = try limit(caller, asking, holding: findings.permit) } catch {
            throw STSRefusal(error)
        }
        notes.outcome = .allowed
        notes.reason = caller.note
        guard case .assumeRole(let role, let wish) = request else {
            return .reply(asking.reply(caller.identity))
        }
        let issue = try SessionIssue(role, wish, for: caller, asking)
        notes.reason = issue.reason
        return issue.plan
    }

    /// Everybody may ask, but nobody as often as it takes to wear us out.
    private func countAsking(_ asking: Asking) throws(STSRefusal) {
        guard let address = asking.origin.client ?? asking.origin.peer,
            let over = limiter.count(.sts(from: address), .sts, at: asking.now)
        else { return }
        throw STSRefusal(
            .limited(
                S3Error(.tooManyRequests, retryAfter: Int(over.retryAfterSeconds)),
                reason: "too many requests for sessions from one address"
            )
        )
    }

    /// Who asks. Signatures are of the service `sts`, and cover the body.
    private mutating func known(
        _ asking: Asking,
        _ body: [UInt8],
        knowing findings: Findings
    ) throws(STSRefusal) -> Authentication {
        let server = asking.snapshot.server
        guard let query = try? Query(parsing: asking.head.query ?? []) else {
            throw STSRefusal(STSError(.malformedQuery))
        }
        let hash = Array(SHA256.hash(data: body))
        let authentication: Authentication
        do throws(Refusal) {
            authentication = try authenticator.authenticate(
                asking,
                query,
                knowing: findings,
                tokens,
                resource: .own,
                service: .sts(body: .sha256(hash))
            ) { host in ReservedPath.isPathStyle(host, server) }
        } catch {
            throw STSRefusal(error)
        }
        guard case .known(let caller) = authentication else { return authentication }
        switch caller.payload {
        case .sha256(let stated) where stated == hash: return authentication
        // Of callers who sign nothing.
        case .unsigned where !caller.isSigner: return authentication
        case .sha256, .unsigned, .chunked:
            throw .unauthenticated(STSError(.signature), "the signature does not cover the body", "signature_mismatch")
        }
    }

    // MARK: - Tokens of identity providers

    private func exchange(
        _ text: String,
        for name: RoleName,
        _ wish: SessionWish,
        _ asking: Asking,
        knowing findings: Findings,
        noting notes: inout Decision
    ) throws(STSRefusal) -> Plan {
        guard asking.head.fields.count(of: "authorization") == 0, asking.head.fields.count(of: "x-api-key") == 0 else {
            throw STSRefusal(STSError(.invalidParameterCombination, "Exactly one credential is allowed."))
        }
        guard let token = BearerToken(text.utf8) else {
            throw .unauthenticated(STSError(.invalidIdentityToken), "the token is malformed", "malformed_token")
        }
        guard let finding = findings.sts.token else {
            return .wait { [tokens] in
                var found = findings
                found.sts.token = await tokens.verify(forSession: token, under: asking.snapshot, at: asking.now)
                return .reconsider(found)
            }
        }
        let issue = try SessionIssue(name, wish, for: try Self.identity(finding), asking)
        notes.principal = issue.principal
        notes.outcome = .allowed
        notes.reason = issue.reason
        return issue.plan
    }

    private static func identity(_ finding: TokenFinding) throws(STSRefusal) -> TokenIdentity {
        switch finding {
        case .verified(let identity): return identity
        case .unavailable(let reason):
            throw .unauthenticated(STSError(.idpCommunication), reason, "issuer_unavailable")
        case .refused(let reason, let failure):
            let code: STSError.Code =
                switch failure.description {
                case "expired_token": .expiredWebIdentity
                case "token_claims": .idpRejectedClaim
                default: .invalidIdentityToken
                }
            throw .unauthenticated(STSError(code), reason, failure)
        }
    }
}

extension Asking {
    func reply(_ error: STSError) -> Reply {
        var reply = Self.document(error.document(requestID: requestID.description), status: error.status)
        if let retryAfter = error.retryAfter { reply.fields.append("retry-after", String(retryAfter)) }
        reply.error = (error.code.rawValue, error.message)
        return reply
    }

    func reply(_ answer: STSAnswer) -> Reply {
        Self.document(answer.document(requestID: requestID.description), status: 200)
    }

    private static func document(_ text: [UInt8], status: Int) -> Reply {
        var fields = FieldBlock(reservingBytes: 96, fields: 3)
        fields.append("content-type", "text/xml")
        fields.append("cache-control", "no-store")
        return Reply(status: status, fields: fields, body: text)
    }
}

extension Authenticated {
    /// Whether the request is signed.
    fileprivate var isSigner: Bool {
        switch holder {
        case .accessKey, .session: true
        case .user, .token, nil: false
        }
    }

    /// The answer to GetCallerIdentity.
    fileprivate var identity: STSAnswer {
        let account = STSAnswer.account
        switch principal {
        case .role(let id, let name):
            return .getCallerIdentity(
                arn: "arn:aws:sts::\(account):assumed-role/\(id)/\(name)",
                userID: "\(sessionID):\(name)"
            )
        case .user(let name), .key(let name):
            return .getCallerIdentity(arn: "arn:aws:iam::\(account):user/\(name)", userID: principal.description)
        case .identityProvider(let provider, let subject):
            return .getCallerIdentity(
                arn: "arn:aws:sts::\(account):federated-user/\(provider)/\(subject)",
                userID: principal.description
            )
        case .link, .anonymous:
            return .getCallerIdentity(arn: "arn:aws:iam::\(account):anonymous", userID: principal.description)
        }
    }
}
