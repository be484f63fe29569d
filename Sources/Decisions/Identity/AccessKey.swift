public import WireFormats

/// A SigV4 access key of `[[credentials]]`: the pair that a client signs with, and whom it stands for. What it may
/// do (its scopes) is kept apart, by its id: Identity says who asks, Admission what they may.
public struct AccessKey: Sendable {
    /// The public half, as it appears in `Credential=`; unique in an ``AccessKeyTable``.
    public let id: String
    public let secret: Secret<String>
    /// The name of the principal; several keys may share one (rotation), and then share its limits.
    public let principalName: String
    public let enabled: Bool
    /// From this instant on the key is refused; nil: never.
    public let expiresAt: Instant?

    public init(
        id: String,
        secret: Secret<String>,
        principalName: String,
        enabled: Bool = true,
        expiresAt: Instant? = nil
    ) {
        self.id = id
        self.secret = secret
        self.principalName = principalName
        self.enabled = enabled
        self.expiresAt = expiresAt
    }

    /// `key:PRINCIPAL_NAME`.
    public var principal: Principal { .key(principalName) }
}
