package import WireFormats

/// `sqs_...` of `[uploads]`: the queue that stores' notifications are taken from.
package struct QueueConfiguration: Sendable {
    package let url: WebURL
    package let region: String
    /// Where the queue service is; nil: at the host of ``url``.
    package let endpoint: PublicURL?
    /// Nil: requests go out unsigned.
    package let accessKeyID: String?
    package let secretAccessKey: Secret<String>?

    /// Nil where no queue is named.
    init?(reading section: Section) {
        let region = section.text("sqs_region")
        let endpoint: PublicURL? = section.parsed(
            "sqs_endpoint",
            expected: PublicURL.expected,
            PublicURL.init(parsing:)
        )
        let key = section.resolved("sqs_access_key_id")
        let secret = section.resolved("sqs_secret_access_key")
        guard let text = section.text("sqs_queue_url"), !text.value.isEmpty else {
            for name in ["sqs_region", "sqs_endpoint", "sqs_access_key_id", "sqs_secret_access_key"]
            where section.has(name) {
                section.reader.report("needs sqs_queue_url", at: section.place(of: name))
            }
            return nil
        }
        guard let url = WebURL(parsing: text.value) else {
            section.reader.report(
                "\(quoted(text.value)) is not a queue's URL",
                at: text.origin,
                suggestion: "write it like \"https://sqs.eu-central-1.amazonaws.com/123456789012/uploads\""
            )
            return nil
        }
        if section.has("sqs_access_key_id") != section.has("sqs_secret_access_key") {
            let missing = section.has("sqs_access_key_id") ? "sqs_secret_access_key" : "sqs_access_key_id"
            section.reader.report("is required: a key has both its parts", at: section.place(of: missing))
        }
        guard let region = region?.value ?? Self.region(of: url.origin.host), !region.isEmpty else {
            section.reader.report(
                "is required, because the queue's host does not name it",
                at: section.place(of: "sqs_region")
            )
            return nil
        }
        self.url = url
        self.region = region
        self.endpoint = endpoint
        accessKeyID = key?.value
        secretAccessKey = secret.map { Secret($0.value) }
    }

    /// `sqs.REGION.amazonaws.com` (AWS General Reference, "Amazon SQS endpoints and quotas").
    private static func region(of host: String) -> String? {
        let labels = host.split(separator: ".")
        guard labels.count >= 4, labels[0] == "sqs", labels[2] == "amazonaws" else { return nil }
        return String(labels[1])
    }
}
