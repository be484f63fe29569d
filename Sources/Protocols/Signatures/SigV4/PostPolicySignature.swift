import Crypto
public import WireFormats

/// The signature of a browser's POST form: the base64 policy, as sent, is the string to sign (AWS S3 API reference,
/// "Authenticating Requests: Browser-Based Uploads Using POST"). What the policy demands is not judged here.
public enum PostPolicySignature {
    /// 32 bytes.
    public static func signature(
        policy: [UInt8],
        scope: CredentialScope,
        secret: Secret<String>
    ) -> [UInt8] {
        Array(SigningKey(secret: secret, scope: scope).authenticationCode(for: policy))
    }

    /// `signature` is the form's `x-amz-signature`: 64 lower-case hexadecimal digits.
    public static func verify(
        policy: [UInt8],
        signature: [UInt8],
        scope: CredentialScope,
        secret: Secret<String>
    ) throws(SignatureRefusal) {
        guard let presented = Hex.decodeSignature(signature) else { throw .malformed(.query, .malformed(.signature)) }
        let expected = SigningKey(secret: secret, scope: scope).authenticationCode(for: policy)
        guard expected.withUnsafeBytes({ constantTimeEqual($0, presented) }) else { throw .signatureMismatch }
    }
}
