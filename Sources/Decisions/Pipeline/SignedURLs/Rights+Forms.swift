import Admission
public import Backends
import S3API
public import WireFormats

/// A form that uploads one file, and how long it is good.
public struct SignedForm: Sendable {
    public let form: PostedForm
    public let expiresAt: Instant
    public let cappedBy: SignedURL.Cap?
}

extension Rights {
    /// A form of the store for what the caller may do now.
    ///
    /// - Parameter length: of the file, in bytes.
    /// - Throws: `AccessDenied`; `NoSuchBucket`; `ProxyOnly` where the store takes no form from clients.
    public func form(for wish: URLWish, length: Int64, at now: Instant) throws(URLRefusal) -> SignedForm {
        let target = AccessQuestion.Target.object(wish.bucket, wish.key)
        let verdict = verdict(on: wish.actions, at: target)
        guard verdict.isAllowed else { throw URLRefusal(S3Error(.accessDenied), reason: verdict.reason) }
        guard let bucket = snapshot.bucket(wish.bucket) else { throw URLRefusal(S3Error(.noSuchBucket)) }
        let term = try term(of: wish, within: try applicationLimit(on: wish, target), at: now)
        let place = bucket.backend.publicEndpoint ?? bucket.backend.endpoint
        let standing = standingVerdict(on: wish.actions, at: target, over: place.transport == .tls ? .tls : .plain)
        guard bucket.isReachedByClients(of: snapshot.server), standing.isAllowed else {
            throw URLRefusal(S3Error(.proxyOnly, "This bucket takes no forms that are signed here: use mode \"put\"."))
        }
        let form: PostedForm?
        do throws(S3Error) {
            form = try bucket.backend.postForm(
                wish.place ?? wish.key,
                fields: wish.fields,
                length: length,
                until: term.end,
                at: now
            )
        } catch {
            throw URLRefusal(error)
        }
        guard let form else { throw URLRefusal(S3Error(.proxyOnly)) }
        return SignedForm(form: form, expiresAt: term.end, cappedBy: term.cap)
    }
}
