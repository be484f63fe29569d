package import Identity
import WireFormats

/// `auth_type`: where a store's credential comes from.
enum AuthType: String, CaseIterable {
    /// It stands in the configuration, or there is none.
    case `static`
    /// Exchanged for a token of our own.
    case oidc
    /// The variables `AWS_ACCESS_KEY_ID` and so on.
    case env
    /// Exchanged for a token in the file that `AWS_WEB_IDENTITY_TOKEN_FILE` names.
    case webIdentity = "web-identity"
    /// What the machine is given: ECS, EKS, EC2.
    case instance
}

/// How requests to a store prove who makes them.
package enum StoreAuthentication: Sendable {
    /// Requests go out unsigned.
    case none
    case keys(BackendCredential)
    /// Obtained, and renewed before it ends.
    case obtained(CredentialSource)
}

extension StoreAuthentication {
    /// Reads what an S3 store has to say of it; problems are reported, and then it is ``none``.
    init(reading options: Section, region: String) {
        self = .none
        guard let type = Self.type(options) else { return }
        if type != .static {
            Self.refuse(["access_key_id", "secret_access_key", "session_token"], options, type)
        }
        switch type {
        case .static:
            if let credential = BackendCredential(reading: options) { self = .keys(credential) }
        case .env:
            let endpoint = Self.endpoint(options, region)
            guard let chain = Self.chain(options) else { return }
            if chain.isEmpty {
                if options.has("sts_endpoint") { Self.refuseUnused("sts_endpoint", options, without: "role_chain") }
                if let credential = BackendCredential(ofEnvironment: options) { self = .keys(credential) }
            } else if let endpoint, BackendCredential(ofEnvironment: options) != nil {
                self = .obtained(
                    .aws(AWSSession(.environment, chain: chain, endpoint: endpoint, region: region))
                )
            }
        case .oidc:
            let role = Self.roleARN(options, "is required where auth_type is \"oidc\"")
            let subject = Self.word("oidc_subject", options, or: "s3-proxy")
            let audience = Self.word("oidc_audience", options, or: "sts.amazonaws.com")
            Self.begin(.own(subject: subject, audience: audience), role, options, region).map { self = $0 }
        case .webIdentity:
            guard let file = Self.variable("AWS_WEB_IDENTITY_TOKEN_FILE", options) else {
                Self.pass(over: ["oidc_role_arn", "sts_endpoint", "role_chain"], of: options)
                return
            }
            let role =
                options.has("oidc_role_arn")
                ? Self.roleARN(options, "") : Self.variable("AWS_ROLE_ARN", options)
            Self.begin(.file(path: file), role, options, region).map { self = $0 }
        case .instance:
            let endpoint = Self.endpoint(options, region)
            guard let chain = Self.chain(options), let endpoint else { return }
            if chain.isEmpty, options.has("sts_endpoint") {
                Self.refuseUnused("sts_endpoint", options, without: "role_chain")
            }
            self = .obtained(.aws(AWSSession(.instance, chain: chain, endpoint: endpoint, region: region)))
        }
    }

    private static func type(_ options: Section) -> AuthType? {
        guard let text = options.text("auth_type") else { return options.has("auth_type") ? nil : .static }
        return options.choice(text)
    }

    private static func begin(
        _ identity: WebIdentity,
        _ role: String?,
        _ options: Section,
        _ region: String
    ) -> StoreAuthentication? {
        let endpoint = endpoint(options, region)
        guard let chain = chain(options), let endpoint, let role else { return nil }
        return .obtained(
            .aws(AWSSession(.webIdentity(identity, roleARN: role), chain: chain, endpoint: endpoint, region: region))
        )
    }

    /// Two ways to one credential are one too many.
    static func refuse(_ keys: [String], _ options: Section, _ type: AuthType) {
        let given = keys.filter(options.has)
        guard let name = given.first else { return }
        options.reader.report(
            "is of no use where auth_type is \(quoted(type.rawValue))",
            at: options.place(of: name),
            suggestion: "remove it, or auth_type"
        )
    }

    /// Counts them as known without reading them, where something before them is wrong.
    static func pass(over names: [String], of options: Section) {
        for name in names { _ = options.value(name) }
    }

    private static func refuseUnused(_ name: String, _ options: Section, without other: String) {
        options.reader.report("is of no use without \(other)", at: options.place(of: name), suggestion: "remove it")
    }

    /// A role's name as STS takes it: an ARN with 20 to 2048 characters (STS API reference, AssumeRole).
    private static func roleARN(_ options: Section, _ missing: String) -> String? {
        guard let text = options.required("oidc_role_arn", missing) else { return nil }
        return isRole(text, options) ? text.value : nil
    }

    private static func isRole(_ text: Located<String>, _ options: Section) -> Bool {
        let isRole =
            text.value.hasPrefix("arn:") && (20...2048).contains(text.value.utf8.count)
            && text.value.contains(":role/") && text.value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        if !isRole {
            options.reader.report(
                "\(quoted(text.value)) is not the ARN of a role",
                at: text.origin,
                suggestion: "write it like \"arn:aws:iam::123456789012:role/DataProxyAccess\""
            )
        }
        return isRole
    }

    /// Nil after a problem was reported.
    private static func chain(_ options: Section) -> [String]? {
        guard options.has("role_chain") else { return [] }
        guard let names = options.texts("role_chain") else { return nil }
        guard names.count <= 8 else {
            options.reader.report("has more than 8 roles", at: options.place(of: "role_chain"))
            return nil
        }
        let roles = names.filter { isRole($0, options) }
        return roles.count == names.count ? roles.map(\.value) : nil
    }

    static func word(_ name: String, _ options: Section, or standard: String) -> String {
        guard options.has(name), let text = options.required(name) else { return standard }
        guard text.value.utf8.count <= 255, text.value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            options.reader.report("must be at most 255 visible ASCII characters", at: text.origin)
            return standard
        }
        return text.value
    }

    private static func variable(_ name: String, _ options: Section) -> String? {
        options.reader.resolve("env:" + name, at: options.place(of: "auth_type")).flatMap { value in
            if value.isEmpty {
                options.reader.report(
                    "the environment variable \(name) is empty",
                    at: options.place(of: "auth_type")
                )
            }
            return value.isEmpty ? nil : value
        }
    }

    /// As given, or the region's own.
    private static func endpoint(_ options: Section, _ region: String) -> ServiceURL? {
        let domain = region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
        return endpoint(options, or: "https://sts.\(region).\(domain)")
    }

    /// As given, or `standard`. What is sent there is as good as a key, and must not be read on the way.
    static func endpoint(_ options: Section, or standard: String) -> ServiceURL? {
        guard options.has("sts_endpoint") else { return ServiceURL(standard) }
        guard options.required("sts_endpoint") != nil else { return nil }
        let url = options.parsed(
            "sts_endpoint",
            expected: "the URL of a token service such as \"https://sts.us-east-1.amazonaws.com\"",
            ServiceURL.init
        )
        guard let url else { return nil }
        guard url.isPrivate else {
            options.reader.report(
                "must be https, or on this machine: whoever reads the token on the way can use it",
                at: options.place(of: "sts_endpoint")
            )
            return nil
        }
        return url
    }
}

extension BackendCredential {
    /// The variables that every SDK of AWS reads; nil after a problem was reported.
    fileprivate init?(ofEnvironment options: Section) {
        let origin = options.place(of: "auth_type")
        guard let id = options.reader.resolve("env:AWS_ACCESS_KEY_ID", at: origin),
            let secret = options.reader.resolve("env:AWS_SECRET_ACCESS_KEY", at: origin)
        else { return nil }
        guard !id.isEmpty, !secret.isEmpty else {
            options.reader.report("AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is empty", at: origin)
            return nil
        }
        let token = options.reader.source.environment("AWS_SESSION_TOKEN").flatMap { $0.isEmpty ? nil : $0 }
        self.init(accessKeyID: id, secretAccessKey: Secret(secret), sessionToken: token.map { Secret($0) })
    }

    /// Both halves of a key, or neither.
    fileprivate init?(reading options: Section) {
        let reader = options.reader
        let id = options.resolved("access_key_id")
        let secret = options.resolved("secret_access_key")
        let token = options.resolved("session_token")
        switch (options.has("access_key_id"), options.has("secret_access_key")) {
        case (true, false):
            reader.report(
                "is required beside access_key_id",
                at: options.place(of: "secret_access_key"),
                suggestion: "give both, or neither for a store that is read unsigned"
            )
        case (false, true):
            reader.report(
                "is required beside secret_access_key",
                at: options.place(of: "access_key_id"),
                suggestion: "give both, or neither for a store that is read unsigned"
            )
        case (false, false):
            if options.has("session_token") {
                reader.report(
                    "is of no use without access_key_id and secret_access_key",
                    at: options.place(of: "session_token")
                )
            }
        case (true, true): break
        }
        guard let id, let secret else { return nil }
        self.init(
            accessKeyID: id.value,
            secretAccessKey: Secret(secret.value),
            sessionToken: token.map { Secret($0.value) }
        )
    }
}

extension CredentialSource {
    /// Whether tokens of our own are needed.
    package var needsOwnTokens: Bool {
        switch self {
        case .aws(let session):
            if case .webIdentity(let identity, _) = session.beginning { identity.isOwn } else { false }
        case .azure(let application): application.identity.isOwn
        case .azureDelegation(let delegation): delegation.application.identity.isOwn
        case .google(let workload): workload.identity.isOwn
        case .googleKey: false
        }
    }
}

extension WebIdentity {
    fileprivate var isOwn: Bool { if case .own = self { true } else { false } }
}
