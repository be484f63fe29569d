import HTTP1
import Signatures
import WireFormats

extension Explanation.Signature {
    /// What is shown of a version 4 signature.
    init(
        _ form: Form,
        _ trial: SignatureTrial,
        hosts: [[UInt8]],
        masking masked: MaskedRequest
    ) {
        self.init(form: form, accessKeyID: trial.scope.accessKeyID)
        region = trial.scope.region
        service = trial.scope.service
        signedAt = trial.signedAt
        expiresAt = trial.expiresAt
        signedHeaders = (0..<trial.signedHeaders.count).map {
            String(decoding: trial.signedHeaders.name($0), as: UTF8.self)
        }
        var text: [UInt8] = []
        trial.statedPayload.append(to: &text)
        payload = String(decoding: text, as: UTF8.self)
        self.hosts = hosts.map { String(decoding: $0, as: UTF8.self) }
        self.masked = masked.names
        guard let stages = try? trial.stages() else { return }
        stringToSign = String(decoding: stages.stringToSign, as: UTF8.self)
        var shown = trial
        shown.fields = masked.head.fields
        shown.query = .received(masked.head.query ?? [])
        canonicalRequest = (try? shown.stages()).map { String(decoding: $0.canonicalRequest, as: UTF8.self) }
    }
}
