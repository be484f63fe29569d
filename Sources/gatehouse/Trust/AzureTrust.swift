import Identity
import Settings

/// What Microsoft Entra ID and a storage account have to be told: a federated credential, and roles on the container and for
/// signing URLs.
struct AzureTrust: CloudTrust {
    static let kind = "at Azure"

    private let issuer: String
    private let audience: String
    private let subject: String
    private let application: AzureApplication
    private let account: String
    private let container: String
    private let permissions: TrustPermissions

    init?(_ bucket: BucketConfiguration, issuer: String, permissions: TrustPermissions) {
        guard case .azure(let connection) = bucket.backend, case .azure(let application)? = connection.source,
            case .own(let subject, let audience) = application.identity
        else { return nil }
        self.issuer = issuer
        self.audience = audience
        self.subject = subject
        self.application = application
        account = connection.account
        container = bucket.backendBucket
        self.permissions = permissions
    }

    private var federatedCredential: JSONValue {
        .object([
            ("name", .text("gatehouse-\(container)")), ("issuer", .text(issuer)), ("subject", .text(subject)),
            ("audiences", .array([.text(audience)])),
        ])
    }

    private var commands: [String] {
        let role = permissions == .read ? "Storage Blob Data Reader" : "Storage Blob Data Contributor"
        let place = "$(az storage account show --name \(account) --query id --output tsv)"
        func assignment(of role: String, at scope: String) -> String {
            "az role assignment create --assignee \(application.clientID) --role \"\(role)\" --scope \"\(scope)\""
        }
        return [
            "az ad app federated-credential create --id \(application.clientID) --parameters @federated.json",
            assignment(of: role, at: place + "/blobServices/default/containers/\(container)"),
            // Keys that sign URLs are the account's to give; without this one, URLs lead through Gatehouse.
            assignment(of: "Storage Blob Delegator", at: place),
        ]
    }

    var text: String {
        """
        # federated.json: whose tokens the application \(application.clientID) of \(application.tenantID) takes for its own
        \(federatedCredential.rendered())

        # Azure fetches \(issuer)/.well-known/openid-configuration: it must be reachable from the internet.
        \(commands.joined(separator: "\n"))
        """
    }

    var json: JSONValue {
        .object([
            ("issuer", .text(issuer)), ("federated_credential", federatedCredential),
            ("commands", .array(commands.map { .text($0) })),
        ])
    }
}
