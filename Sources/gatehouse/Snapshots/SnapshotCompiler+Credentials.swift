import Federation
import Identity
import Pipeline
import Settings
import Signatures
import WireFormats

/// Credentials that are obtained: those in force when it is compiled.
extension SnapshotCompiler {
    func lease(of backend: BackendConfiguration) -> CredentialLease? { backend.credentialSource.map { lease(of: $0) } }

    private func lease(of source: CredentialSource) -> CredentialLease {
        let term = obtained[source].map { held in
            CredentialLease.Term(version: held.version, expiresAt: held.expiresAt, usableUntil: held.usableUntil)
        }
        return CredentialLease(source, term: term, from: credentials ?? NobodysCredentials())
    }

    /// What URLs are signed with, where it is something else than what requests are made with.
    func urls(of backend: BackendConfiguration) -> URLBasis? {
        if let source = backend.urlSource { return .leased(lease(of: source)) }
        switch backend.credentialSource {
        case .google(let workload)?:
            // Without a service account nothing signs, whatever is obtained.
            guard workload.serviceAccount != nil else { return .lasting }
            return credentials?.signatory(of: workload).map { .asked($0) }
        // The key itself signs, whatever tokens it has.
        case .googleKey?: return .lasting
        case .aws?, .azure?, .azureDelegation?, nil: return nil
        }
    }

    /// Nil: there is none yet.
    func bearer(_ source: CredentialSource?) -> Secret<String>? {
        guard let source, case .bearer(let token)? = obtained[source]?.credential else { return nil }
        return token
    }

    /// Nil: there is none yet.
    func delegation(of connection: AzureConnection) -> UserDelegationKey? {
        guard let source = connection.delegation, case .delegation(let key)? = obtained[source]?.credential else {
            return nil
        }
        return key
    }

    /// Nil: nothing is signed, or nothing yet.
    func signer(_ authentication: StoreAuthentication, region: String) -> SigV4Signer? {
        switch authentication {
        case .none: return nil
        case .keys(let credential):
            return SigV4Signer(
                accessKeyID: credential.accessKeyID,
                secret: credential.secretAccessKey,
                sessionToken: credential.sessionToken,
                region: region
            )
        case .obtained(let source):
            guard case .keys(let pair)? = obtained[source]?.credential else { return nil }
            return SigV4Signer(
                accessKeyID: pair.id,
                secret: pair.secret,
                sessionToken: pair.sessionToken,
                region: region
            )
        }
    }
}

/// Of a snapshot that nothing is carried by.
private struct NobodysCredentials: CredentialOffice {
    func obtain(_ source: CredentialSource) async -> CredentialFinding {
        .unavailable(reason: "credentials are obtained by a running gateway alone", retryAfter: .seconds(1))
    }

    func refused(_ source: CredentialSource, version: Int) {}
}
