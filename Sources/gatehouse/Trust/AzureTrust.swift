import ArgumentParser
import Identity
import Settings

/// What Microsoft Entra ID and a storage account have to be told so that one container trusts us: exactly our issuer,
/// subject and audience, and exactly that container.
struct AzureTrust {
    private let issuer: String
    private let audience: String
    private let subject: String
    private let application: AzureApplication
    private let account: String
    private let container: String
    private let permissions: AWSTrust.Permissions

    /// - Throws: `ExitCode` where the bucket's store is none that is asked so.
    init(of name: String, in configuration: GatehouseConfiguration, permissions: AWSTrust.Permissions) throws {
        guard let bucket = configuration.buckets.first(where: { $0.name == name }) else {
            StandardError.write("gatehouse: there is no bucket \"\(name)\" in the configuration")
            throw ExitCode(1)
        }
        guard case .azure(let connection) = bucket.backend, case .azure(let application)? = connection.source,
            case .own(let subject, let audience) = application.identity, let provider = configuration.keys.provider
        else {
            StandardError.write("gatehouse: the bucket \"\(name)\" is none at Azure with auth_type \"oidc\"")
            throw ExitCode(1)
        }
        issuer = provider.issuer
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
        return [
            "az ad app federated-credential create --id \(application.clientID) --parameters @federated.json",
            "az role assignment create --assignee \(application.clientID) --role \"\(role)\" --scope "
                + "\"$(az storage account show --name \(account) --query id --output tsv)"
                + "/blobServices/default/containers/\(container)\"",
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
