public import Admission
import HTTP1
public import Identity
import S3API
public import Signatures
public import WireFormats

/// A request whose sender is known: a verified credential, or none where none was presented. Only this file makes one,
/// so that nothing can be admitted that was not authenticated. Held by reference, since every stage has a look at it.
public final class Authenticated: Sendable {
    public let principal: Principal
    /// What the caller's own entry in the configuration permits.
    public let basis: RightsBasis
    /// What the body must turn out to be.
    public let payload: PayloadHash
    /// What the chunks of a body must carry that says so; else nil.
    public let chunkSignatures: ChunkSignatures?
    /// When what the caller showed ends; nil: never.
    public let expiresAt: Instant?
    /// What the caller showed; nil for anonymous callers.
    let holder: CredentialHolder?
    /// The id of the URL that was issued to somebody and is used now; empty: none is.
    let issuedID: String
    /// What narrows the session that was shown.
    let sessionPolicies: [PolicyDocument]
    /// The session's id; empty where none was shown.
    let sessionID: String
    /// What the caller's token says: a JSON object; empty where there is no token.
    let claims: [UInt8]
    /// What the log shall say of how the caller was known, where it is not the usual way; else empty.
    let remark: StaticString

    /// ``remark``, and which URL or session it was.
    var note: String {
        let id = issuedID.isEmpty ? sessionID : issuedID
        return id.isEmpty ? "\(remark)" : "\(remark) \(id)"
    }

    fileprivate init(
        principal: Principal,
        basis: RightsBasis,
        payload: PayloadHash,
        chunkSignatures: ChunkSignatures? = nil,
        expiresAt: Instant? = nil,
        holder: CredentialHolder? = nil,
        issuedID: String = "",
        sessionPolicies: [PolicyDocument] = [],
        sessionID: String = "",
        claims: [UInt8] = [],
        remark: StaticString = ""
    ) {
        self.principal = principal
        self.basis = basis
        self.payload = payload
        self.chunkSignatures = chunkSignatures
        self.expiresAt = expiresAt
        self.holder = holder
        self.issuedID = issuedID
        self.sessionPolicies = sessionPolicies
        self.sessionID = sessionID
        self.claims = claims
        self.remark = remark
    }

    /// Whoever holds a link: its token is all that they show.
    static func holder(of link: GivenRight) -> Authenticated {
        Authenticated(principal: .link(link.id), basis: .none, payload: .unsigned, expiresAt: link.expiresAt)
    }
}

/// What authentication can say at once.
enum Authentication {
    case known(Authenticated)
    /// Somebody has to be asked about this token first.
    case unverified(BearerToken)
}

/// Finds out who asks. One credential at most; a credential that fails is a refusal and never an anonymous request.
struct Authenticator {
    private var keys = SigningKeyCache()
    private var proofs = SignerProofs()

    /// - Parameter agrees: whether the request would be about the same thing if it had been sent to that host.
    mutating func authenticate(
        _ asking: Asking,
        _ query: Query,
        knowing findings: Findings,
        _ tokens: any TokenVerifier,
        resource: SignedResource,
        service: SignedService = .s3,
        agrees: ([UInt8]) -> Bool
    ) throws(Refusal) -> Authentication {
        let head = asking.head
        let apiKeys = head.fields.count(of: "x-api-key")
        let presented: PresentedSignature?
        do {
            presented = try PresentedSignature.find(in: head, query: query)
        } catch {
            throw Self.refusal(error)
        }
        if query.contains("gh-link") {
            throw .unauthenticated(
                S3Error(.accessDenied),
                reason: "no such link",
                failure: "unknown_link"
            )
        }
        let hasSessionToken = head.fields.count(of: "x-amz-security-token") > 0
        if apiKeys > 0 {
            guard apiKeys == 1, presented == nil, !hasSessionToken else {
                throw Self.twoCredentials
            }
            return .known(try user(asking))
        }
        guard let presented else {
            // A token without a signature would otherwise be a credential that is silently ignored.
            guard !hasSessionToken else {
                throw .unauthenticated(
                    S3Error(.invalidToken),
                    reason: "a session token without a signature",
                    failure: "session_token_unsupported"
                )
            }
            return .known(Authenticated(principal: .anonymous, basis: .none, payload: try Self.statedPayload(head)))
        }
        if case .otherScheme = presented, let value = head.fields.first("authorization"),
            let token = BearerToken(authorization: value)
        {
            guard !hasSessionToken else { throw Self.twoCredentials }
            guard let finding = findings.token ?? tokens.known(token, under: asking.snapshot, at: asking.now) else {
                return .unverified(token)
            }
            return .known(try bearer(finding, asking))
        }
        if case .presignedV2(let presigned) = presented {
            return .known(try signer(presigned, query, asking, resource))
        }
        return .known(try signer(presented, query, asking, service, agrees: agrees))
    }

    /// A token that a cookie carries, of a request that has no other credential.
    func authenticate(
        _ cookie: RouteCookie.Presented,
        _ asking: Asking,
        knowing findings: Findings,
        _ tokens: any TokenVerifier
    ) throws(Refusal) -> Authentication {
        let token = cookie.token
        guard let finding = findings.token ?? tokens.known(token, under: asking.snapshot, at: asking.now) else {
            return .unverified(token)
        }
        if case .verified(let identity) = finding, !cookie.providers.contains(identity.provider) {
            throw RouteCookie.refusal("a token in the cookie of another provider", "unknown_issuer")
        }
        return .known(try bearer(finding, asking))
    }

    private func bearer(_ finding: TokenFinding, _ asking: Asking) throws(Refusal) -> Authenticated {
        switch finding {
        case .verified(let identity):
            guard asking.now < identity.acceptedUntil else {
                throw .unauthenticated(
                    S3Error(.invalidBearerToken),
                    reason: "the token has expired",
                    failure: "expired_token"
                )
            }
            guard !asking.isBlocked(.principal(identity.principal)) else { throw .revoked }
            let templates = asking.snapshot.tokenScopes[identity.provider] ?? []
            return Authenticated(
                principal: identity.principal,
                basis: .scopes(templates.compactMap { $0.scope(for: identity.claims) }),
                payload: try Self.statedPayload(asking.head),
                expiresAt: identity.expiresAt,
                holder: .token(identity),
                claims: identity.document
            )
        case .refused(let reason, let failure):
            throw .unauthenticated(S3Error(.invalidBearerToken), reason: reason, failure: failure)
        case .unavailable(let reason):
            throw .unauthenticated(
                S3Error(.serviceUnavailable, "The token's issuer cannot be reached.", retryAfter: 1),
                reason: reason,
                failure: "issuer_unavailable"
            )
        }
    }

    private func user(_ asking: Asking) throws(Refusal) -> Authenticated {
        let head = asking.head
        guard let key = head.fields.first("x-api-key"),
            let user = asking.snapshot.apiKeys.user(presenting: Array(key))
        else {
            throw .unauthenticated(S3Error(.invalidAPIKey), reason: "unknown API key", failure: "unknown_api_key")
        }
        guard !asking.isBlocked(.principal(user.principal)) else { throw .revoked }
        return Authenticated(
            principal: user.principal,
            basis: .user(user.role, user.allowedBuckets),
            payload: try Self.statedPayload(head),
            holder: .user(user.name)
        )
    }

    private mutating func signer(
        _ presented: PresentedSignature,
        _ query: Query,
        _ asking: Asking,
        _ service: SignedService,
        agrees: ([UInt8]) -> Bool
    ) throws(Refusal) -> Authenticated {
        let (head, snapshot) = (asking.head, asking.snapshot)
        switch presented {
        case .headerV2, .presignedV2: throw Self.refusal(.signatureVersion2)
        case .otherScheme(let scheme):
            throw .unauthenticated(
                S3Error(.accessDenied, "This authorization scheme is not accepted here."),
                reason: "authorization scheme of another kind (\(scheme.count) bytes)",
                failure: "unknown_scheme"
            )
        case .presignedV4(let presigned):
            if case .s3 = service, URLKeyring.issued(presigned.scope.accessKeyID) {
                return try urlHolder(presented, presigned, query, asking, agrees: agrees)
            }
        case .header: break
        }
        do {
            let proof = try proofs.find(presented.accessKeyID ?? "", try presented.securityToken(in: head), asking)
            let verified = try SigV4.verify(
                presented,
                head: head,
                query: query,
                hosts: asking.origin.signedHosts(where: agrees),
                secret: proof.secret,
                now: asking.now,
                region: service.body == nil ? snapshot.server.region : "*",
                service: service.name,
                body: service.body,
                keys: &keys
            )
            return try caller(proof, asking, payload: verified.payload, chunkSignatures: verified.chunkSignatures)
        } catch let refusal as SignatureRefusal {
            throw Self.refusal(refusal)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw .unauthenticated(S3Error(.internalError), reason: "\(type(of: error))", failure: "internal")
        }
    }

    /// Whose signature was right.
    private mutating func caller(
        _ proof: SignerProof,
        _ asking: Asking,
        payload: PayloadHash,
        chunkSignatures: ChunkSignatures? = nil,
        remark: StaticString = ""
    ) throws(Refusal) -> Authenticated {
        let standing = try asking.standing(of: proof.holder, issuedAt: nil)
        guard case .session(let session) = proof.holder else {
            return Authenticated(
                principal: standing.principal,
                basis: standing.basis,
                payload: payload,
                chunkSignatures: chunkSignatures,
                expiresAt: standing.end,
                holder: proof.holder,
                remark: remark
            )
        }
        proofs.keepNewcomer()
        return Authenticated(
            principal: standing.principal,
            basis: standing.basis,
            payload: payload,
            chunkSignatures: chunkSignatures,
            expiresAt: standing.end,
            holder: proof.holder,
            sessionPolicies: proof.policies,
            sessionID: session.id,
            claims: proof.holder.claimsDocument,
            remark: remark.utf8CodeUnitCount == 0 ? "session" : remark
        )
    }

    /// A URL that we signed ourselves for somebody: good for what it was signed for, by whoever holds it, with the rights
    /// that its owner has now.
    private mutating func urlHolder(
        _ presented: PresentedSignature,
        _ presigned: PresignedQuery,
        _ query: Query,
        _ asking: Asking,
        agrees: ([UInt8]) -> Bool
    ) throws(Refusal) -> Authenticated {
        let snapshot = asking.snapshot
        guard asking.head.fields.count(of: "x-amz-security-token") == 0, let token = presigned.securityToken,
            let (key, secret) = snapshot.urlKeys?.open(token, accessKeyID: presigned.scope.accessKeyID)
        else { throw Self.refusal(AccessKeyRefusal.unknown) }
        let verified: VerifiedSignature
        do {
            verified = try SigV4.verify(
                presented,
                head: asking.head,
                query: query,
                hosts: asking.origin.signedHosts(where: agrees),
                secret: secret,
                now: asking.now,
                region: snapshot.server.region,
                keys: &keys
            )
        } catch {
            throw Self.refusal(error)
        }
        return try owner(of: key, asking, signedAt: verified.signedAt, payload: verified.payload, remark: "signed url")
    }

    /// Whom something was signed for by ourselves.
    private func owner(
        of key: URLKey,
        _ asking: Asking,
        signedAt: Instant,
        payload: PayloadHash,
        remark: StaticString
    ) throws(Refusal) -> Authenticated {
        let owner = try asking.standing(of: key.holder, issuedAt: signedAt)
        // The key may have another secret by now.
        guard asking.snapshot.generation(of: key.holder, at: asking.now) == key.generation else {
            throw Self.refusal(AccessKeyRefusal.unknown)
        }
        return Authenticated(
            principal: owner.principal,
            basis: owner.basis,
            payload: payload,
            expiresAt: owner.end,
            holder: key.holder,
            issuedID: key.id,
            sessionPolicies: try key.holder.compiledPolicies,
            claims: key.holder.claimsDocument,
            remark: remark
        )
    }

    /// A URL that is signed with version 2.
    private mutating func signer(
        _ presigned: PresignedQueryV2,
        _ query: Query,
        _ asking: Asking,
        _ resource: SignedResource
    ) throws(Refusal) -> Authenticated {
        let snapshot = asking.snapshot
        guard snapshot.server.acceptsSigV2, case .s3(let bucket) = resource else {
            throw Self.refusal(.signatureVersion2)
        }
        let fields = asking.head.fields.count(of: "x-amz-security-token")
        guard fields == 0 || presigned.securityToken == nil && fields == 1 else {
            throw Self.refusal(SignatureRefusal.repeatedHeader("x-amz-security-token"))
        }
        let token = presigned.securityToken ?? asking.head.fields.first("x-amz-security-token").map { Array($0) }
        let proof = try proofs.find(presigned.accessKeyID, token, asking)
        do {
            let verified = try SigV2.verify(
                presigned,
                head: asking.head,
                query: query,
                bucket: bucket,
                secret: proof.secret,
                now: asking.now
            )
            return try caller(proof, asking, payload: verified.payload, remark: "sigv2 presigned")
        } catch let refusal as SignatureRefusal {
            throw Self.refusal(refusal)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw .unauthenticated(S3Error(.internalError), reason: "\(type(of: error))", failure: "internal")
        }
    }

    /// A form that is signed; nil where it is not, and the head says who asks.
    mutating func authenticate(
        _ form: PostForm,
        _ asking: Asking,
        _ query: Query
    ) throws(Refusal) -> (caller: Authenticated, policy: PostPolicy)? {
        let (head, snapshot) = (asking.head, asking.snapshot)
        do {
            guard let signature = try FormSignature(form.fields.raw) else { return nil }
            guard try PresentedSignature.find(in: head, query: query) == nil, head.fields.count(of: "x-api-key") == 0,
                head.fields.count(of: "x-amz-security-token") == 0, !query.contains("gh-link")
            else { throw SignatureRefusal.twoSignatures }
            let isVersion2 = if case .v2 = signature.version { true } else { false }
            guard !isVersion2 || snapshot.server.acceptsSigV2 else { throw SignatureRefusal.signatureVersion2 }
            if !isVersion2, URLKeyring.issued(signature.accessKeyID) { return try formHolder(signature, asking) }
            let proof = try proofs.find(signature.accessKeyID, signature.securityToken, asking)
            let policy = try PostPolicy(field: signature.policy)
            try signature.verify(
                secret: proof.secret,
                expiration: policy.expiration,
                now: asking.now,
                region: snapshot.server.region
            )
            let caller = try caller(
                proof,
                asking,
                payload: .unsigned,
                remark: isVersion2 ? "sigv2 form" : "sigv4 form"
            )
            return (caller, policy)
        } catch let refusal as SignatureRefusal {
            throw Self.refusal(refusal)
        } catch let refusal as AccessKeyRefusal {
            throw Self.refusal(refusal)
        } catch let refusal as Refusal {
            throw refusal
        } catch let error as S3Error {
            throw .request(error)
        } catch {
            throw .unauthenticated(S3Error(.internalError), reason: "\(type(of: error))", failure: "internal")
        }
    }

    /// A form that we signed ourselves for somebody: as a URL of that kind, with the rights that its owner has now.
    private func formHolder(
        _ signature: FormSignature,
        _ asking: Asking
    ) throws -> (caller: Authenticated, policy: PostPolicy) {
        guard case .v4(_, let signedAt) = signature.version, let token = signature.securityToken,
            let (key, secret) = asking.snapshot.urlKeys?.open(token, accessKeyID: signature.accessKeyID)
        else { throw AccessKeyRefusal.unknown }
        let policy = try PostPolicy(field: signature.policy)
        try signature.verify(
            secret: secret,
            expiration: policy.expiration,
            now: asking.now,
            region: asking.snapshot.server.region
        )
        let caller = try owner(of: key, asking, signedAt: signedAt, payload: .unsigned, remark: "signed form")
        return (caller, policy)
    }
}
