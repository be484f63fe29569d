import Foundation
import Signatures
import Testing
import WireFormats

@Suite struct PostPolicySignatureTests {
    private struct Form: Decodable {
        let policy: String
        let credential: String
        let secret: String
        let signature: String
    }

    @Test func theAwsExampleFormVerifies() throws {
        let form = try JSONDecoder().decode(Form.self, from: vectorFile("post-policy"))
        let scope = try CredentialScope(parsing: Array(form.credential.utf8)[...], in: .query)
        let policy = Array(form.policy.utf8)
        let signature = PostPolicySignature.signature(policy: policy, scope: scope, secret: Secret(form.secret))
        #expect(Hex.encode(signature) == form.signature)
        #expect(throws: Never.self) {
            try PostPolicySignature.verify(
                policy: policy,
                signature: Array(form.signature.utf8),
                scope: scope,
                secret: Secret(form.secret)
            )
        }
        #expect(throws: SignatureRefusal.signatureMismatch) {
            try PostPolicySignature.verify(
                policy: policy.dropLast() + [UInt8(ascii: "A")],
                signature: Array(form.signature.utf8),
                scope: scope,
                secret: Secret(form.secret)
            )
        }
        #expect(throws: SignatureRefusal.malformed(.query, .malformed(.signature))) {
            try PostPolicySignature.verify(
                policy: policy,
                signature: Array("00".utf8),
                scope: scope,
                secret: Secret(form.secret)
            )
        }
    }
}
