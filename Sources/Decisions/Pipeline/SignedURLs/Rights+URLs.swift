import Admission
import Backends
import HTTP1
import Identity
import S3API
public import Signatures
public import WireFormats

extension Rights {
    /// Unpredictable bytes that one URL uses up: for its id and for its seal.
    public static let randomBytesOfURL = 28

    /// A URL for what the caller may do now.
    ///
    /// It leads to the store where that is asked for or possible, else back here: always for stores that clients can't
    /// reach or that nothing is signed for. It lasts for what was asked, and never longer than what it rests on.
    ///
    /// - Parameter random: ``randomBytesOfURL`` unpredictable bytes.
    /// - Throws: `AccessDenied`; `NoSuchBucket`; where a URL to the store was asked for, `ProxyOnly` if what permits it
    ///   depends on the request, and `BackendCredentialUnavailable` if nothing signs it at the moment.
    public func url(for wish: URLWish, random: [UInt8], at now: Instant) throws(URLRefusal) -> SignedURL {
        precondition(random.count == Self.randomBytesOfURL, "an id and a nonce")
        let draft = try draft(of: wish, at: now)
        let address: (via: SignedURL.Delivery, url: String, fields: FieldBlock)
        var (term, reason, onGrants): (Term, String, [URLOnGrant]) = (draft.term, draft.verdict.reason, [])
        if let store = draft.store, let request = try signed(store.url, for: wish) {
            address = (.store, request.url, request.fields)
            (term, reason) = (store.term, store.verdict.reason)
            onGrants = URLOnGrant.all(wish, store.verdict, until: term.end)
        } else {
            let signer = try ownSigner(random, at: now)
            guard let url = snapshot.server.url(for: wish, signer: signer, for: term.lifetime, at: now) else {
                throw URLRefusal(S3Error(.internalError), reason: "the public URL can't be signed for")
            }
            address = (.gatehouse, url, wish.fields)
        }
        return SignedURL(
            id: Hex.encode(random.prefix(16)),
            method: wish.method,
            url: address.url,
            fields: address.fields,
            via: address.via,
            expiresAt: term.end,
            cappedBy: term.cap,
            reason: reason,
            onGrants: onGrants
        )
    }

    /// May the caller make the request that is wished for? It is judged by the fields that it has to carry.
    func verdict(on wish: URLWish) -> Verdict {
        verdict(on: wish.actions, at: .object(wish.bucket, wish.key), carrying: wish.fields, wish.query)
    }

    /// What is decided about a URL before anything is signed: the same whenever it is asked for the same moment.
    struct Draft {
        let verdict: Verdict
        /// Of one that leads back here.
        let term: Term
        /// Nil where it has to lead back here.
        let store: (url: StoreURL, term: Term, verdict: Verdict)?
    }

    func draft(of wish: URLWish, at now: Instant) throws(URLRefusal) -> Draft {
        let target = AccessQuestion.Target.object(wish.bucket, wish.key)
        let verdict = verdict(on: wish)
        guard verdict.isAllowed else { throw URLRefusal(S3Error(.accessDenied), reason: verdict.reason) }
        guard !needsAbsentState(for: verdict) else { throw .stateAway }
        guard let bucket = snapshot.bucket(wish.bucket) else { throw URLRefusal(S3Error(.noSuchBucket)) }
        let until = try applicationLimit(on: wish, target)
        return Draft(
            verdict: verdict,
            term: try term(of: wish.limited(to: end(of: verdict)), within: until, at: now),
            store: try storeURL(for: wish, bucket, target, within: until, at: now)
        )
    }

    /// What signs a URL or a form that leads back here, in the caller's name.
    func ownSigner(_ random: [UInt8], at now: Instant) throws(URLRefusal) -> SigV4Signer {
        let key = holder.map { holder in
            URLKey(
                random: Array(random.prefix(16)),
                holder: snapshot.needed(of: holder),
                generation: snapshot.generation(of: holder, at: now) ?? ""
            )
        }
        let parts = key.flatMap { snapshot.urlKeys?.parts(of: $0, nonce: Array(random.dropFirst(16))) }
        guard let parts else {
            throw URLRefusal(S3Error(.proxyOnly, "Nothing can be signed on behalf of this caller."))
        }
        return SigV4Signer(
            accessKeyID: parts.accessKeyID,
            secret: parts.secret,
            sessionToken: parts.sessionToken,
            region: snapshot.server.signingRegion
        )
    }

    /// Nil where it has to lead back here. Nobody decides about it again, so that what it rests on is the standing verdict.
    ///
    /// - Throws: `BackendCredentialUnavailable` where nothing but a URL to the store was asked for, and all that lacks is the
    ///   credential that signs it.
    private func storeURL(
        for wish: URLWish,
        _ bucket: Bucket,
        _ target: AccessQuestion.Target,
        within applicationLimit: Instant?,
        at now: Instant
    ) throws(URLRefusal) -> (url: StoreURL, term: Term, verdict: Verdict)? {
        let backend = bucket.backend
        let lacksCredential = bucket.lacksURLCredential(at: now) && backend.hasURLs(of: wish.method)
        guard wish.via != .gatehouse, bucket.isReachedByClients(of: snapshot.server),
            lacksCredential ? wish.via == .store : bucket.signsURLs(of: wish.method, at: now)
        else { return nil }
        let transport = (backend.publicEndpoint ?? backend.endpoint).transport
        let standing = standingVerdict(on: wish.actions, at: target, over: transport == .tls ? .tls : .plain)
        guard standing.isAllowed else {
            guard wish.via == .store else { return nil }
            throw URLRefusal(S3Error(.proxyOnly), reason: "depends on the request: \(standing.reason)")
        }
        guard !needsAbsentState(for: standing) else { throw .stateAway }
        guard !lacksCredential else {
            throw URLRefusal(
                S3Error(.backendCredentialUnavailable, retryAfter: 1),
                reason: "no credential that signs for the store"
            )
        }
        let term = try storeTerm(of: wish, bucket, resting: standing, within: applicationLimit, at: now)
        do {
            return try StoreURL(wish, bucket, for: term.lifetime, at: now).map { ($0, term, standing) }
        } catch {
            throw URLRefusal(error)
        }
    }

    /// Until when the application allows it; nil where it says nothing of that. Where it was not asked (see
    /// ``hearing(about:at:)``), nothing is issued.
    func applicationLimit(
        on wish: URLWish,
        _ target: AccessQuestion.Target
    ) throws(URLRefusal) -> Instant? {
        guard snapshot.authorizer != nil else { return nil }
        switch heard[Wish(wish.actions, at: target)] {
        case .granted(let until)?: return until
        case .denied(let reason)?: throw URLRefusal(S3Error(.accessDenied), reason: reason)
        case nil: throw URLRefusal(S3Error(.accessDenied), reason: "authorizer_unavailable: not asked")
        }
    }

    /// How long something of a store lasts that rests on that verdict.
    func storeTerm(
        of wish: URLWish,
        _ bucket: Bucket,
        resting standing: Verdict,
        within applicationLimit: Instant?,
        at now: Instant
    ) throws(URLRefusal) -> Term {
        let limited = wish.limited(by: bucket.urls, at: now).limited(to: end(of: standing))
        return try term(of: limited, within: applicationLimit, at: now)
    }

    typealias Term = (lifetime: Duration, end: Instant, cap: SignedURL.Cap?)

    /// How long it lasts, in the whole seconds that signatures count from the whole second of their date.
    func term(
        of wish: URLWish,
        within applicationLimit: Instant?,
        at now: Instant
    ) throws(URLRefusal) -> Term {
        let start = Instant(secondsSince1970: now.secondsSince1970)
        var end = start + wish.lifetime
        var cap: SignedURL.Cap?
        var limits = wish.limits
        limits.append((.maximum, start + S3Backend.longestPresigned))
        if let applicationLimit { limits.append((.authorizer, applicationLimit)) }
        if let credentialExpiresAt { limits.append((.callerCredential, credentialExpiresAt)) }
        for limit in limits where limit.until < end { (end, cap) = (limit.until, limit.cap) }
        let seconds = end.secondsSince1970 - start.secondsSince1970
        guard seconds > 0 else { throw URLRefusal(S3Error(.expiredToken), reason: "nothing is left of its time") }
        return (.seconds(seconds), start + .seconds(seconds), cap)
    }
}

extension URLWish {
    /// The same, but on grants of which the first ends then.
    func limited(to end: Instant?) -> URLWish {
        guard let end else { return self }
        var wish = self
        wish.limits.append((.grant, end))
        return wish
    }
}

extension Bucket {
    /// Whether a client that reaches us reaches the store too: where the configuration says under which address it does,
    /// or there is no reason to think otherwise.
    func isReachedByClients(of server: ServerSettings) -> Bool {
        guard kind != .file else { return false }
        if backend.publicEndpoint != nil { return true }
        guard backend.endpoint.isOnNetwork else { return false }
        return !backend.endpoint.isLoopback || Endpoint(url: server.view.publicURL)?.isLoopback == true
    }
}

extension ServerSettings {
    /// What URLs to ourselves are signed for.
    public var signingRegion: String { region == "*" ? "us-east-1" : region }

    /// A URL that leads to a key through Gatehouse; nil where the public URL is none.
    public func url(for wish: URLWish, signer: SigV4Signer, for lifetime: Duration, at now: Instant) -> String? {
        guard let endpoint = Endpoint(url: view.publicURL) else { return nil }
        var path = Array("/\(wish.bucket)/".utf8)
        PercentEncoding.append((wish.place ?? wish.key).bytes, to: &path, keepSlash: .keep)
        return signer.url(
            wish.method,
            transport: endpoint.transport,
            host: endpoint.authority,
            path: path,
            query: wish.query,
            fields: wish.fields,
            for: lifetime,
            at: now
        )
    }
}

extension Endpoint {
    fileprivate var isOnNetwork: Bool { if case .tcp = address { true } else { false } }
}
