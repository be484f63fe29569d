/// What there is to say about options of `backend_options` that a store of another kind would have, and about those
/// that never did anything.
enum OptionNames {
    /// What each way to a credential takes.
    private static let byAuthType: [(name: String, types: String)] = [
        ("oidc_role_arn", "\"oidc\" or \"web-identity\""), ("oidc_subject", "\"oidc\""), ("oidc_audience", "\"oidc\""),
        ("sts_endpoint", "\"oidc\" or \"web-identity\", or to role_chain"),
        ("role_chain", "\"oidc\", \"web-identity\", \"env\" or \"instance\""),
    ]
    /// All that says how a store's credential is had.
    static let authentication =
        ["auth_type", "access_key_id", "secret_access_key", "session_token"] + byAuthType.map(\.name) + gcs
        + gcsFederation + ["access_key"] + azureFederation
    private static let s3 = [
        "region", "addressing", "access_key_id", "secret_access_key", "session_token", "role_chain",
        "oidc_role_arn",
    ]
    /// Of every store that is reached over the network.
    private static let network = [
        "endpoint", "connect_timeout", "response_timeout", "max_connections", "ca_certificate", "public_endpoint",
    ]
    private static let azure = ["account_name", "container_name", "access_key"]
    private static let azureFederation = ["tenant_id", "client_id"]
    private static let gcs = ["service_account_key", "hmac_access_id", "hmac_secret"]
    private static let gcsFederation = ["workload_provider", "service_account_email"]

    /// The kind of store that options look like, where `backend_type` names none: the one that most of them belong to, else
    /// the one whose name is nearest.
    static func likelyType(_ name: String, options: [String]) -> BackendType {
        let own: [(type: BackendType, options: [String])] = [
            (.s3, s3), (.azure, azure + azureFederation), (.gcs, gcs + gcsFederation), (.file, ["path"]),
        ]
        let counts = own.map { kind in (kind.type, options.count { kind.options.contains($0) }) }
        if let (type, count) = counts.max(by: { $0.1 < $1.1 }), count > 0 { return type }
        let nearest = NearestName.find(for: name, among: BackendType.allCases.map(\.rawValue))
        return nearest.flatMap(BackendType.init(rawValue:))?.itself ?? .s3
    }

    /// Explanations by option, for what ``Section/finish(_:)`` finds left over.
    static func explained(for type: BackendType, owner: BackendConfiguration.Owner) -> [String: String] {
        var explained: [String: String] = [:]
        func say(_ text: String, about names: [String]) {
            for name in names { explained[name] = text }
        }
        if type == .azure {
            say("belongs to auth_type \"oidc\"", about: azureFederation)
        } else {
            say("belongs to backend_type \"azure\"", about: azure + azureFederation)
        }
        if type == .gcs {
            say("belongs to auth_type \"oidc\"", about: gcsFederation)
        } else {
            say("belongs to backend_type \"gcs\"", about: gcs + gcsFederation)
        }
        if type != .file { say("belongs to backend_type \"file\"", about: ["path"]) }
        if type != .s3 { say("belongs to backend_type \"s3\"", about: s3) }
        if type == .file { say("belongs to stores that are reached over the network", about: network) }
        for (name, types) in byAuthType where type == .s3 || !s3.contains(name) {
            explained[name] =
                type == .file ? "belongs to stores that are reached over the network" : "belongs to auth_type " + types
        }
        explained["skip_signature"] =
            "skip_signature has no effect and is not read: requests go out unsigned exactly where access_key_id and "
            + "secret_access_key are both absent; remove it"
        if owner == .account {
            explained["bucket_name"] =
                "an account's buckets have the same names at the store; another name is for an entry of [[buckets]]"
            if type == .azure { explained["container_name"] = explained["bucket_name"] }
        }
        return explained
    }
}
