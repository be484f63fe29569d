package import Identity
package import WireFormats

/// An account at Azure Blob Storage.
package struct AzureConnection: NetworkConnection {
    package let account: String
    /// nil: the account's own, at Microsoft's domain.
    package var endpoint: PublicURL?
    /// In base64; nil: requests go out without a credential.
    package var accessKey: Secret<String>?
    /// Where the access token comes from that is obtained; nil: ``accessKey`` is all there is.
    package var source: CredentialSource?
    package var connectTimeout = Duration.seconds(5)
    package var responseTimeout = Duration.seconds(60)
    package var maxConnections = 512
    package var caCertificate: String?
    package var publicEndpoint: PublicURL?

    /// Where requests go.
    package var address: String { endpoint?.description ?? "https://\(account).blob.core.windows.net" }

    /// Where the key comes from that URLs are signed with, where the token is obtained.
    package var delegation: CredentialSource? {
        guard case .azure(let application)? = source, let storage = ServiceURL(address) else { return nil }
        return .azureDelegation(AzureDelegation(application, storage: storage))
    }
}

extension AzureConnection {
    init?(reading options: Section, owner: BackendConfiguration.Owner) {
        let name = options.required("account_name", "is required where backend_type is \"azure\"")
        if let name, !Self.isAccountName(name.value) {
            options.reader.report(
                "\(quoted(name.value)) is not the name of a storage account",
                at: name.origin,
                suggestion: "use 3 to 24 lower-case letters and digits"
            )
            return nil
        }
        if owner == .bucket { _ = options.value("container_name") }
        account = name?.value ?? ""
        endpoint = options.parsed("endpoint", expected: PublicURL.expected, PublicURL.init(parsing:))
        source = CredentialSource.ofAzure(options)
        if source != nil, let endpoint, endpoint.scheme == .http,
            !["127.0.0.1", "::1", "localhost"].contains(endpoint.host)
        {
            options.reader.report(
                "an access token must not travel unencrypted",
                at: options.place(of: "endpoint"),
                suggestion: "use https"
            )
        }
        if source == nil, options.has("access_key"), let key = options.resolved("access_key") {
            if Base64.decode(Array(key.value.utf8)).map({ $0.isEmpty }) ?? true {
                options.reader.report("is not an account's key: those are base64", at: options.place(of: "access_key"))
            }
            accessKey = Secret(key.value)
        }
        readNetwork(options)
        options.finish(OptionNames.explained(for: .azure, owner: owner))
        guard name != nil else { return nil }
    }

    /// Microsoft, "Storage account overview": names are parts of host names, and of what is signed.
    private static func isAccountName(_ name: String) -> Bool {
        (3...24).contains(name.utf8.count)
            && name.utf8.allSatisfy { $0 &- 0x61 < 26 || $0 &- 0x30 < 10 }
    }
}
