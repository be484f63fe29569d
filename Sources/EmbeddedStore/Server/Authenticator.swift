import HTTP1
import S3API
import Signatures
import Synchronization
import WireFormats

/// Checks that a request was signed with the store's one credential: Signature Version 4 in the header, for every
/// request. There is no anonymous access and no second credential.
final class Authenticator: Sendable {
    private let accessKeyID: String
    private let secret: Secret<String>
    private let region: String
    private let keys = Mutex(SigningKeyCache(capacity: 4))

    init(accessKeyID: String, secret: Secret<String>, region: String) {
        self.accessKeyID = accessKeyID
        self.secret = secret
        self.region = region
    }

    /// What the signature says of the body.
    /// - Throws: `AccessDenied`, `InvalidAccessKeyId`, and the codes of ``SignatureRefusal``.
    func authenticate(_ head: RequestHead, _ query: Query, now: Instant) throws(S3Error) -> PayloadHash {
        do {
            guard let presented = try PresentedSignature.find(in: head, query: query), case .header = presented,
                let presentedID = presented.accessKeyID
            else { throw S3Error(.accessDenied) }
            guard constantTimeEqual(presentedID.utf8, accessKeyID.utf8) else { throw S3Error(.invalidAccessKeyID) }
            let verified = try keys.withLock { keys in
                try SigV4.verify(
                    presented,
                    head: head,
                    query: query,
                    hosts: [head.host],
                    secret: secret,
                    now: now,
                    region: region,
                    keys: &keys
                )
            }
            return verified.payload
        } catch let refusal as SignatureRefusal {
            let code = S3Error.Code.allCases.first { $0.name == refusal.s3Code } ?? .accessDenied
            throw S3Error(code, refusal.publicMessage)
        } catch let error as S3Error {
            throw error
        } catch {
            throw S3Error(.accessDenied)
        }
    }
}
