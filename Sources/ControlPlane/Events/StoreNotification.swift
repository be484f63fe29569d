import S3API
import WireFormats

/// What a store says has happened, in one of the forms in which such messages come: S3's own records, the same inside of
/// SNS, EventBridge, and test events (S3 User Guide, "Event message structure"; SNS Developer Guide, "HTTP/HTTPS
/// notification JSON format"; S3 User Guide, "Amazon EventBridge event message structure").
struct StoreNotification {
    struct Record: Hashable {
        let bucket: String
        /// At the store.
        let key: [UInt8]
    }

    /// Objects that came to be; events of other kinds are left out.
    let created: [Record]
    /// It asks us to fetch a URL, which is never done.
    let wantsConfirmation: Bool

    private static let mostRecords = 1000

    /// Nil for what is none of these forms.
    init?(_ body: [UInt8], depth: Int = 0) {
        guard depth < 3, let document = try? StrictJSON(parsing: body), let object = JSONObject(document) else {
            return nil
        }
        if let type = object.text("Type"), object.has("TopicArn") {
            guard type == "Notification" else {
                guard type.hasSuffix("Confirmation") else { return nil }
                (created, wantsConfirmation) = ([], true)
                return
            }
            guard let text = object.text("Message"), let inner = Self(Array(text.utf8), depth: depth + 1) else {
                return nil
            }
            self = inner
            return
        }
        if object.text("Event") == "s3:TestEvent" {
            (created, wantsConfirmation) = ([], false)
            return
        }
        if object.text("source") == "aws.s3", let detail = object.object("detail") {
            guard let bucket = detail.object("bucket")?.text("name"), let key = detail.object("object")?.text("key")
            else {
                return nil
            }
            // Keys of EventBridge are as they are, not encoded.
            let isCreation = object.text("detail-type") == "Object Created"
            (created, wantsConfirmation) = (isCreation ? [Record(bucket: bucket, key: Array(key.utf8))] : [], false)
            return
        }
        guard let records = object.objects("Records"), records.count <= Self.mostRecords else { return nil }
        var created: [Record] = []
        for record in records {
            guard let name = record.text("eventName"), Self.isKnown(record.text("eventVersion")) else { return nil }
            guard Self.isCreation(name) else { continue }
            guard let s3 = record.object("s3"), let bucket = s3.object("bucket")?.text("name"),
                let text = s3.object("object")?.text("key"), let key = Self.key(text)
            else { return nil }
            created.append(Record(bucket: bucket, key: key))
        }
        (self.created, wantsConfirmation) = (created, false)
    }

    /// `2.1`: any major version from 2 on; stores exist that don't say.
    private static func isKnown(_ version: String?) -> Bool {
        guard let version else { return true }
        return version.split(separator: ".").first.flatMap { Int($0) }.map { $0 >= 2 } ?? false
    }

    /// `ObjectCreated:Put`, with `s3:` before it at some stores.
    private static func isCreation(_ name: String) -> Bool {
        name.hasPrefix("ObjectCreated:") || name.hasPrefix("s3:ObjectCreated:")
    }

    /// URL-encoded as forms are: a space is a plus.
    private static func key(_ text: String) -> [UInt8]? {
        try? PercentEncoding.decode(text.utf8.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 })
    }
}
