public import HTTP1
public import Signatures
public import WireFormats

/// A form that a browser uploads one file with (S3 API reference, "POST Object").
public struct PostedForm: Sendable {
    /// The form's action.
    public let url: String
    /// What the form has to carry before its file, in this order.
    public let fields: [(name: String, value: String)]

    /// The policy that allows one file of that length with these fields and no others, in base 64.
    static func policy(
        bucket: String,
        fields: [(name: String, value: String)],
        length: Int64,
        until end: Instant
    ) -> String {
        let conditions: [StrictJSON] =
            [.object([("bucket", .string(bucket))])]
            + fields.map { .object([(name: $0.name, value: .string($0.value))]) }
            + [.array([.string("content-length-range"), .number(String(length)), .number(String(length))])]
        let policy = StrictJSON.object([
            ("expiration", .string(Timestamp.iso8601Milliseconds(end))), ("conditions", .array(conditions)),
        ])
        return Base64.encode(policy.text)
    }
}

extension PostedForm {
    /// A form that is signed with SigV4.
    ///
    /// - Parameters:
    ///   - bucket: as whoever takes the form calls it.
    ///   - key: the same.
    ///   - fields: of the object; names in lower case.
    ///   - length: of the file, in bytes.
    public init(
        url: String,
        bucket: String,
        key: String,
        fields: FieldBlock,
        length: Int64,
        signer: SigV4Signer,
        until end: Instant,
        at now: Instant
    ) {
        var carried = [(name: "key", value: key)]
        for entry in fields.entries {
            let name = String(decoding: fields.name(entry), as: UTF8.self)
            carried.append(
                (name == "content-type" ? "Content-Type" : name, String(decoding: fields.value(entry), as: UTF8.self))
            )
        }
        carried += signer.formFields(at: now).map { ($0.name, $0.value.reveal()) }
        let text = Self.policy(bucket: bucket, fields: carried, length: length, until: end)
        carried.append(("policy", text))
        carried.append(("x-amz-signature", signer.signature(ofPolicy: text, at: now)))
        self.init(url: url, fields: carried)
    }
}
