import Admission
public import Backends
import HTTP1
import S3API
public import WireFormats

/// A form that uploads one file, and how long it is good.
public struct SignedForm: Sendable {
    public let form: PostedForm
    /// 32 lower-case hexadecimal digits, which the audit log knows its use by where it leads back here.
    public let id: String
    public let via: SignedURL.Delivery
    public let expiresAt: Instant
    public let cappedBy: SignedURL.Cap?
    /// The rule that allowed it, for the log.
    public let reason: String
    /// What has to be kept before it is handed out: one of a store that rests on grants, for each of them.
    public let onGrants: [URLOnGrant]
}

extension Rights {
    /// A form for what the caller may do now. It leads to the store where that is possible, else back here, as
    /// ``url(for:random:at:)`` has it.
    ///
    /// - Parameters:
    ///   - length: of the file, in bytes.
    ///   - random: ``randomBytesOfURL`` unpredictable bytes.
    /// - Throws: `AccessDenied`; `NoSuchBucket`; `ProxyOnly` where none can be signed on behalf of the caller.
    public func form(
        for wish: URLWish,
        length: Int64,
        random: [UInt8],
        at now: Instant
    ) throws(URLRefusal) -> SignedForm {
        precondition(random.count == Self.randomBytesOfURL, "an id and a nonce")
        let target = AccessQuestion.Target.object(wish.bucket, wish.key)
        let verdict = verdict(on: wish)
        guard verdict.isAllowed else { throw URLRefusal(S3Error(.accessDenied), reason: verdict.reason) }
        guard !needsAbsentState(for: verdict) else { throw .stateAway }
        guard let bucket = snapshot.bucket(wish.bucket) else { throw URLRefusal(S3Error(.noSuchBucket)) }
        let until = try applicationLimit(on: wish, target)
        var term = try term(of: wish.limited(to: end(of: verdict)), within: until, at: now)
        var (reason, onGrants): (String, [URLOnGrant]) = (verdict.reason, [])
        let address: (via: SignedURL.Delivery, form: PostedForm)
        if let store = try storeForm(for: wish, bucket, target, length: length, within: until, at: now) {
            address = (.store, store.form)
            (term, reason) = (store.term, store.verdict.reason)
            onGrants = URLOnGrant.all(wish, store.verdict, until: term.end)
        } else {
            let form = PostedForm(
                url: "\(snapshot.server.view.publicURL)/\(wish.bucket)",
                bucket: wish.bucket.string,
                key: (wish.place ?? wish.key).string,
                fields: wish.fields,
                length: length,
                signer: try ownSigner(random, at: now),
                until: term.end,
                at: now
            )
            address = (.gatehouse, form)
        }
        return SignedForm(
            form: address.form,
            id: Hex.encode(random.prefix(16)),
            via: address.via,
            expiresAt: term.end,
            cappedBy: term.cap,
            reason: reason,
            onGrants: onGrants
        )
    }

    /// Nil where it has to lead back here.
    private func storeForm(
        for wish: URLWish,
        _ bucket: Bucket,
        _ target: AccessQuestion.Target,
        length: Int64,
        within applicationLimit: Instant?,
        at now: Instant
    ) throws(URLRefusal) -> (form: PostedForm, term: Term, verdict: Verdict)? {
        guard bucket.signsURLs(of: .post, at: now) else { return nil }
        let place = bucket.backend.publicEndpoint ?? bucket.backend.endpoint
        let standing = standingVerdict(on: wish.actions, at: target, over: place.transport == .tls ? .tls : .plain)
        guard bucket.isReachedByClients(of: snapshot.server), standing.isAllowed else { return nil }
        guard !needsAbsentState(for: standing) else { throw .stateAway }
        let term = try storeTerm(of: wish, bucket, resting: standing, within: applicationLimit, at: now)
        do throws(S3Error) {
            let form = try bucket.backend.postForm(
                wish.place ?? wish.key,
                fields: wish.fields,
                length: length,
                until: term.end,
                at: now
            )
            return form.map { ($0, term, standing) }
        } catch {
            throw URLRefusal(error)
        }
    }
}
