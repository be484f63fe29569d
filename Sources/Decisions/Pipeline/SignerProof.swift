import Admission
import Identity
import S3API
import WireFormats

/// What a signature has to be made with, and who is known by it.
struct SignerProof {
    let holder: CredentialHolder
    let secret: Secret<String>
    let policies: [PolicyDocument]
}

/// Finds what ids of access keys stand for: entries of the configuration, and sessions, which their tokens are. A value
/// confined to its loop.
struct SignerProofs {
    private var sessions = OpenSessions()

    /// The access key of that id, or the session that the token is.
    mutating func find(_ id: String, _ token: [UInt8]?, _ asking: Asking) throws(Refusal) -> SignerProof {
        guard SessionKeyring.issued(id) else {
            let key: AccessKey
            do {
                key = try asking.snapshot.accessKeys.find(id, at: asking.now)
            } catch {
                throw Authenticator.refusal(error)
            }
            guard token == nil else { throw Authenticator.tokenOfLongLivedKey }
            return SignerProof(holder: .accessKey(key.id), secret: key.secret, policies: [])
        }
        guard let token, let open = try sessions.open(token, accessKeyID: id, under: asking.snapshot) else {
            throw .unauthenticated(
                S3Error(.invalidToken),
                reason: token == nil ? "a session's key without its token" : "the session token is none of ours",
                failure: "session_token"
            )
        }
        return SignerProof(holder: .session(open.session), secret: open.secret, policies: open.policies)
    }

    /// The signature was right: whoever shows the session that was found last has its secret too.
    mutating func keepNewcomer() { sessions.keepNewcomer() }
}
