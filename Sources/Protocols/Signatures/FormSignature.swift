import Crypto
import HTTP1
public import WireFormats

/// How a form says it is signed (S3 API reference, "Authenticating Requests: Browser-Based Uploads Using POST"; S3
/// Developer Guide, "Browser-Based Uploads Using POST (AWS Signature Version 2)"). In both versions the policy's base 64,
/// as sent, is what is signed.
public struct FormSignature: Sendable {
    public enum Version: Sendable {
        case v4(CredentialScope, signedAt: Instant)
        case v2
    }

    public let version: Version
    public let accessKeyID: String
    public let policy: [UInt8]
    /// `x-amz-security-token`.
    public let securityToken: [UInt8]?
    private let signature: [UInt8]

    /// Finds the one signature of a form; nil where there is none, and no policy either. Whatever begins like a signature
    /// and is incomplete is a refusal: it never falls back to anonymous.
    ///
    /// - Parameter field: the value of a field, by its name in lower case.
    public init?(_ field: (String) -> [UInt8]?) throws(SignatureRefusal) {
        func required(
            _ name: String,
            _ parameter: SignatureRefusal.Parameter
        ) throws(SignatureRefusal) -> [UInt8] {
            guard let value = field(name) else { throw .malformed(.form, .missing(parameter)) }
            return value
        }
        let names4 = ["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"]
        let claims4 = names4.contains { field($0) != nil }
        let claims2 = ["awsaccesskeyid", "signature"].contains { field($0) != nil }
        securityToken = field("x-amz-security-token")
        guard claims4 || claims2 || field("policy") != nil || securityToken != nil else { return nil }
        guard !(claims4 && claims2) else { throw .twoSignatures }
        if claims2 {
            let key = try required("awsaccesskeyid", .accessKeyID)
            let proof = try required("signature", .signature)
            guard (1...128).contains(key.count), key.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
                throw .malformed(.form, .malformed(.accessKeyID))
            }
            version = .v2
            accessKeyID = String(decoding: key, as: UTF8.self)
            // What can't be one is no signature of this policy: as S3 says of any other that does not fit.
            signature = PresignedQueryV2.signature(proof) ?? []
        } else {
            let proof = try required("x-amz-signature", .signature)
            let algorithm = try required("x-amz-algorithm", .algorithm)
            guard algorithm.spell("AWS4-HMAC-SHA256") else {
                throw .malformed(.form, .unsupportedAlgorithm)
            }
            let scope = try CredentialScope(parsing: try required("x-amz-credential", .credential)[...], in: .form)
            let date = try required("x-amz-date", .date)
            guard let signedAt = Timestamp.parseAmz(date) else { throw .malformed(.form, .malformed(.date)) }
            guard scope.date[...] == date.prefix(8) else { throw .malformed(.form, .scopeDate) }
            guard sameBytes(scope.service, "s3") else { throw .malformed(.form, .scopeService) }
            version = .v4(scope, signedAt: signedAt)
            accessKeyID = scope.accessKeyID
            signature = Hex.decodeSignature(proof) ?? []
        }
        policy = try required("policy", .policy)
    }

    /// Confirms that whoever knows `secret` signed the policy, and lately enough: a form is good for a week at most in
    /// either version. What the policy demands is not judged here.
    ///
    /// - Parameters:
    ///   - expiration: of the policy. Version 2 states no time of signing, so that it is what is held against the week.
    ///   - region: that the scope must name; `*` accepts any.
    public func verify(
        secret: Secret<String>,
        expiration: Instant,
        now: Instant,
        region: String
    ) throws(SignatureRefusal) {
        switch version {
        case .v4(let scope, let signedAt):
            let age = now.duration(since: signedAt)
            guard age >= .zero - SigV4.maxClockSkew else { throw .notYetValid }
            guard age <= SigV2.maxLifetime else { throw .expired }
            guard region == "*" || sameBytes(scope.region, region) else { throw .wrongRegion(.form, expected: region) }
            let expected = SigningKey(secret: secret, scope: scope).authenticationCode(for: policy)
            guard expected.withUnsafeBytes({ constantTimeEqual($0, signature) }) else { throw .signatureMismatch }
        case .v2:
            guard expiration <= now + SigV2.maxLifetime + SigV4.maxClockSkew else {
                throw .malformed(.form, .expiresOutOfRange)
            }
            let key = SymmetricKey(data: Array(secret.reveal().utf8))
            let expected = HMAC<Insecure.SHA1>.authenticationCode(for: policy, using: key)
            guard expected.withUnsafeBytes({ constantTimeEqual($0, signature) }) else { throw .signatureMismatch }
        }
    }
}
