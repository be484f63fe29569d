import HTTP1
public import Signatures
public import WireFormats

/// What requests to Google Cloud Storage are authorized with.
public enum GoogleCredential: Sendable {
    /// Nothing: what everybody may read.
    case anonymous
    /// An HMAC key: every request is signed, and so are URLs.
    case hmac(GoogleSigner)
    /// A service account's own key: requests carry the token that was issued for it, once there is one; URLs are signed with
    /// the key itself.
    case serviceAccount(GoogleServiceAccount, token: Secret<String>?)
    /// An access token; where it is a service account's, somebody signs URLs in its name.
    case token(Secret<String>, signedAs: String?)
}

extension GoogleCredential {
    /// What URLs and forms for clients are signed with.
    var urlSigner: GoogleSigner? {
        switch self {
        case .anonymous, .token: nil
        case .hmac(let signer): signer
        case .serviceAccount(let account, token: _): account.signer
        }
    }

    var signsURLs: Bool {
        switch self {
        case .anonymous: false
        case .hmac, .serviceAccount: true
        case .token(_, signedAs: let account): account != nil
        }
    }

    /// What signs requests as a whole, so that a signature is good for nothing else: a token is good for everything.
    var requestSigner: GoogleSigner? {
        if case .hmac(let signer) = self { signer } else { nil }
    }

    var isAnonymous: Bool {
        if case .anonymous = self { true } else { false }
    }

    /// Whether both act for the same account, so that what one may read the other may copy.
    func isSame(as other: GoogleCredential) -> Bool {
        switch (self, other) {
        case (.anonymous, .anonymous): true
        case (.hmac(let mine), .hmac(let theirs)): mine.identity == theirs.identity
        case (.serviceAccount(let mine, token: _), .serviceAccount(let theirs, token: _)): mine.email == theirs.email
        case (.token(let mine, signedAs: _), .token(let theirs, signedAs: _)): mine.reveal() == theirs.reveal()
        default: false
        }
    }
}
