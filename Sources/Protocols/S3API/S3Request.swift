public import WireFormats

/// A request as S3 understands it: one operation of the closed list on one address, with every action that it needs.
public struct S3Request: Sendable {
    public let operation: S3Operation
    public let address: S3Address
    /// Everything that was in the query, decoded once; signatures and `gh-link` included.
    public let query: Query
    /// All of these must be permitted on ``address``. For DeleteObjects the deletions are decided key by key.
    public let actions: ActionSet
    /// Never empty.
    public let versionID: [UInt8]?
    /// What a copy reads; its own actions must be permitted there.
    public let copySource: CopySource?

    /// A customer's own encryption key comes along (S3 User Guide, "SSE-C"), which must not travel in the open.
    public let hasCustomerKey: Bool

    public init(
        operation: S3Operation,
        address: S3Address,
        query: Query,
        actions: ActionSet,
        versionID: [UInt8]? = nil,
        copySource: CopySource? = nil,
        hasCustomerKey: Bool = false
    ) {
        self.operation = operation
        self.address = address
        self.query = query
        self.actions = actions
        self.versionID = versionID
        self.copySource = copySource
        self.hasCustomerKey = hasCustomerKey
    }

    public var bucket: BucketName? { address.bucket }
    public var key: ObjectKey? { address.key }

    /// The `prefix` of a listing, empty where it has none; nil where the operation lists no keys.
    public var listedPrefix: [UInt8]? {
        operation.listsKeys ? query.first("prefix") ?? [] : nil
    }

    /// The `delimiter` of a listing.
    public var listedDelimiter: [UInt8]? {
        operation.listsKeys ? query.first("delimiter") : nil
    }
}
