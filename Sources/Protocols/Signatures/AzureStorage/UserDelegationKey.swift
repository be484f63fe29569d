public import WireFormats

/// A key that Azure issues to a bearer for signing URLs, for a week at most (Microsoft, "Get User Delegation Key").
public struct UserDelegationKey: Sendable {
    /// Who it was issued to.
    public let objectID: String
    public let tenantID: String
    /// As the service wrote them: they are signed.
    public let start: String
    public let expiry: String
    public let service: String
    public let version: String
    /// In base64.
    let value: Secret<String>

    public init(
        objectID: String,
        tenantID: String,
        start: String,
        expiry: String,
        service: String,
        version: String,
        value: Secret<String>
    ) {
        self.objectID = objectID
        self.tenantID = tenantID
        self.start = start
        self.expiry = expiry
        self.service = service
        self.version = version
        self.value = value
    }

    /// When URLs that are signed with it end at the latest; nil where the service wrote something else than a time.
    public var end: Instant? { Timestamp.parseISO8601(expiry.utf8) }
}
