public import Identity
public import S3API
public import WireFormats

/// Something that works on its own once it is handed out. It needs what a decision must not have, unpredictable bytes;
/// and it is in the audit log before anybody has it.
public struct Issuance: Sendable {
    /// So many unpredictable bytes.
    public let randomBytes: Int
    /// Makes it of them.
    public let make: @Sendable (_ random: [UInt8]) -> Outcome
    /// What is answered where it can't be written down, and the configuration wants nothing done then.
    public let unrecorded: Reply

    public enum Outcome: Sendable {
        case issued(Issued, Reply)
        /// Nothing is handed out, for a reason that the log is told.
        case refused(Reply, reason: String)
    }
}

/// What was handed out, for the log.
public struct Issued: Sendable {
    public enum Kind: Sendable {
        case url, session
    }

    public let kind: Kind
    /// Names it without being of use to anybody.
    public let id: String
    /// Who has it, where it is not whoever asked.
    public let principal: Principal?
    /// What it is about; nil: nothing in particular.
    public let bucket: BucketName?
    public let key: ObjectKey?
    /// The rule that allowed it, and by which way it was asked for.
    public let reason: String
    public let expiresAt: Instant
    /// What has to be kept besides, before anybody has it: says whether it was. Nil: nothing.
    public let remember: (@Sendable () async -> Bool)?

    init(
        _ kind: Kind,
        id: String,
        to principal: Principal? = nil,
        bucket: BucketName? = nil,
        key: ObjectKey? = nil,
        reason: String,
        until expiresAt: Instant,
        remember: (@Sendable () async -> Bool)? = nil
    ) {
        self.kind = kind
        self.id = id
        self.principal = principal
        self.bucket = bucket
        self.key = key
        self.reason = reason
        self.expiresAt = expiresAt
        self.remember = remember
    }
}
