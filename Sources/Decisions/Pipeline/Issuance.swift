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
    /// Names it without being of use to anybody.
    public let id: String
    public let bucket: BucketName
    public let key: ObjectKey
    /// The rule that allowed it, and by which way it was asked for.
    public let reason: String
    public let expiresAt: Instant
}
