package import WireFormats

/// A SigV4 access key of `[[credentials]]`: the pair that a client signs with, and whom it stands for. What it may
/// do (its scopes) is kept apart, by its id: Identity says who asks, Admission what they may.
package struct AccessKey: Sendable {
    /// The public half, as it appears in `Credential=`; unique in an ``AccessKeyTable``.
    package let id: String
    package let secret: Secret<String>
    /// The name of the principal; several keys may share one (rotation), and then share its limits.
    package let principalName: String
    package let enabled: Bool
    /// From this instant on the key is refused; nil: never.
    package let expiresAt: Instant?

    package init(
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
    package var principal: Principal { .key(principalName) }
}
