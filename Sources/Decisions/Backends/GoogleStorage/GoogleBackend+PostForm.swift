public import HTTP1
public import S3API
import Signatures
public import WireFormats

extension GoogleBackend {
    /// Google takes forms as S3 does, under a policy document of its own (Cloud Storage documentation, "POST Object" and
    /// "Policy documents").
    public func postForm(
        _ key: ObjectKey,
        fields: FieldBlock,
        length: Int64,
        until end: Instant,
        at now: Instant
    ) throws(S3Error) -> PostedForm? {
        guard let signer = credential.urlSigner, let bound = Self.bound(fields, .required) else { return nil }
        var carried = [(name: "key", value: try stored(key).string)]
        for entry in bound.entries {
            let name = String(decoding: bound.name(entry), as: UTF8.self)
            carried.append(
                (name == "content-type" ? "Content-Type" : name, String(decoding: bound.value(entry), as: UTF8.self))
            )
        }
        carried += signer.formFields(at: now)
        let policy = PostedForm.policy(bucket: bucketName, fields: carried, length: length, until: end)
        carried.append(("policy", policy))
        do {
            carried.append(("x-goog-signature", try signer.signature(ofPolicy: policy, at: now)))
        } catch {
            throw S3Error(.internalError)
        }
        let place = publicEndpoint ?? endpoint
        return PostedForm(
            url: place.transport.scheme + place.authority + String(decoding: root, as: UTF8.self),
            fields: carried
        )
    }
}
