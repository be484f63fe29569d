public import WireFormats

/// That something is ended before its time: a session, or whatever was issued to somebody or for a role up to an instant.
public struct Revocation: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Sendable {
        /// By its id.
        case session
        /// Whatever was issued to a principal: sessions, and URLs that lead to us.
        case user
        /// Every session of a role.
        case role
    }

    public let kind: Kind
    /// A session's id, a principal as the logs write it, or a role's id.
    public let subject: String
    /// What was issued up to here is ended.
    public let at: Instant
    /// Nothing new is good either, until that is lifted.
    public let isBlocked: Bool

    public init(kind: Kind, subject: String, at: Instant, isBlocked: Bool) {
        self.kind = kind
        self.subject = subject
        self.at = at
        self.isBlocked = isBlocked
    }

    /// How long it has to be remembered: whatever was issued before has ended by itself then. A session lasts 12 hours at
    /// most, a signed URL a week. What somebody gave may last longer: while it is kept, so is what ends it.
    public static let remembered = Duration.seconds(8 * 86_400)
}
