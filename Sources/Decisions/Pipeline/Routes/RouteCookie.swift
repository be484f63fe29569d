import HTTP1
import Identity
import S3API

/// The token in a cookie of an identity provider, for what a page embeds: `<img>` and `<video>` send no other credential.
///
/// A browser sends cookies with requests that its user never meant, so this one is good for looking only (GET and HEAD
/// of routes), and is not even read where a credential was shown on purpose.
enum RouteCookie {
    /// A cookie that was sent.
    struct Presented {
        let token: BearerToken
        /// The only ones whose token it may be.
        let providers: Set<String>
    }

    /// Nil where none of the providers' cookies was sent.
    ///
    /// - Throws: for one that was sent twice, since one of them may have been planted, and one that can't be a token.
    static func find(
        in head: RequestHead,
        of providers: [IdentityProvider]
    ) throws(Refusal) -> Presented? {
        guard head.method == .get || head.method == .head, head.fields.count(of: "cookie") > 0 else { return nil }
        var found: (name: String, value: ArraySlice<UInt8>)?
        for entry in head.fields.entries where head.fields.isNamed(entry, "cookie") {
            for pair in head.fields.value(entry).split(separator: UInt8(ascii: ";")) {
                let text = pair.drop { $0 == 0x20 || $0 == 0x09 }
                guard let equals = text.firstIndex(of: UInt8(ascii: "=")),
                    let name = providers.lazy.compactMap(\.cookie).first(where: {
                        text[..<equals].elementsEqual($0.utf8)
                    })
                else { continue }
                guard found == nil else { throw refusal("two tokens in cookies", "two_credentials") }
                found = (name, trimmed(text[(equals + 1)...]))
            }
        }
        guard let found else { return nil }
        guard let token = BearerToken(found.value) else { throw refusal("a cookie without a token", "malformed_token") }
        return Presented(
            token: token,
            providers: Set(providers.filter { $0.cookie == found.name }.map(\.name))
        )
    }

    static func refusal(_ reason: String, _ failure: StaticString) -> Refusal {
        .unauthenticated(S3Error(.invalidBearerToken), reason: reason, failure: failure)
    }

    /// Without the space and the quotation marks that may stand around a value (RFC 6265, section 4.1.1).
    private static func trimmed(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var value = value
        while let last = value.last, last == 0x20 || last == 0x09 { value.removeLast() }
        guard value.count >= 2, value.first == UInt8(ascii: "\""), value.last == UInt8(ascii: "\"") else {
            return value
        }
        return value.dropFirst().dropLast()
    }
}
