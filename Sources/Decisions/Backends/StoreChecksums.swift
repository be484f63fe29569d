/// What a store knows of S3's additional checksums, and so what it is told of those that clients give. They are verified
/// on the way in any case.
public enum StoreChecksums: String, CaseIterable, Hashable, Sendable {
    /// Nothing: no field, trailer or element about them is sent.
    case unknown
    /// Their header fields, but no trailers: it computes what `x-amz-sdk-checksum-algorithm` names.
    case headers
    case headersAndTrailers

    /// Whether the store understands them in header fields and documents.
    public var areUnderstood: Bool { self != .unknown }

    /// What a store is known to understand by its own name in the field `server`: only what was tried counts.
    public init(server: String?) {
        let product = server?.split(separator: " ") ?? []
        switch product.first {
        case "AmazonS3": self = .headersAndTrailers
        case "SeaweedFS":
            // "SeaweedFS 8000GB 4.48": all five algorithms, and trailers, from version 4.
            let major = product.last.flatMap { $0.split(separator: ".").first }.flatMap { Int($0) }
            self = (major ?? 0) >= 4 && (major ?? 0) < 1000 ? .headersAndTrailers : .unknown
        default: self = .unknown
        }
    }
}
