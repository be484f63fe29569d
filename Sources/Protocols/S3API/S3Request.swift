package import WireFormats

/// A request as S3 understands it: one operation of the closed list on one address, with every action that it needs.
package struct S3Request: Sendable {
    package let operation: S3Operation
    package let address: S3Address
    /// Everything that was in the query, decoded once; signatures and `gh-link` included.
    package let query: Query
    /// All of these must be permitted on ``address``. For DeleteObjects the deletions are decided key by key.
    package let actions: ActionSet
    /// Never empty.
    package let versionID: [UInt8]?
    /// What a copy reads; its own actions must be permitted there.
    package let copySource: CopySource?

    package init(
        operation: S3Operation,
        address: S3Address,
        query: Query,
        actions: ActionSet,
        versionID: [UInt8]? = nil,
        copySource: CopySource? = nil
    ) {
        self.operation = operation
        self.address = address
        self.query = query
        self.actions = actions
        self.versionID = versionID
        self.copySource = copySource
    }

    package var bucket: BucketName? { address.bucket }
    package var key: ObjectKey? { address.key }

    /// The `prefix` of a listing, empty where it has none; nil where the operation lists no keys.
    package var listedPrefix: [UInt8]? {
        operation.listsKeys ? query.first("prefix") ?? [] : nil
    }

    /// The `delimiter` of a listing.
    package var listedDelimiter: [UInt8]? {
        operation.listsKeys ? query.first("delimiter") : nil
    }
}
