public import Admission
import HTTP1
public import Identity
import S3API
public import Signatures
public import WireFormats

/// A request whose sender is known: a verified credential, or none where none was presented. Only this file makes one,
/// so that nothing can be admitted that was not authenticated.
public struct Authenticated: Sendable {
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
    let holder: URLKey.Holder?
    /// The id of the URL that was issued to somebody and is used now; empty: none is.
    let issuedID: String
    /// What the caller's token says: a JSON object; empty where there is no token.
    let claims: [UInt8]
    /// What the log shall say of how the caller was known, where it is not the usual way; else empty.
    let remark: StaticString

    /// ``remark``, and which URL it was.
    var note: String { issuedID.isEmpty ? "\(remark)" : "\(remark) \(issuedID)" }

    fileprivate init(
        principal: Principal,
        basis: RightsBasis,
        payload: PayloadHash,
        chunkSignatures: ChunkSignatures? = nil,
        expiresAt: Instant? = nil,
        holder: URLKey.Holder? = nil,
        issuedID: String = "",
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

/// What version 2 signs as the resource, beside the path.
enum SignedResource {
    /// A bucket or an object; the bucket where the host names it.
    case s3(bucketInHost: String?)
    /// Something of Gatehouse's own: version 2 knows nothing of it.
    case own
}

/// Finds out who asks. One credential at most; a credential that fails is a refusal and never an anonymous request.
struct Authenticator {
    private var keys = SigningKeyCache()

    /// - Parameter agrees: whether the request would be about the same thing if it had been sent to that host.
    mutating func authenticate(
        _ asking: Asking,
        _ query: Query,
        knowing findings: Findings,
        _ tokens: any TokenVerifier,
        resource: SignedResource,
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
        if apiKeys > 0 {
            guard apiKeys == 1, presented == nil else {
                throw .unauthenticated(
                    S3Error(.invalidRequest, "Exactly one credential is allowed."),
                    reason: "two credentials",
                    failure: "two_credentials"
                )
            }
            return .known(try user(head, under: asking.snapshot))
        }
        guard let presented else {
            // A token without a signature would otherwise be a credential that is silently ignored.
            guard head.fields.count(of: "x-amz-security-token") == 0 else {
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
            guard let finding = findings.token ?? tokens.known(token, under: asking.snapshot, at: asking.now) else {
                return .unverified(token)
            }
            return .known(try bearer(finding, asking))
        }
        if case .presignedV2(let presigned) = presented {
            return .known(try signer(presigned, query, asking, resource))
        }
        return .known(try signer(presented, query, asking, agrees: agrees))
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

    private func user(_ head: RequestHead, under snapshot: Snapshot) throws(Refusal) -> Authenticated {
        guard let key = head.fields.first("x-api-key"), let user = snapshot.apiKeys.user(presenting: Array(key))
        else {
            throw .unauthenticated(S3Error(.invalidAPIKey), reason: "unknown API key", failure: "unknown_api_key")
        }
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
            if URLKeyring.issued(presigned.scope.accessKeyID) {
                return try urlHolder(presented, presigned, query, asking, agrees: agrees)
            }
        case .header: break
        }
        let key: AccessKey
        do {
            key = try snapshot.accessKeys.find(presented.accessKeyID ?? "", at: asking.now)
        } catch {
            throw Self.refusal(error)
        }
        do {
            if try presented.securityToken(in: head) != nil {
                throw Self.tokenOfLongLivedKey
            }
            let verified = try SigV4.verify(
                presented,
                head: head,
                query: query,
                hosts: asking.origin.signedHosts(where: agrees),
                secret: key.secret,
                now: asking.now,
                region: snapshot.server.region,
                keys: &keys
            )
            return Authenticated(
                principal: key.principal,
                basis: .scopes(snapshot.keyScopes[key.id] ?? []),
                payload: verified.payload,
                chunkSignatures: verified.chunkSignatures,
                expiresAt: key.expiresAt,
                holder: .accessKey(key.id)
            )
        } catch let refusal as SignatureRefusal {
            throw Self.refusal(refusal)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw .unauthenticated(S3Error(.internalError), reason: "\(type(of: error))", failure: "internal")
        }
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
        let (owner, end) = try rights(of: key.holder, asking)
        return Authenticated(
            principal: owner.principal,
            basis: owner.rights,
            payload: verified.payload,
            expiresAt: end,
            holder: key.holder,
            issuedID: key.id,
            remark: "signed url"
        )
    }

    /// What the owner of a URL may do now.
    private func rights(
        of holder: URLKey.Holder,
        _ asking: Asking
    ) throws(Refusal) -> (owner: (principal: Principal, rights: RightsBasis), end: Instant?) {
        let snapshot = asking.snapshot
        switch holder {
        case .user(let name):
            guard let user = snapshot.apiKeys.user(named: name) else { throw Self.refusal(AccessKeyRefusal.unknown) }
            return ((user.principal, .user(user.role, user.allowedBuckets)), nil)
        case .accessKey(let id):
            do {
                let key = try snapshot.accessKeys.find(id, at: asking.now)
                return ((key.principal, .scopes(snapshot.keyScopes[id] ?? [])), key.expiresAt)
            } catch {
                throw Self.refusal(error)
            }
        case .token(let identity):
            guard asking.now < identity.expiresAt else { throw Self.refusal(AccessKeyRefusal.expired) }
            // With its provider goes what rests on its tokens.
            guard let templates = snapshot.tokenScopes[identity.provider] else {
                throw Self.refusal(AccessKeyRefusal.unknown)
            }
            let scopes = templates.compactMap { $0.scope(for: identity.claims) }
            return ((identity.principal, .scopes(scopes)), identity.expiresAt)
        }
    }

    /// A URL that is signed with version 2.
    private func signer(
        _ presigned: PresignedQueryV2,
        _ query: Query,
        _ asking: Asking,
        _ resource: SignedResource
    ) throws(Refusal) -> Authenticated {
        let snapshot = asking.snapshot
        guard snapshot.server.acceptsSigV2, case .s3(let bucket) = resource else {
            throw Self.refusal(.signatureVersion2)
        }
        let key: AccessKey
        do {
            key = try snapshot.accessKeys.find(presigned.accessKeyID, at: asking.now)
        } catch {
            throw Self.refusal(error)
        }
        guard presigned.securityToken == nil, asking.head.fields.count(of: "x-amz-security-token") == 0 else {
            throw Self.tokenOfLongLivedKey
        }
        do {
            let verified = try SigV2.verify(
                presigned,
                head: asking.head,
                query: query,
                bucket: bucket,
                secret: key.secret,
                now: asking.now
            )
            return Authenticated(
                principal: key.principal,
                basis: .scopes(snapshot.keyScopes[key.id] ?? []),
                payload: verified.payload,
                expiresAt: key.expiresAt,
                holder: .accessKey(key.id),
                remark: "sigv2 presigned"
            )
        } catch {
            throw Self.refusal(error)
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
            let key = try snapshot.accessKeys.find(signature.accessKeyID, at: asking.now)
            guard signature.securityToken == nil else { throw Self.tokenOfLongLivedKey }
            let policy = try PostPolicy(field: signature.policy)
            try signature.verify(
                secret: key.secret,
                expiration: policy.expiration,
                now: asking.now,
                region: snapshot.server.region
            )
            let caller = Authenticated(
                principal: key.principal,
                basis: .scopes(snapshot.keyScopes[key.id] ?? []),
                payload: .unsigned,
                expiresAt: key.expiresAt,
                holder: .accessKey(key.id),
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

    private static let tokenOfLongLivedKey = Refusal.unauthenticated(
        S3Error(.invalidToken),
        reason: "a session token for a long-lived key",
        failure: "session_token_unsupported"
    )

    /// Callers without a signature may still state the payload's hash, and it is held against the body all the same.
    private static func statedPayload(_ head: RequestHead) throws(Refusal) -> PayloadHash {
        guard let stated = head.fields.first("x-amz-content-sha256") else { return .unsigned }
        guard head.fields.count(of: "x-amz-content-sha256") == 1, let payload = PayloadHash(stated) else {
            let refusal = PayloadHash.refusal(of: stated)
            throw .request(S3Error(codes[refusal.s3Code] ?? .invalidArgument, refusal.publicMessage))
        }
        return payload
    }

    private static func refusal(_ refusal: SignatureRefusal) -> Refusal {
        let code = codes[refusal.s3Code] ?? .accessDenied
        return .unauthenticated(
            S3Error(code, refusal.publicMessage),
            reason: refusal.reason,
            failure: failureLabel(refusal)
        )
    }

    private static func refusal(_ refusal: AccessKeyRefusal) -> Refusal {
        switch refusal {
        case .unknown:
            .unauthenticated(S3Error(.invalidAccessKeyID), reason: refusal.rawValue, failure: "unknown_access_key")
        case .disabled:
            .unauthenticated(S3Error(.invalidAccessKeyID), reason: refusal.rawValue, failure: "disabled_access_key")
        case .expired:
            .unauthenticated(S3Error(.invalidAccessKeyID), reason: refusal.rawValue, failure: "expired_access_key")
        }
    }

    private static let codes = Dictionary(
        S3Error.Code.allCases.map { ($0.name, $0) },
        uniquingKeysWith: { first, _ in first }
    )

    private static func failureLabel(_ refusal: SignatureRefusal) -> StaticString {
        switch refusal {
        case .twoSignatures: "two_credentials"
        case .signatureVersion2: "signature_version_2"
        case .emptyAuthorization, .malformed, .missingContentSHA256, .malformedContentSHA256, .payloadFormNotSupported,
            .conflictingContentSHA256, .malformedPath, .ambiguousParameter, .repeatedHeader:
            "malformed_signature"
        case .wrongRegion: "wrong_region"
        case .missingDate, .requestTimeTooSkewed, .notYetValid: "clock_skew"
        case .expired: "expired_signature"
        case .hostNotSigned, .headerNotSigned, .signedHeaderMissing: "unsigned_header"
        case .signatureMismatch: "signature_mismatch"
        }
    }
}
