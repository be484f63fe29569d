package import Identity
package import WireFormats

/// A bucket at Google Cloud Storage.
package struct GoogleConnection: NetworkConnection {
    package enum Credential: Sendable {
        case hmac(accessID: String, secret: Secret<String>)
        case serviceAccount(GoogleAccountKey)
    }

    package var endpoint = PublicURL(scheme: .https, host: "storage.googleapis.com")
    /// nil: requests go out without a credential.
    package var credential: Credential?
    /// Where the access token comes from that is obtained; nil: ``credential`` is all there is.
    package var source: CredentialSource?
    package var connectTimeout = Duration.seconds(5)
    package var responseTimeout = Duration.seconds(60)
    package var maxConnections = 512
    package var caCertificate: String?
    package var publicEndpoint: PublicURL?
}

extension GoogleConnection {
    /// The HMAC key's, where there is one.
    var accessID: String? {
        if case .hmac(let accessID, _) = credential { accessID } else { nil }
    }

    var hasServiceAccount: Bool {
        if case .serviceAccount = credential { true } else { false }
    }

    init?(reading options: Section, owner: BackendConfiguration.Owner) {
        if owner == .bucket { _ = options.value("bucket_name") }
        var isComplete = true
        if options.has("endpoint") {
            let given = options.parsed("endpoint", expected: PublicURL.expected, PublicURL.init(parsing:))
            if let given { endpoint = given } else { isComplete = false }
        }
        source = CredentialSource.ofGoogle(options)
        if source == nil { credential = Self.credential(options) }
        if case .serviceAccount(let key)? = credential { source = .googleKey(key) }
        if source != nil || options.has("service_account_key"), endpoint.scheme == .http,
            !["127.0.0.1", "::1", "localhost"].contains(endpoint.host)
        {
            options.reader.report(
                "an access token must not travel unencrypted",
                at: options.place(of: "endpoint"),
                suggestion: "use https"
            )
        }
        readNetwork(options)
        options.finish(OptionNames.explained(for: .gcs, owner: owner))
        guard isComplete else { return nil }
    }

    /// One kind of credential, whole, or none.
    private static func credential(_ options: Section) -> Credential? {
        let reader = options.reader
        let id = options.resolved("hmac_access_id")
        let secret = options.resolved("hmac_secret")
        let keyFile = options.resolved("service_account_key")
        for (name, other) in [("hmac_access_id", "hmac_secret"), ("hmac_secret", "hmac_access_id")]
        where options.has(name) && !options.has(other) {
            reader.report(
                "is required beside \(name)",
                at: options.place(of: other),
                suggestion: "give both, or neither for a bucket that is read without a credential"
            )
        }
        if options.has("service_account_key"), options.has("hmac_access_id") || options.has("hmac_secret") {
            reader.report(
                "is given beside an HMAC key",
                at: options.place(of: "service_account_key"),
                suggestion: "give one of them: requests are made with one credential"
            )
        }
        if let keyFile, id == nil, secret == nil { return serviceAccount(keyFile, options) }
        guard let id, let secret else { return nil }
        return .hmac(accessID: id.value, secret: Secret(secret.value))
    }

    /// Nil after a problem was reported.
    private static func serviceAccount(_ keyFile: Located<String>, _ options: Section) -> Credential? {
        do {
            return .serviceAccount(try GoogleAccountKey(keyFile: Secret(keyFile.value)))
        } catch {
            options.reader.report(error.words, at: keyFile.origin)
            return nil
        }
    }
}

extension GoogleAccountKey.Refusal {
    fileprivate var words: String {
        switch self {
        case .malformed: "is not the JSON document of a key file"
        case .otherType: "is not the key file of a service account"
        case .missing(let name): "has no \(name)"
        case .tokenService: "has a token_uri that is neither https nor on this machine"
        }
    }
}
