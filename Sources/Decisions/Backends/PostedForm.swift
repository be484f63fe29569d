import WireFormats

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
