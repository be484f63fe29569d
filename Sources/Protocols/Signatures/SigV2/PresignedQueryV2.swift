import HTTP1
public import WireFormats

/// The signature parameters of a version 2 presigned URL, taken apart (S3 Developer Guide, "Signing and Authenticating
/// REST Requests", "Query String Request Authentication Alternative"): `AWSAccessKeyId`, `Expires` and `Signature`, each
/// exactly once and in this spelling.
public final class PresignedQueryV2: Sendable {
    /// 1...128 bytes of visible ASCII.
    public let accessKeyID: String
    /// The last second at which the URL is good.
    public let expiresAt: Instant
    /// 20 bytes.
    public let signature: [UInt8]
    /// `x-amz-security-token`, in any case.
    public let securityToken: [UInt8]?
    /// `Expires` as sent.
    let expiresText: [UInt8]

    init(of query: Query) throws(SignatureRefusal) {
        accessKeyID = String(decoding: try Self.required(.accessKeyID, "AWSAccessKeyId", query), as: UTF8.self)
        expiresText = try Self.required(.expires, "Expires", query)
        let proof = try Self.required(.signature, "Signature", query)
        securityToken = try Self.token(query)

        guard (1...128).contains(accessKeyID.utf8.count), accessKeyID.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { throw .malformed(.queryV2, .malformed(.accessKeyID)) }
        guard let signature = Self.signature(proof) else { throw .malformed(.queryV2, .malformed(.signature)) }
        self.signature = signature
        expiresAt = try Self.instant(expiresText)
    }

    private static func required(
        _ parameter: SignatureRefusal.Parameter,
        _ name: StaticString,
        _ query: Query
    ) throws(SignatureRefusal) -> [UInt8] {
        guard query.count(of: name) < 2 else { throw .malformed(.queryV2, .repeated(parameter)) }
        guard let value = query.first(name) else { throw .malformed(.queryV2, .missing(parameter)) }
        return value
    }

    private static func token(_ query: Query) throws(SignatureRefusal) -> [UInt8]? {
        var token: [UInt8]?
        try query.forEach { (name, value, _) throws(SignatureRefusal) in
            guard name.count == 20, name.lazy.map(lowered).elementsEqual("x-amz-security-token".utf8) else { return }
            guard token == nil else { throw .malformed(.queryV2, .repeated(.securityToken)) }
            token = Array(value)
        }
        return token
    }

    /// An HMAC-SHA1 is 28 characters of base 64: one spelling each. Also that of a form.
    static func signature(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count == 28, let bytes = Base64.decode(text), bytes.count == 20 else { return nil }
        return bytes
    }

    /// Seconds since 1970 in plain decimal digits, without sign, space or leading zero.
    private static func instant(_ text: [UInt8]) throws(SignatureRefusal) -> Instant {
        guard (1...12).contains(text.count), text.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }),
            text.count == 1 || text.first != UInt8(ascii: "0")
        else { throw .malformed(.queryV2, .malformed(.expires)) }
        return Instant(secondsSince1970: text.reduce(Int64(0)) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) })
    }
}
