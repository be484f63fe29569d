import Identity
import WireFormats

/// Where an issuer's keys are, and what stands there: discovery (OpenID Connect Discovery 1.0, section 4) and the key
/// set itself.
struct IssuerDirectory: Sendable {
    /// Where to begin.
    enum Place: Hashable, Sendable {
        case discovery(ServiceURL)
        case url(ServiceURL)
    }

    /// How long keys are used before they are looked up again, whatever the issuer says: a key taken back is forgotten
    /// within an hour, and no issuer is asked more than once a minute.
    private static let shortest = Duration.seconds(60)
    private static let longest = Duration.seconds(3600)
    private static let standard = Duration.seconds(600)
    private static let longestDiscovery = 64 * 1024

    let place: Place
    let source: any DocumentSource

    struct Keys: Sendable {
        let set: JSONWebKeySet
        /// How long they may be used unasked.
        let freshFor: Duration
    }

    func keys() async throws(DocumentFailure) -> Keys {
        let url: ServiceURL
        switch place {
        case .url(let given): url = given
        case .discovery(let issuer): url = try await discovered(issuer)
        }
        let document = try await source.document(at: url, limit: JSONWebKeySet.longestDocument)
        do {
            let set = try JSONWebKeySet(parsing: document.bytes)
            let age = document.maxAge ?? Self.standard
            return Keys(set: set, freshFor: min(max(age, Self.shortest), Self.longest))
        } catch {
            throw DocumentFailure("the key set of \(url.host) \(error)")
        }
    }

    private func discovered(_ issuer: ServiceURL) async throws(DocumentFailure) -> ServiceURL {
        var base = issuer.description[...]
        if base.utf8.last == UInt8(ascii: "/") { base = base.dropLast() }
        guard let url = ServiceURL(base + "/.well-known/openid-configuration") else {
            throw DocumentFailure("the issuer is no URL to ask")
        }
        let document = try await source.document(at: url, limit: Self.longestDiscovery)
        guard case .object(let members)? = try? StrictJSON(parsing: document.bytes) else {
            throw DocumentFailure("the discovery document of \(url.host) is not a JSON object")
        }
        guard case .string(let named)? = Self.value("issuer", of: members),
            named.utf8.elementsEqual(issuer.description.utf8)
        else { throw DocumentFailure("the discovery document of \(url.host) is about another issuer") }
        guard case .string(let text)? = Self.value("jwks_uri", of: members), let keys = ServiceURL(text) else {
            throw DocumentFailure("the discovery document of \(url.host) has no usable jwks_uri")
        }
        // An issuer out there doesn't send us to our own machine, and none of them to where others may listen in.
        guard keys.transport == .tls || (keys.isLoopback && issuer.isLoopback) else {
            throw DocumentFailure("the discovery document of \(url.host) has a jwks_uri without https")
        }
        return keys
    }

    private static func value(_ name: String, of members: [(name: String, value: StrictJSON)]) -> StrictJSON? {
        members.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }
}
