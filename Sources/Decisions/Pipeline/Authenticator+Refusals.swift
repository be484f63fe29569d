import HTTP1
import Identity
import S3API
import Signatures

/// What is said to whom a credential does not open anything.
extension Authenticator {
    static let twoCredentials = Refusal.unauthenticated(
        S3Error(.invalidRequest, "Exactly one credential is allowed."),
        reason: "two credentials",
        failure: "two_credentials"
    )
    static let tokenOfLongLivedKey = Refusal.unauthenticated(
        S3Error(.invalidToken),
        reason: "a session token for a long-lived key",
        failure: "session_token_unsupported"
    )

    /// Callers without a signature may still state the payload's hash, and it is held against the body all the same.
    static func statedPayload(_ head: RequestHead) throws(Refusal) -> PayloadHash {
        guard let stated = head.fields.first("x-amz-content-sha256") else { return .unsigned }
        guard head.fields.count(of: "x-amz-content-sha256") == 1, let payload = PayloadHash(stated) else {
            let refusal = PayloadHash.refusal(of: stated)
            throw .request(S3Error(codes[refusal.s3Code] ?? .invalidArgument, refusal.publicMessage))
        }
        return payload
    }

    static func refusal(_ refusal: SignatureRefusal) -> Refusal {
        let code = codes[refusal.s3Code] ?? .accessDenied
        return .unauthenticated(
            S3Error(code, refusal.publicMessage),
            reason: refusal.reason,
            failure: failureLabel(refusal)
        )
    }

    static func refusal(_ refusal: AccessKeyRefusal) -> Refusal { .gone(refusal) }

    private static let codes = Dictionary(
        S3Error.Code.allCases.map { ($0.name, $0) },
        uniquingKeysWith: { first, _ in first }
    )

    private static func failureLabel(_ refusal: SignatureRefusal) -> StaticString {
        switch refusal {
        case .twoSignatures: "two_credentials"
        case .signatureVersion2: "signature_version_2"
        case .emptyAuthorization, .malformed, .missingContentSHA256, .malformedContentSHA256, .payloadFormNotSupported,
            .conflictingContentSHA256, .malformedPath, .ambiguousParameter, .repeatedHeader:
            "malformed_signature"
        case .wrongRegion: "wrong_region"
        case .missingDate, .requestTimeTooSkewed, .notYetValid: "clock_skew"
        case .expired: "expired_signature"
        case .hostNotSigned, .headerNotSigned, .signedHeaderMissing: "unsigned_header"
        case .signatureMismatch: "signature_mismatch"
        }
    }
}
