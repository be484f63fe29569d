public import HTTP1
public import WireFormats

/// How a request says it is signed, taken apart but not yet verified.
public enum PresentedSignature: Sendable {
    /// Signature Version 4 in the `Authorization` header.
    case header(HeaderAuthorization)
    /// Signature Version 4 in the query: a presigned URL.
    case presignedV4(PresignedQuery)
    /// Signature Version 2 in the query: a presigned URL.
    case presignedV2(PresignedQueryV2)
    /// Signature Version 2 in the `Authorization` header.
    case headerV2
    /// An `Authorization` header of another scheme (`Bearer`, `Basic`), which others decide about.
    case otherScheme(String)

    /// Finds the one signature of a request; nil where there is none. More than one is a refusal, and so is anything
    /// that begins like a signature and does not parse: it never falls back to anonymous.
    public static func find(
        in head: RequestHead,
        query: Query
    ) throws(SignatureRefusal) -> PresentedSignature? {
        let authorizations = head.fields.count(of: "authorization")
        guard authorizations < 2 else { throw .twoSignatures }
        let parameters = SignatureParameters(of: query)
        let presigned = parameters.claimsVersion4
        let presignedV2 = parameters.claimsVersion2
        guard authorizations + (presigned ? 1 : 0) + (presignedV2 ? 1 : 0) < 2 else { throw .twoSignatures }
        if presigned { return .presignedV4(try PresignedQuery(parameters, of: query)) }
        if presignedV2 { return .presignedV2(try PresignedQueryV2(of: query)) }
        guard let value = head.fields.first("authorization") else { return nil }
        return try parse(value)
    }

    private static func parse(_ value: ArraySlice<UInt8>) throws(SignatureRefusal) -> PresentedSignature {
        let text = trimmed(value)
        let scheme = text.prefix { $0 != 0x20 && $0 != 0x09 }
        guard !scheme.isEmpty else { throw .emptyAuthorization }
        if scheme.spell("AWS4-HMAC-SHA256") {
            return .header(try HeaderAuthorization(parsing: text[scheme.endIndex...]))
        }
        if scheme.spell("AWS") { return .headerV2 }
        if scheme.prefix(3).elementsEqual("AWS".utf8, by: { $0 & 0xdf == $1 }) {
            // SigV4A, or one of the above in another case.
            throw .malformed(.header, .unsupportedAlgorithm)
        }
        return .otherScheme(String(decoding: scheme.prefix(64), as: UTF8.self))
    }

    /// The key that claims to have signed; nil for what is neither version 4 nor a presigned URL.
    public var accessKeyID: String? {
        if case .presignedV2(let presigned) = self { presigned.accessKeyID } else { scope?.accessKeyID }
    }

    public var scope: CredentialScope? {
        switch self {
        case .header(let authorization): authorization.scope
        case .presignedV4(let presigned): presigned.scope
        case .presignedV2, .headerV2, .otherScheme: nil
        }
    }

    /// The session token that comes with the signature, if any; it is only as trustworthy as the signature that
    /// ``SigV4/verify(_:head:query:hosts:secret:now:region:service:keys:)`` confirms.
    public func securityToken(in head: RequestHead) throws(SignatureRefusal) -> [UInt8]? {
        guard head.fields.count(of: "x-amz-security-token") < 2 else {
            throw .repeatedHeader("x-amz-security-token")
        }
        let field = head.fields.first("x-amz-security-token").map { Array($0) }
        switch self {
        case .header: return field
        case .presignedV4(let presigned):
            guard presigned.securityToken == nil || field == nil else {
                throw .malformed(.query, .repeated(.securityToken))
            }
            return presigned.securityToken ?? field
        case .presignedV2(let presigned): return presigned.securityToken ?? field
        case .headerV2, .otherScheme: return nil
        }
    }
}
