package import Admission
import Identity
import STSAPI
import WireFormats

/// One entry of `[[roles]]`: who may assume it, and what its sessions may do.
package struct RoleConfiguration: Sendable {
    package let role: Role
    /// For people; the id where none is given.
    package let name: String
    package let scopes: [ScopeTemplateConfiguration]
    package let origin: Origin
    /// Where each trusted issuer is written.
    let issuers: [Located<String>]
    /// Where each of the trusted principals is written.
    let principalOrigins: [Origin]
    /// Where `required_audiences` is written.
    let audiencesOrigin: Origin

    init?(reading section: Section) {
        let reader = section.reader
        let id = section.required("role_id").flatMap { text in
            reader.declare(text.value, as: .role, at: text.origin, "the role \(quoted(text.value)) is given")
            return Self.validID(text, reader)
        }
        let name = section.has("name") ? section.required("name")?.value : nil
        issuers = (section.texts("trusted_oidc_issuers") ?? []).filter { issuer in
            guard issuer.value.isEmpty else { return true }
            reader.report("must not be empty", at: issuer.origin)
            return false
        }
        let audiences = section.texts("required_audiences") ?? []
        for text in audiences where text.value.isEmpty { reader.report("must not be empty", at: text.origin) }
        let subjects = section.texts("subject_conditions") ?? []
        for text in subjects where text.value.isEmpty { reader.report("must not be empty", at: text.origin) }
        let principals = Self.principals(section)
        principalOrigins = principals.map(\.1)
        let seconds = section.integer(
            "max_session_duration_secs",
            or: SessionWish.standardDuration,
            in: SessionWish.durations
        )
        scopes = section.sections("allowed_scopes", single: .accepted)
            .compactMap(ScopeTemplateConfiguration.init(reading:))
        origin = section.origin
        audiencesOrigin = section.place(of: "required_audiences")
        if issuers.isEmpty, principals.isEmpty {
            reader.report(
                "nobody may assume this role",
                at: section.origin,
                suggestion: "give trusted_oidc_issuers, or trusted_principals"
            )
        }
        if !issuers.isEmpty, subjects.isEmpty {
            reader.report(
                "is required beside trusted_oidc_issuers",
                at: section.place(of: "subject_conditions"),
                suggestion: "write [\"*\"] where every subject of the issuer may assume the role"
            )
        }
        section.finish()
        guard let id else { return nil }
        self.name = name ?? id
        role = Role(
            id: id,
            trust: RoleTrust(
                issuers: Set(issuers.map(\.value)),
                audiences: Set(audiences.map(\.value)),
                subjects: subjects.map { SubjectPattern($0.value) },
                principals: principals.map(\.0)
            ),
            scopes: scopes.map(\.template),
            longestSession: .seconds(seconds)
        )
    }

    /// Identity providers as they are for sessions: those that only a role names are added, with discovery.
    static func providers(
        _ given: [IdentityProviderConfiguration],
        trustedBy roles: [RoleConfiguration],
        _ reader: ConfigurationReader
    ) -> [IdentityProvider] {
        var added: [IdentityProvider] = []
        for role in roles {
            for issuer in role.issuers {
                let known = given.map(\.provider).filter { $0.issuer.utf8.elementsEqual(issuer.value.utf8) }
                if let provider = known.first {
                    role.check(known, issuer, provider, reader)
                } else if let audiences = role.requiredAudiences(of: issuer, reader),
                    case .discovery(let url)? = IdentityProviderConfiguration.discovery(issuer, reader)
                {
                    let earlier = added.firstIndex { $0.issuer.utf8.elementsEqual(issuer.value.utf8) }
                    let all = audiences.union(earlier.map { added[$0].audiences } ?? [])
                    if let earlier { added.remove(at: earlier) }
                    added.append(
                        IdentityProvider(
                            // No entry of the file can have this name: it has a colon.
                            name: issuer.value,
                            issuer: issuer.value,
                            audiences: all,
                            uses: [.sts],
                            keys: .discovery(url)
                        )
                    )
                }
            }
        }
        return added
    }

    private func check(
        _ known: [IdentityProvider],
        _ issuer: Located<String>,
        _ provider: IdentityProvider,
        _ reader: ConfigurationReader
    ) {
        let able = known.filter { $0.uses.contains(.sts) }
        guard !able.isEmpty else {
            reader.report(
                "the identity provider \(quoted(provider.name)) of this issuer is not for sessions",
                at: issuer.origin,
                suggestion: "add \"sts\" to its use"
            )
            return
        }
        let accepted = able.reduce(into: Set<String>()) { $0.formUnion($1.audiences) }
        guard role.trust.audiences.isEmpty || !role.trust.audiences.isDisjoint(with: accepted) else {
            reader.report(
                "none of these is an audience of the identity provider \(quoted(able[0].name))",
                at: audiencesOrigin,
                suggestion: "add one to its audiences: it accepts no other token",
                severity: .warning
            )
            return
        }
    }

    /// An issuer that has no entry of its own accepts what its roles require.
    private func requiredAudiences(of issuer: Located<String>, _ reader: ConfigurationReader) -> Set<String>? {
        guard role.trust.audiences.isEmpty else { return role.trust.audiences }
        reader.report(
            "is required: the issuer \(quoted(issuer.value)) has no [[identity_providers]] that says whom tokens are for",
            at: audiencesOrigin
        )
        return nil
    }

    private static func validID(_ text: Located<String>, _ reader: ConfigurationReader) -> String? {
        guard RoleName.isID(text.value), text.value != RoleName.own else {
            reader.report(
                text.value == RoleName.own
                    ? "\(quoted(text.value)) stands for the caller's own rights"
                    : "\(quoted(text.value)) is not a role id",
                at: text.origin,
                suggestion: "use 1 to 64 letters, digits and _+=,.@-"
            )
            return nil
        }
        return text.value
    }

    private static func principals(_ section: Section) -> [(PrincipalPattern, Origin)] {
        (section.texts("trusted_principals") ?? []).compactMap { text -> (PrincipalPattern, Origin)? in
            do {
                let pattern = try PrincipalPattern(parsing: text.value)
                guard text.value != "anonymous" else {
                    section.reader.report("callers without a credential can't assume a role", at: text.origin)
                    return nil
                }
                return (pattern, text.origin)
            } catch {
                section.reader.report("\(error)", at: text.origin)
                return nil
            }
        }
    }
}
