package import Admission
package import Identity
import WireFormats

/// One entry of `[[credentials]]`: a SigV4 access key and its scopes.
package struct CredentialConfiguration: Sendable {
    package let key: AccessKey
    package let scopes: [ScopeConfiguration]
    package let limits: RequestLimits
    package let origin: Origin

    init?(reading section: Section, limits: RequestLimits) {
        let reader = section.reader
        let id = section.resolved("access_key_id").flatMap { text in
            reader.declare(text.value, as: .accessKey, at: text.origin, "the same access key id is given")
            return Self.validID(text, reader)
        }
        if !section.has("access_key_id") { reader.report("is required", at: section.place(of: "access_key_id")) }
        let secret = section.resolved("secret_access_key")
        if !section.has("secret_access_key") {
            reader.report("is required", at: section.place(of: "secret_access_key"))
        }
        if let secret { PrincipalName.warnIfShort(secret, making: "access", reader) }
        let principal = section.required("principal_name").flatMap { text in
            // Several keys may share a principal while one replaces the other.
            _ = reader.names.declare(text.value, as: .principal, at: text.origin)
            return PrincipalName.validated(text, reader)
        }
        let enabled = section.boolean("enabled", or: true)
        let expiresAt = Self.expiry(section)
        scopes = section.sections("allowed_scopes", single: .accepted).compactMap(ScopeConfiguration.init(reading:))
        self.limits = LimitsConfiguration.own(section, standard: limits)
        origin = section.origin
        section.finish()
        guard let id, let secret, let principal else { return nil }
        key = AccessKey(
            id: id,
            secret: Secret(secret.value),
            principalName: principal,
            enabled: enabled,
            expiresAt: expiresAt
        )
    }

    /// An id must survive `Credential=ID/date/...` and a query.
    private static func validID(_ text: Located<String>, _ reader: ConfigurationReader) -> String? {
        let isID =
            (3...128).contains(text.value.utf8.count)
            && text.value.utf8.allSatisfy { byte in
                byte > 0x20 && byte < 0x7F && !"/,=&?%+\"".utf8.contains(byte)
            }
        guard !isID || !(SessionKeyring.issued(text.value) || URLKeyring.issued(text.value)) else {
            reader.report("begins like the ids that Gatehouse makes itself", at: text.origin)
            return nil
        }
        if isID { return text.value }
        reader.report(
            "is not an access key id",
            at: text.origin,
            suggestion: "use 3 to 128 letters and digits"
        )
        return nil
    }

    /// An instant with its zone, as a string or as a TOML date and time.
    private static func expiry(_ section: Section) -> Instant? {
        guard let value = section.value("expires_at") else { return nil }
        let text: String
        switch value.content {
        case .text(let string), .instant(let string): text = string
        default:
            section.wrongKind(value, expected: "an instant such as \"2027-01-01T00:00:00Z\"")
            return nil
        }
        if let instant = Timestamp.parseISO8601(text.utf8) { return instant }
        section.reader.report(
            "\(quoted(text)) is not an instant",
            at: value.origin,
            suggestion: "write it like \"2027-01-01T00:00:00Z\""
        )
        return nil
    }
}
