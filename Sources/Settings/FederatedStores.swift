import Identity
import WireFormats

/// `auth_type` of the stores whose clouds give bearer tokens for ours.
extension CredentialSource {
    /// Reads what an Azure store has to say of it; nil where the credential stands in the configuration, or after a
    /// problem was reported.
    static func ofAzure(_ options: Section) -> CredentialSource? {
        guard isExchanged(options, ["tenant_id", "client_id"]) else { return nil }
        let identity = identity(options, keys: ["access_key"], audience: "api://AzureADTokenExchange")
        let tenant = identifier("tenant_id", options)
        let client = identifier("client_id", options)
        let endpoint = StoreAuthentication.endpoint(options, or: "https://login.microsoftonline.com")
        guard let tenant, let client, let endpoint else { return nil }
        return .azure(AzureApplication(identity, tenantID: tenant, clientID: client, endpoint: endpoint))
    }

    /// The same for a bucket at Google. `sts_endpoint` stands for both of the services that are asked.
    static func ofGoogle(_ options: Section) -> CredentialSource? {
        guard isExchanged(options, ["workload_provider", "service_account_email"]) else { return nil }
        guard let provider = workloadProvider(options) else {
            StoreAuthentication.pass(over: common + ["service_account_email"], of: options)
            return nil
        }
        // The audience that a provider expects where nobody told it another one.
        let identity = identity(options, keys: googleKeys, audience: "https://iam.googleapis.com/" + provider)
        let account = serviceAccount(options)
        let endpoint = StoreAuthentication.endpoint(options, or: "https://sts.googleapis.com")
        let credentials =
            options.has("sts_endpoint") ? endpoint : ServiceURL("https://iamcredentials.googleapis.com")
        guard let endpoint, let credentials else { return nil }
        return .google(
            GoogleWorkload(
                identity,
                provider: provider,
                serviceAccount: account,
                endpoint: endpoint,
                credentialsEndpoint: credentials
            )
        )
    }

    private static let common = ["oidc_subject", "oidc_audience", "sts_endpoint"]

    private static let googleKeys = ["hmac_access_id", "hmac_secret", "service_account_key"]

    /// Whether our token is exchanged; false also after a problem was reported.
    private static func isExchanged(_ options: Section, _ own: [String]) -> Bool {
        guard let text = options.text("auth_type"), let type: AuthType = options.choice(text) else { return false }
        switch type {
        case .static: return false
        case .oidc: return true
        case .env, .webIdentity, .instance:
            options.reader.report(
                "\(quoted(type.rawValue)) is for backend_type \"s3\"",
                at: text.origin,
                suggestion: "use \"oidc\" or \"static\""
            )
            StoreAuthentication.pass(over: common + own, of: options)
            return false
        }
    }

    /// By whose token we are known there.
    private static func identity(_ options: Section, keys: [String], audience: String) -> WebIdentity {
        StoreAuthentication.refuse(keys, options, .oidc)
        return .own(
            subject: StoreAuthentication.word("oidc_subject", options, or: "s3-proxy"),
            audience: StoreAuthentication.word("oidc_audience", options, or: audience)
        )
    }

    /// A UUID, or for a tenant one of its domains: part of a path.
    private static func identifier(_ name: String, _ options: Section) -> String? {
        guard let text = options.required(name, "is required where auth_type is \"oidc\"") else { return nil }
        let isFine =
            text.value.utf8.count <= 253
            && text.value.utf8.allSatisfy { ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2D || $0 == 0x2E }
        guard isFine, text.value.utf8.first != UInt8(ascii: ".") else {
            options.reader.report("\(quoted(text.value)) is not the id of one", at: text.origin)
            return nil
        }
        return text.value
    }

    /// `projects/N/locations/global/workloadIdentityPools/P/providers/X`, with or without the host in front.
    private static func workloadProvider(_ options: Section) -> String? {
        guard let text = options.required("workload_provider", "is required where auth_type is \"oidc\"") else {
            return nil
        }
        let name = text.value.removing(prefix: "//iam.googleapis.com/") ?? text.value
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isName =
            parts.count == 8 && parts[0] == "projects" && parts[2] == "locations"
            && parts[4] == "workloadIdentityPools" && parts[6] == "providers" && !parts.contains("")
            && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"?#%\"\\".utf8.contains($0) }
        guard isName else {
            options.reader.report(
                "\(quoted(text.value)) is not a workload identity provider",
                at: text.origin,
                suggestion: "write it like \"projects/123/locations/global/workloadIdentityPools/POOL/providers/NAME\""
            )
            return nil
        }
        return name
    }

    private static func serviceAccount(_ options: Section) -> String? {
        guard options.has("service_account_email"), let text = options.required("service_account_email") else {
            return nil
        }
        let parts = text.value.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[1].contains("."),
            text.value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") })
        else {
            options.reader.report("\(quoted(text.value)) is not the address of a service account", at: text.origin)
            return nil
        }
        return text.value
    }
}
