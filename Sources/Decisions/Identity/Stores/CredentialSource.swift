public import WireFormats

/// Where a store's credential comes from, where it does not stand in the configuration: everything that changes what is
/// answered, so that equal sources share one credential and no others do.
public enum CredentialSource: Hashable, Sendable {
    /// A session at AWS's STS, or at one that speaks like it.
    case aws(AWSSession)
    /// An application registered with Microsoft Entra ID, by a federated credential.
    case azure(AzureApplication)
    /// What such an application signs URLs with.
    case azureDelegation(AzureDelegation)
    /// A service account of Google's, or what a workload identity pool makes of us by itself.
    case google(GoogleWorkload)
    /// A service account of Google's that signs with its own key for a token.
    case googleKey(GoogleAccountKey)
}

/// By whose word a store's cloud is told who we are.
public enum WebIdentity: Hashable, Sendable {
    /// A token that we sign ourselves.
    case own(subject: String, audience: String)
    /// A token that somebody else puts into a file, and replaces there before it ends.
    case file(path: String)
}

/// How a session at AWS is begun, and which roles are assumed from there.
public struct AWSSession: Hashable, Sendable {
    public enum Beginning: Hashable, Sendable {
        /// AssumeRoleWithWebIdentity.
        case webIdentity(WebIdentity, roleARN: String)
        /// The variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
        case environment
        /// What the machine is given: by a container's agent where the environment names one, else by EC2.
        case instance
    }

    public let beginning: Beginning
    /// Roles that are assumed one from the other, in this order; the last one's credential is used.
    public let chain: [String]
    public let endpoint: ServiceURL
    /// What requests to `endpoint` are signed for.
    public let region: String

    public init(_ beginning: Beginning, chain: [String] = [], endpoint: ServiceURL, region: String) {
        self.beginning = beginning
        self.chain = chain
        self.endpoint = endpoint
        self.region = region
    }
}

public struct AzureApplication: Hashable, Sendable {
    public let identity: WebIdentity
    public let tenantID: String
    public let clientID: String
    /// Where tokens are issued, without a path.
    public let endpoint: ServiceURL

    public init(_ identity: WebIdentity, tenantID: String, clientID: String, endpoint: ServiceURL) {
        self.identity = identity
        self.tenantID = tenantID
        self.clientID = clientID
        self.endpoint = endpoint
    }
}

public struct GoogleWorkload: Hashable, Sendable {
    public let identity: WebIdentity
    /// `projects/N/locations/global/workloadIdentityPools/P/providers/X`
    public let provider: String
    /// The service account that is impersonated; nil: what the pool makes of us has the rights itself.
    public let serviceAccount: String?
    /// Where tokens are exchanged, without a path.
    public let endpoint: ServiceURL
    /// Where service accounts are impersonated, without a path.
    public let credentialsEndpoint: ServiceURL

    public init(
        _ identity: WebIdentity,
        provider: String,
        serviceAccount: String?,
        endpoint: ServiceURL,
        credentialsEndpoint: ServiceURL
    ) {
        self.identity = identity
        self.provider = provider
        self.serviceAccount = serviceAccount
        self.endpoint = endpoint
        self.credentialsEndpoint = credentialsEndpoint
    }
}

extension GoogleWorkload {
    /// The provider's full name, which is also the audience of the exchange.
    public var resource: String { "//iam.googleapis.com/" + provider }
}

extension CredentialSource {
    /// What is asked for, without anything secret: a label in metrics and in the readiness detail.
    public var label: String {
        switch self {
        case .aws(let session):
            if let last = session.chain.last { return last }
            switch session.beginning {
            case .webIdentity(_, let roleARN): return roleARN
            case .environment: return "environment"
            case .instance: return "instance"
            }
        case .azure(let application): return application.label
        case .azureDelegation(let delegation):
            return "user delegation key at " + delegation.storage.host + " of " + delegation.application.label
        case .google(let workload): return workload.serviceAccount ?? workload.provider
        case .googleKey(let key): return key.email
        }
    }

    /// What its credential is for.
    public enum Use: String, Sendable {
        case requests
        /// Nothing but signing URLs.
        case urls
    }

    public var use: Use { if case .azureDelegation = self { .urls } else { .requests } }
}

extension AzureApplication {
    fileprivate var label: String { tenantID + "/" + clientID }
}
