package import Admission
package import Identity
package import S3API
import WireFormats

/// One entry of `[[identity_providers]]`: whose tokens are accepted, and what their bearers may do.
package struct IdentityProviderConfiguration: Sendable {
    package let provider: IdentityProvider
    package let scopes: [ScopeTemplateConfiguration]
    /// `jwks_file` as written, where the keys come from one.
    package let keyFile: String?
    package let origin: Origin
    /// Where `audiences` is written.
    private let audiencesOrigin: Origin

    private static let shortestSecret = 32

    init?(reading section: Section) {
        let reader = section.reader
        let name = section.required("name").flatMap { text in
            reader.declare(
                text.value,
                as: .identityProvider,
                at: text.origin,
                "the identity provider \(quoted(text.value)) is given"
            )
            return Self.validName(text, reader)
        }
        let issuer = section.required("issuer")
        let audiences = Self.audiences(section)
        let uses = Self.uses(section)
        let keys = Self.keys(section, issuer: issuer)
        keyFile = section.has("jwks_file") ? section.text("jwks_file")?.value : nil
        let principalClaim = section.has("principal_claim") ? section.required("principal_claim")?.value : "sub"
        let cookie = Self.cookie(section)
        let maxGrantTTL = section.duration("max_grant_ttl", or: .seconds(86_400))
        scopes = section.sections("allowed_scopes", single: .accepted)
            .compactMap(ScopeTemplateConfiguration.init(reading:))
        origin = section.origin
        audiencesOrigin = section.place(of: "audiences")
        section.finish()
        guard let name, let issuer, let audiences, let uses, let keys, let principalClaim else { return nil }
        provider = IdentityProvider(
            name: name,
            issuer: issuer.value,
            audiences: audiences,
            uses: uses,
            keys: keys,
            principalClaim: principalClaim,
            cookie: cookie,
            maxGrantTTL: maxGrantTTL
        )
    }

    /// Claims that this entry says its tokens have.
    var claims: Set<String> {
        let templates = scopes.flatMap { [$0.bucket] + $0.prefixes }.compactMap { try? Template($0) }
        return Set(templates.flatMap(\.names)).union([provider.principalClaim])
    }

    /// Two entries must not take one token: who its bearer is would depend on their order.
    static func refuseAmbiguity(_ providers: [IdentityProviderConfiguration], _ reader: ConfigurationReader) {
        for (index, later) in providers.enumerated() {
            for earlier in providers[..<index]
            where earlier.provider.issuer == later.provider.issuer
                && !earlier.provider.uses.isDisjoint(with: later.provider.uses)
            {
                guard let shared = earlier.provider.audiences.intersection(later.provider.audiences).sorted().first
                else { continue }
                reader.report(
                    "\(quoted(shared)) is an audience of \(quoted(earlier.provider.name)) already, "
                        + "which has the same issuer",
                    at: later.audiencesOrigin
                )
            }
        }
    }

    /// The name stands between the colons of `idp:NAME:SUBJECT`.
    private static func validName(_ text: Located<String>, _ reader: ConfigurationReader) -> String? {
        guard let name = PrincipalName.validated(text, reader) else { return nil }
        guard !name.contains(":") else {
            reader.report("must not contain \":\"", at: text.origin)
            return nil
        }
        return name
    }

    private static func audiences(_ section: Section) -> Set<String>? {
        let place = section.place(of: "audiences")
        guard section.has("audiences") else {
            section.reader.report("is required", at: place, suggestion: "name whom the tokens must be meant for")
            return nil
        }
        guard let texts = section.texts("audiences") else { return nil }
        guard !texts.isEmpty else {
            section.reader.report("accepts no token", at: place, suggestion: "name whom they must be meant for")
            return nil
        }
        for text in texts where text.value.isEmpty { section.reader.report("must not be empty", at: text.origin) }
        return Set(texts.map(\.value))
    }

    private static func uses(_ section: Section) -> Set<IdentityProvider.Use>? {
        guard section.has("use") else { return Set(IdentityProvider.Use.allCases) }
        guard let texts = section.texts("use") else { return nil }
        if texts.isEmpty { section.reader.report("is good for nothing", at: section.place(of: "use")) }
        return Set(texts.compactMap { section.choice($0) })
    }

    private static func cookie(_ section: Section) -> String? {
        guard let text = section.text("cookie"), !text.value.isEmpty else { return nil }
        // A token of RFC 9110.
        let isName =
            text.value.utf8.count <= 128
            && text.value.utf8.allSatisfy { byte in
                byte > 0x20 && byte < 0x7F && !"\"(),/:;<=>?@[\\]{}".utf8.contains(byte)
            }
        if isName { return text.value }
        section.reader.report("\(quoted(text.value)) is not the name of a cookie", at: text.origin)
        return nil
    }

    // MARK: - Keys

    /// From one source: what two of them disagree about is nobody's to decide.
    private static func keys(_ section: Section, issuer: Located<String>?) -> IdentityProvider.Keys? {
        let reader = section.reader
        let given = ["jwks_url", "jwks_file", "shared_secret"].filter { section.has($0) }
        if given.count > 1 {
            reader.report("stands beside \(given[0]); give one of the two", at: section.place(of: given[1]))
            return nil
        }
        switch given.first {
        case "jwks_url": return section.text("jwks_url").flatMap { url($0, reader) }.map { .url($0) }
        case "jwks_file": return section.required("jwks_file").flatMap { keySet($0, reader) }
        case "shared_secret":
            guard let secret = section.resolved("shared_secret") else { return nil }
            guard secret.value.utf8.count >= shortestSecret else {
                reader.report(
                    "is shorter than \(shortestSecret) bytes",
                    at: secret.origin,
                    suggestion: "make one with \"openssl rand -hex 32\""
                )
                return nil
            }
            return .secret(Secret(Array(secret.value.utf8)))
        default: return issuer.flatMap { discovery($0, reader) }
        }
    }

    /// Keys that come in the open are whoever's who stands on the way.
    private static func url(_ text: Located<String>, _ reader: ConfigurationReader) -> ServiceURL? {
        guard let url = ServiceURL(text.value) else {
            reader.report(
                "\(quoted(text.value)) is not a URL",
                at: text.origin,
                suggestion: "write it like \"https://auth.example.com/jwks\""
            )
            return nil
        }
        guard url.isPrivate else {
            reader.report("keys are fetched over https alone, but from this machine", at: text.origin)
            return nil
        }
        return url
    }

    static func discovery(_ issuer: Located<String>, _ reader: ConfigurationReader) -> IdentityProvider.Keys? {
        guard let url = ServiceURL(issuer.value), url.isPrivate, !issuer.value.contains("?") else {
            reader.report(
                "\(quoted(issuer.value)) can't be asked for its keys: discovery takes an https URL",
                at: issuer.origin,
                suggestion: "give jwks_url, jwks_file or shared_secret"
            )
            return nil
        }
        return .discovery(url)
    }

    private static func keySet(_ path: Located<String>, _ reader: ConfigurationReader) -> IdentityProvider.Keys? {
        let resolved = FilePath.resolve(path.value, besides: path.origin.file)
        let document: [UInt8]
        do {
            document = try reader.read(resolved)
        } catch {
            reader.report("cannot read \(resolved): \(error.reason)", at: path.origin)
            return nil
        }
        do {
            let set = try JSONWebKeySet(parsing: document)
            if set.ambiguous > 0 {
                reader.report(
                    "\(set.ambiguous) of its keys share an id and are not used",
                    at: path.origin,
                    severity: .warning
                )
            }
            return .set(set)
        } catch {
            reader.report("\(resolved) \(error)", at: path.origin)
            return nil
        }
    }
}

/// One entry of `allowed_scopes` whose bucket and prefixes may name claims: `{sub}-bucket`.
package struct ScopeTemplateConfiguration: Sendable {
    package let template: ScopeTemplate
    /// As written.
    package let bucket: String
    package let prefixes: [String]
    package let actions: ActionSet
    /// Where ``bucket`` is written.
    let bucketOrigin: Origin

    init?(reading section: Section) {
        let reader = section.reader
        let bucket = section.required("bucket")
        let prefixes = section.texts("prefixes") ?? []
        let named = ScopedActions(reading: section)
        section.finish()
        var isUsable = true
        for text in [bucket].compactMap(\.self) + prefixes {
            do {
                _ = try Template(text.value)
            } catch {
                reader.report("\(error)", at: text.origin)
                isUsable = false
            }
        }
        guard isUsable, let bucket, let named else { return nil }
        let isConstant = bucket.value != "*" && !bucket.value.contains("{")
        if isConstant, BucketConfiguration.validName(bucket, reader) == nil { return nil }
        let template = try? ScopeTemplate(
            bucket: bucket.value,
            prefixes: prefixes.map(\.value),
            actions: named.actions,
            namesEveryAction: named.everyAction
        )
        guard let template else { return nil }
        self.template = template
        self.bucket = bucket.value
        self.prefixes = prefixes.map(\.value)
        actions = named.actions
        bucketOrigin = bucket.origin
    }
}
