public import WireFormats

/// What STS answers, as XML (AWS STS API reference, "Sample Response" of each action).
public enum STSAnswer: Sendable {
    case assumeRoleWithWebIdentity(IssuedSession, subject: String, audience: String, provider: String)
    case assumeRole(IssuedSession)
    case getCallerIdentity(arn: String, userID: String)

    static let namespace: StaticString = "https://sts.amazonaws.com/doc/2011-06-15/"
    /// Of all ARNs: there are no accounts of AWS here.
    public static let account = "000000000000"

    public func document(requestID: String) -> [UInt8] {
        var writer = XMLWriter(reservingBytes: 4096)
        switch self {
        case .assumeRoleWithWebIdentity(let session, let subject, let audience, let provider):
            writer.open("AssumeRoleWithWebIdentityResponse", xmlns: Self.namespace)
            writer.open("AssumeRoleWithWebIdentityResult")
            writer.element("SubjectFromWebIdentityToken", subject)
            writer.element("Audience", audience)
            session.write(to: &writer)
            writer.element("Provider", provider)
            writer.close("AssumeRoleWithWebIdentityResult")
            Self.metadata(requestID, to: &writer)
            writer.close("AssumeRoleWithWebIdentityResponse")
        case .assumeRole(let session):
            writer.open("AssumeRoleResponse", xmlns: Self.namespace)
            writer.open("AssumeRoleResult")
            session.write(to: &writer)
            writer.close("AssumeRoleResult")
            Self.metadata(requestID, to: &writer)
            writer.close("AssumeRoleResponse")
        case .getCallerIdentity(let arn, let userID):
            writer.open("GetCallerIdentityResponse", xmlns: Self.namespace)
            writer.open("GetCallerIdentityResult")
            writer.element("Arn", arn)
            writer.element("UserId", userID)
            writer.element("Account", Self.account)
            writer.close("GetCallerIdentityResult")
            Self.metadata(requestID, to: &writer)
            writer.close("GetCallerIdentityResponse")
        }
        return writer.bytes
    }

    private static func metadata(_ requestID: String, to writer: inout XMLWriter) {
        writer.open("ResponseMetadata")
        writer.element("RequestId", requestID)
        writer.close("ResponseMetadata")
    }
}

/// A session as its holder gets it.
public struct IssuedSession: Sendable {
    public let arn: String
    /// `ID:NAME`.
    public let assumedRoleID: String
    public let accessKeyID: String
    public let secret: Secret<String>
    public let token: Secret<String>
    public let expiresAt: Instant
    /// How much of the room for a policy is taken, in per cent; nil: there is none.
    public let packedPolicySize: Int?

    public init(
        arn: String,
        assumedRoleID: String,
        accessKeyID: String,
        secret: Secret<String>,
        token: Secret<String>,
        expiresAt: Instant,
        packedPolicySize: Int?
    ) {
        self.arn = arn
        self.assumedRoleID = assumedRoleID
        self.accessKeyID = accessKeyID
        self.secret = secret
        self.token = token
        self.expiresAt = expiresAt
        self.packedPolicySize = packedPolicySize
    }

    fileprivate func write(to writer: inout XMLWriter) {
        writer.open("AssumedRoleUser")
        writer.element("Arn", arn)
        writer.element("AssumedRoleId", assumedRoleID)
        writer.close("AssumedRoleUser")
        writer.open("Credentials")
        writer.element("AccessKeyId", accessKeyID)
        writer.element("SecretAccessKey", secret.reveal())
        writer.element("SessionToken", token.reveal())
        writer.element("Expiration", Timestamp.iso8601(expiresAt))
        writer.close("Credentials")
        if let packedPolicySize { writer.element("PackedPolicySize", packedPolicySize) }
    }
}
