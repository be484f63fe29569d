import Crypto
import S3API
import Valet
import WireFormats

/// An event as a webhook gets it: CloudEvents 1.0 in JSON ("structured mode"), signed as Standard Webhooks wants it.
struct SlotMessage {
    let body: [UInt8]
    let fields: [(String, String)]

    /// - Parameters:
    ///   - origin: who tells: the public URL.
    ///   - secret: `whsec_` and base64, or any other text as it is.
    ///   - now: of this attempt; receivers refuse what is too old.
    init(_ event: SlotEvent, from origin: String, secret: Secret<String>, at now: Instant) {
        body = Self.document(event, origin).text
        let timestamp = String(now.secondsSince1970)
        var signed = Array("\(event.id).\(timestamp).".utf8)
        signed += body
        let code = HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: Self.key(secret)))
        fields = [
            ("content-type", "application/cloudevents+json; charset=utf-8"),
            ("user-agent", "Gatehouse"),
            ("webhook-id", event.id),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", "v1," + Base64.encode(Array(code))),
        ]
    }

    private static func key(_ secret: Secret<String>) -> [UInt8] {
        let text = secret.reveal()
        guard text.hasPrefix("whsec_"), let key = Base64.decode(Array(text.utf8.dropFirst("whsec_".utf8.count))) else {
            return Array(text.utf8)
        }
        return key
    }

    private static func document(_ event: SlotEvent, _ origin: String) -> StrictJSON {
        let slot = event.slot
        let data = StrictJSON.object(of: [
            ("id", .string(slot.id)),
            ("state", .string(event.kind.rawValue)),
            ("issuer", .string(slot.issuer)),
            ("bucket", .string(slot.bucket.string)),
            ("key", .string(slot.key.string)),
            ("size", .integer(slot.result?.size ?? slot.size)),
            ("content_type", .string(slot.result?.contentType ?? slot.contentType)),
            ("etag", slot.result.map { .string($0.etag) }),
            ("version_id", slot.result?.versionID.map { .string($0) }),
            (
                "metadata",
                .object(slot.metadata.sorted { $0.key < $1.key }.map { (name: $0.key, value: .string($0.value)) })
            ),
            ("cause", slot.cause.map { .string($0.rawValue) }),
            ("issued_at", .instant(slot.issuedAt)),
            ("expires_at", .instant(slot.expiresAt)),
        ])
        return .object([
            ("specversion", .string("1.0")),
            ("id", .string(event.id)),
            ("source", .string(origin)),
            ("type", .string(event.type)),
            ("subject", .string("\(slot.bucket.string)/\(slot.key.string)")),
            ("time", .string(Timestamp.iso8601Milliseconds(event.at))),
            ("datacontenttype", .string("application/json")),
            ("data", data),
        ])
    }
}
