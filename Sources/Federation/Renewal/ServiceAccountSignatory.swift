package import Identity
package import Pipeline

/// Asks Google for the signatures of a service account that is impersonated: one request for each.
struct ServiceAccountSignatory: URLSignatory {
    /// Google keeps a key that it has signed with at least as long (IAM documentation, "Best practices for service account
    /// keys": Google-managed keys).
    let longestLifetime = Duration.seconds(43_200)

    let source: CredentialSource
    let signing: BlobSigning
    let credentials: StoreCredentials

    func signature(of text: [UInt8]) async -> SignatureFinding {
        await credentials.signature(of: text, by: signing, with: source)
    }
}

extension StoreCredentials {
    /// Who signs URLs for what such a workload is; nil where it is no service account, which alone has keys.
    package func signatory(of workload: GoogleWorkload) -> (any URLSignatory)? {
        workload.serviceAccount.map { account in
            ServiceAccountSignatory(
                source: .google(workload),
                signing: BlobSigning(account: account, endpoint: workload.credentialsEndpoint),
                credentials: self
            )
        }
    }
}
