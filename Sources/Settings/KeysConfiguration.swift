package import Identity
import WireFormats

/// `[keys]`: what we seal sessions with and sign our own tokens with. Each is also taken from the environment alone, where the file says nothing
/// of it.
package struct KeysConfiguration: Sendable {
    /// We as an identity provider; nil where no key is given.
    package var provider: OIDCProvider?
    /// What session tokens are sealed with, the first, and opened with; empty: a key of the state's.
    package var sessionKeys: [SessionKey] = []

    private static let sessionKey = "SESSION_TOKEN_KEY"
    private static let providerKey = "OIDC_PROVIDER_KEY"
    private static let providerIssuer = "OIDC_PROVIDER_ISSUER"

    init() {}

    /// - Parameter publicURL: the issuer where none is named.
    init(reading section: Section, publicURL: PublicURL?) {
        sessionKeys = Self.sessionKeys(section)
        let keys = Self.keys(section)
        let issuer = Self.issuer(section)
        section.finish()
        guard !keys.isEmpty else {
            if let issuer, section.has("oidc_provider_issuer") {
                section.reader.report(
                    "names an issuer that has no key to sign with",
                    at: issuer.origin,
                    suggestion: "set \(Self.providerKey), or give oidc_provider_keys"
                )
            }
            return
        }
        guard let text = issuer?.value ?? publicURL?.description else {
            if !section.has("oidc_provider_issuer") {
                section.reader.report(
                    "is required beside a key: where the stores can reach us",
                    at: section.place(of: "oidc_provider_issuer"),
                    suggestion: "set \(Self.providerIssuer), or public_url in [server]"
                )
            }
            return
        }
        provider = OIDCProvider(issuer: text, keys: keys)
    }

    private static func sessionKeys(_ section: Section) -> [SessionKey] {
        let texts = section.resolvedTexts("session_token_keys", orVariable: sessionKey)
        var keys: [SessionKey] = []
        for text in texts.prefix(SessionKeyring.mostKeys) {
            guard let key = Base64.decode(text.value.utf8).flatMap(SessionKey.init) else {
                section.reader.report(
                    said(sessionKey, "session_token_keys", section) + "is not \(SessionKey.byteCount) bytes in base64",
                    at: text.origin,
                    suggestion: "make one with \"gatehouse key new session\", or \"openssl rand -base64 32\""
                )
                continue
            }
            guard !keys.contains(where: { $0.id == key.id }) else {
                section.reader.report("is the same key as one before it", at: text.origin)
                continue
            }
            keys.append(key)
        }
        if texts.count > SessionKeyring.mostKeys {
            section.reader.report(
                "has more than \(SessionKeyring.mostKeys) keys",
                at: section.place(of: "session_token_keys")
            )
        }
        return keys
    }

    private static func keys(_ section: Section) -> [OIDCKey] {
        let texts = section.resolvedTexts("oidc_provider_keys", orVariable: providerKey)
        var keys: [OIDCKey] = []
        for text in texts.prefix(OIDCProvider.mostKeys) {
            do {
                let key = try OIDCKey(pem: text.value)
                guard !keys.contains(where: { $0.id == key.id }) else {
                    section.reader.report("is the same key as one before it", at: text.origin)
                    continue
                }
                keys.append(key)
            } catch {
                section.reader.report(
                    said(providerKey, "oidc_provider_keys", section) + "\(error)",
                    at: text.origin,
                    suggestion: "make one with \"gatehouse key new oidc\", or \"openssl genrsa 2048\""
                )
            }
        }
        if texts.count > OIDCProvider.mostKeys {
            section.reader.report(
                "has more than \(OIDCProvider.mostKeys) keys",
                at: section.place(of: "oidc_provider_keys")
            )
        }
        return keys
    }

    /// The variable's name before what is wrong with its value, where it and not the file says it.
    private static func said(_ variable: String, _ key: String, _ section: Section) -> String {
        section.has(key) ? "" : "the environment variable \(variable) "
    }

    /// Clouds fetch our keys from there, and believe what comes.
    private static func issuer(_ section: Section) -> Located<String>? {
        let given: Located<String>?
        if section.has("oidc_provider_issuer") {
            given = section.resolved("oidc_provider_issuer")
        } else {
            given = section.reader.source.environment(providerIssuer).map {
                Located(value: $0, origin: section.place(of: "oidc_provider_issuer"))
            }
        }
        guard let given else { return nil }
        guard let url = ServiceURL(given.value), url.isPrivate, !given.value.contains("?"), !given.value.contains("#")
        else {
            section.reader.report(
                "\(quoted(given.value)) is not a URL that keys can be fetched from",
                at: given.origin,
                suggestion: "write it like \"https://files.example.com\""
            )
            return nil
        }
        return given
    }
}

extension Section {
    /// An array of texts, each of which may be `env:NAME` or `file:PATH`; where there is none, the variable's value, if it
    /// is set.
    func resolvedTexts(_ name: String, orVariable variable: String) -> [Located<String>] {
        guard has(name) else {
            guard let value = reader.source.environment(variable), !value.isEmpty else { return [] }
            return [Located(value: value, origin: place(of: name))]
        }
        return (texts(name) ?? []).compactMap { text in
            guard let value = reader.resolve(text.value, at: text.origin) else { return nil }
            guard !value.isEmpty else {
                reader.report("must not be empty", at: text.origin)
                return nil
            }
            return Located(value: value, origin: text.origin)
        }
    }
}
