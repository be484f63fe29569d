import HTTP1
import WireFormats

/// What the store answers, before it becomes HTTP.
struct StoreAnswer: Sendable {
    enum Body: Sendable {
        case none
        case bytes([UInt8])
        case content(ObjectReader)
        /// The head of an object's answer without its bytes (HEAD); the length is announced.
        case announced(Int64)
    }

    var status: Int
    var fields = FieldBlock(reservingBytes: 512, fields: 12)
    var body: Body

    init(_ status: Int, _ body: Body = .none) {
        self.status = status
        self.body = body
    }

    /// An XML document.
    init(document: [UInt8]) {
        self.init(200, .bytes(document))
        fields.append("content-type", "application/xml")
    }

    /// What clients call the version; nothing where the bucket has never been versioned.
    mutating func appendVersion(_ id: String?) {
        if let id { fields.append("x-amz-version-id", id) }
    }

    /// That there is a delete marker, and which (S3 User Guide, "Working with delete markers").
    mutating func append(_ found: MarkerFound) {
        fields.append("x-amz-delete-marker", "true")
        appendVersion(found.marker.version.text)
        guard found.isNamed else { return }
        fields.append("allow", "DELETE")
        fields.append("last-modified", Timestamp.http(found.marker.modified))
    }
}
