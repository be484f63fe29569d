package import Signatures
package import WireFormats

/// What requests or URLs are signed with, or requests carry.
package enum StoreCredential: Sendable {
    case keys(AccessKeyPair)
    /// `Authorization: Bearer`.
    case bearer(Secret<String>)
    /// For URLs at Azure.
    case delegation(UserDelegationKey)
}

/// An access key of AWS's kind, of a session where it has a token.
package struct AccessKeyPair: Sendable {
    package let id: String
    package let secret: Secret<String>
    package let sessionToken: Secret<String>?

    package init(id: String, secret: Secret<String>, sessionToken: Secret<String>?) {
        self.id = id
        self.secret = secret
        self.sessionToken = sessionToken
    }
}

/// A credential with its end.
package struct TimedCredential: Sendable {
    package let credential: StoreCredential
    package let expiresAt: Instant
}

/// The shape of what services hand out: it becomes part of header fields.
enum TokenShape {
    /// Visible ASCII, at most `longest` bytes, not empty.
    static func isToken(_ text: String, longest: Int) -> Bool {
        (1...longest).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// As above, without what separates an id from what follows it in a credential scope or a field.
    static func isAccessKeyID(_ text: String) -> Bool {
        isToken(text, longest: 128) && !text.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ",") }
    }

    /// - Throws: where any part could not be sent.
    static func pair(
        _ service: String,
        id: String,
        secret: String,
        sessionToken: String
    ) throws(ExchangeFailure) -> AccessKeyPair {
        guard isAccessKeyID(id), isToken(secret, longest: 1024), isToken(sessionToken, longest: 16_384) else {
            throw ExchangeFailure("\(service) answered with a credential that can't be used")
        }
        return AccessKeyPair(id: id, secret: Secret(secret), sessionToken: Secret(sessionToken))
    }
}
