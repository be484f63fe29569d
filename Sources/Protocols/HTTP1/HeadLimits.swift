/// Bounds on one message's head.
public struct HeadLimits: Hashable, Sendable {
    /// Bytes of the whole head, request or status line and the closing empty line included; beyond it 431.
    public var maxHeadBytes: Int
    /// Header fields; beyond it 431.
    public var maxFields: Int
    /// Bytes of the request target; beyond it 414.
    public var maxTargetBytes: Int

    /// S3 keys are up to 1024 bytes, at most 3 KiB percent-encoded; a presigned query with a session token may add
    /// several more.
    public init(maxHeadBytes: Int = 32 * 1024, maxFields: Int = 100, maxTargetBytes: Int = 8 * 1024) {
        self.maxHeadBytes = maxHeadBytes
        self.maxFields = maxFields
        self.maxTargetBytes = maxTargetBytes
    }
}
