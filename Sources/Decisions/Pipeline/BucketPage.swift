import S3API
import WireFormats

/// Which of the buckets a ListBuckets asks for (S3 API reference, ListBuckets: `prefix`, `bucket-region`, `max-buckets`,
/// `continuation-token`).
struct BucketPage: Sendable {
    private let prefix: String?
    private let region: String?
    private let limit: Int
    /// The name that the page before ended with.
    private let last: String?
    private let isPlain: Bool

    private static let longest = 10_000

    /// - Throws: `InvalidArgument`.
    init(_ query: Query) throws(S3Error) {
        let prefix = query.first("prefix").map { String(decoding: $0, as: UTF8.self) }
        let region = query.first("bucket-region").map { String(decoding: $0, as: UTF8.self) }
        let limit = query.first("max-buckets").flatMap { $0.isEmpty ? nil : $0 }
        guard let count = limit.map({ decimal($0) }) ?? Self.longest, (1...Self.longest).contains(count) else {
            throw S3Error(.invalidArgument, "max-buckets must be a number between 1 and 10000")
        }
        let token = query.first("continuation-token")
        last = try token.map { token throws(S3Error) in try Self.opened(token, prefix: prefix) }
        self.prefix = prefix
        self.region = region
        self.limit = count
        isPlain = prefix == nil && region == nil && limit == nil && token == nil
    }

    /// - Parameter region: ours; `*`: none in particular, so that no bucket is elsewhere.
    func list(of entries: [BucketList.Entry], owner: String, region ours: String) -> BucketList {
        let isHere = region.map { $0.isEmpty || ours == "*" || $0 == ours } ?? true
        let wanted = (isHere ? entries : [])
            .filter { entry in (prefix.map(entry.name.hasPrefix) ?? true) && (last.map { entry.name > $0 } ?? true) }
            .sorted { $0.name < $1.name }
        let page = wanted.prefix(limit)
        return BucketList(
            entries: Array(page),
            owner: owner,
            prefix: prefix.flatMap { $0.isEmpty ? nil : $0 },
            continuationToken: wanted.count > limit ? page.last.map { token(after: $0) } : nil,
            region: isPlain || ours == "*" ? nil : ours
        )
    }

    /// A token is a bucket's name that its caller was told of: it holds nothing to hide, and grants nothing.
    private func token(after entry: BucketList.Entry) -> String {
        Base64URL.encode(entry.name.utf8)
    }

    private static func opened(_ token: [UInt8], prefix: String?) throws(S3Error) -> String {
        guard let name = Base64URL.decode(token).flatMap({ BucketName(validating: $0) }),
            prefix.map(name.string.hasPrefix) ?? true
        else { throw S3Error(.invalidArgument, "The continuation token provided is incorrect") }
        return name.string
    }
}
