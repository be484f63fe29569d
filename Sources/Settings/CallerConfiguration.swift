package import Admission
package import Identity
package import S3API
import WireFormats

/// One entry of `[[users]]`: an API key and what its holder may do.
package struct UserConfiguration: Sendable {
    package let user: APIUser
    /// Of the API key; the key itself is not kept.
    package let keyDigest: APIKeyDigest
    package let limits: RequestLimits
    package let origin: Origin
    /// Where each allowed bucket is written.
    let bucketNames: [Located<String>]

    init?(reading section: Section, limits: RequestLimits) {
        let reader = section.reader
        let name = section.required("name").flatMap { text in
            reader.declare(text.value, as: .user, at: text.origin, "the user \(quoted(text.value)) is given")
            return PrincipalName.validated(text, reader)
        }
        let digest = Self.digest(section)
        if let digest {
            let place = section.place(of: section.has("api_key") ? "api_key" : "api_key_sha256")
            reader.declare(Hex.encode(digest.bytes), as: .apiKey, at: place, "the same API key is given")
        }
        let role: UserRole = section.choice("role", or: .user)
        bucketNames = section.texts("allowed_buckets") ?? []
        self.limits = LimitsConfiguration.own(section, standard: limits)
        origin = section.origin
        section.finish()
        guard let name, let digest else { return nil }
        user = APIUser(name: name, role: role, allowedBuckets: AllowedBuckets(bucketNames.map(\.value)))
        keyDigest = digest
    }

    /// From exactly one of `api_key` and `api_key_sha256`.
    private static func digest(_ section: Section) -> APIKeyDigest? {
        let reader = section.reader
        switch (section.has("api_key"), section.has("api_key_sha256")) {
        case (true, true):
            reader.report(
                "stands beside api_key; give one of the two",
                at: section.place(of: "api_key_sha256")
            )
            return nil
        case (false, false):
            reader.report(
                "is required",
                at: section.place(of: "api_key"),
                suggestion: "or give api_key_sha256"
            )
            return nil
        case (true, false):
            guard let key = section.resolved("api_key") else { return nil }
            // What cannot stand in a header field cannot be presented.
            guard key.value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                reader.report("contains characters that a header field cannot carry", at: key.origin)
                return nil
            }
            PrincipalName.warnIfShort(key, making: "api", reader)
            return APIKeyDigest(of: key.value.utf8)
        case (false, true):
            guard let hex = section.resolved("api_key_sha256") else { return nil }
            if let digest = APIKeyDigest(hex: hex.value) { return digest }
            reader.report("is not 64 hexadecimal digits", at: hex.origin)
            return nil
        }
    }
}

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

/// One entry of `allowed_scopes`: actions on keys of a bucket.
package struct ScopeConfiguration: Sendable {
    /// A bucket's name, or "*" for every bucket.
    package let bucket: String
    /// Empty: the whole bucket. One that ends in `/` is a string prefix; another is a key or a folder.
    package let prefixes: [String]
    package let actions: ActionSet
    /// Whether the actions were given as `["*"]`, which on accounts that own every bucket includes more.
    package let everyAction: Bool
    package let origin: Origin
    /// Where ``bucket`` is written.
    let bucketOrigin: Origin

    init?(reading section: Section) {
        let reader = section.reader
        let bucket = section.required("bucket")
        prefixes = (section.texts("prefixes") ?? []).map(\.value)
        let named = ScopedActions(reading: section)
        origin = section.origin
        section.finish()
        guard let bucket, let named else { return nil }
        actions = named.actions
        everyAction = named.everyAction
        if bucket.value != "*", BucketConfiguration.validName(bucket, reader) == nil { return nil }
        self.bucket = bucket.value
        bucketOrigin = bucket.origin
    }
}

/// The `actions` of a scope.
struct ScopedActions {
    let actions: ActionSet
    let everyAction: Bool

    /// Nil after a problem with the array itself was reported.
    init?(reading section: Section) {
        let reader = section.reader
        if !section.has("actions") { reader.report("is required", at: section.place(of: "actions")) }
        guard let names = section.texts("actions") else { return nil }
        if names.isEmpty {
            reader.report("allows nothing: name actions, or remove the scope", at: section.place(of: "actions"))
        }
        var actions = ActionSet()
        for name in names {
            if let named = ActionSet(named: name.value) {
                actions.formUnion(named)
            } else {
                reader.report(
                    "\(quoted(name.value)) is no action",
                    at: name.origin,
                    suggestion: Self.nearest(to: name.value).map { "did you mean \(quoted($0))?" }
                )
            }
        }
        self.actions = actions
        everyAction = names.contains { $0.value == "*" }
    }

    /// Also for the names of policy documents, `s3:GetObject`.
    private static func nearest(to name: String) -> String? {
        let iam = name.hasPrefix("s3:") ? name : "s3:" + name
        if let action = S3Action.allCases.first(where: { $0.iamName.lowercased() == iam.lowercased() }) {
            return action.rawValue
        }
        return NearestName.find(for: name, among: ActionSet.names)
    }
}

/// Names of principals as the configuration gives them: without the kind that typed identities begin with.
package enum PrincipalName {
    static func validated(_ text: Located<String>, _ reader: ConfigurationReader) -> String? {
        guard let fault = fault(of: text.value) else { return text.value }
        reader.report(fault.message, at: text.origin, suggestion: fault.suggestion)
        return nil
    }

    /// Why nobody can be called that; nil: somebody can.
    package static func fault(of text: String) -> (message: String, suggestion: String?)? {
        for kind in ["user:", "key:", "idp:", "role:", "link:"] {
            if let bare = text.removing(prefix: kind) {
                let suggestion = "write \(quoted(bare)); policies call it \(quoted(text))"
                return ("is a name without its kind", suggestion)
            }
        }
        guard text.utf8.count <= 128 else { return ("is longer than 128 bytes", nil) }
        let isName = text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && $0 != "*" }
        return isName ? nil : ("must not contain spaces, control characters or \"*\"", nil)
    }

    /// Short keys can be guessed; the shortest that AWS and `gatehouse key new` make is longer.
    ///
    /// - Parameter kind: what `gatehouse key new` calls such a key; nil: it makes none.
    static func warnIfShort(_ secret: Located<String>, making kind: String? = nil, _ reader: ConfigurationReader) {
        guard secret.value.utf8.count < 16 else { return }
        reader.report(
            "is shorter than 16 characters and may be guessed",
            at: secret.origin,
            suggestion: "make one with " + quoted(kind.map { "gatehouse key new " + $0 } ?? "openssl rand -base64 32"),
            severity: .warning
        )
    }
}
