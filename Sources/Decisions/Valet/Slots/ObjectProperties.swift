/// What an object has besides its bytes and their type, as far as a slot promises it.
public struct ObjectProperties: Hashable, Sendable {
    /// By names in lower case. What has no value is left out: some stores drop it.
    public let metadata: [String: String]
    /// `Content-Encoding`: with one, readers make other bytes of the object's.
    public let encoding: String?
    /// `Content-Disposition`; nil for `inline`, which some stores say of everything.
    public let disposition: String?

    public init(metadata: [String: String], encoding: String? = nil, disposition: String? = nil) {
        self.metadata = metadata.filter { !$0.value.isEmpty }
        self.encoding = encoding.flatMap { $0.isEmpty ? nil : $0 }
        let kind = disposition?.prefix { $0 != ";" && $0 != " " }.lowercased()
        self.disposition = kind == nil || kind == "" || kind == "inline" ? nil : disposition
    }
}

extension UploadSlot {
    var properties: ObjectProperties { ObjectProperties(metadata: metadata) }
}
