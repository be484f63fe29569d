import Backends
import Identity
import Pipeline
import Settings
import Signatures
import WireFormats

/// Stores: how each kind is asked, and where it is.
extension SnapshotCompiler {
    typealias Store = (backend: any Backend, upstream: Upstream)

    /// - Parameter checksums: what a store at that endpoint knows of S3's.
    func store(
        _ configuration: BackendConfiguration,
        _ place: StorePlace,
        checksums: (Endpoint) -> StoreChecksums
    ) throws -> Store {
        switch configuration {
        case .s3(let connection): try s3(connection, place, checksums)
        case .azure(let connection): try azure(connection, place)
        case .gcs(let connection): try google(connection, place)
        case .file(let path): try folder(path, place, checksums)
        }
    }

    private func s3(
        _ connection: S3Connection,
        _ place: StorePlace,
        _ checksums: (Endpoint) -> StoreChecksums
    ) throws -> Store {
        let endpoint = try endpoint(connection.endpoint.description)
        let backend = S3Backend(
            endpoint: endpoint,
            publicEndpoint: connection.publicPlace,
            region: connection.region,
            addressing: connection.addressing == .virtual ? .virtualHost : .path,
            bucketName: place.bucketName,
            prefix: place.prefix,
            signer: signer(connection.authentication, region: connection.region),
            crossOrigin: place.crossOrigin,
            checksums: checksums(endpoint),
            hidden: place.quarantine
        )
        return (backend, connection.upstream(place.label, endpoint))
    }

    private func azure(_ connection: AzureConnection, _ place: StorePlace) throws -> Store {
        // Nothing is sent before there is a token, where one is to be obtained.
        var credential =
            bearer(connection.source).map { AzureCredential.bearer($0, delegation: delegation(of: connection)) }
            ?? .anonymous
        if let key = connection.accessKey {
            guard let signer = SharedKeySigner(account: connection.account, key: key) else {
                throw SnapshotFailure("the access_key of \(connection.account) is not base64")
            }
            credential = .sharedKey(signer)
        }
        let endpoint = try endpoint(connection.address)
        let backend = AzureBackend(
            account: connection.account,
            container: place.bucketName,
            endpoint: endpoint,
            publicEndpoint: connection.publicPlace,
            prefix: place.prefix,
            credential: credential,
            hidden: place.quarantine
        )
        return (backend, connection.upstream(place.label, endpoint))
    }

    private func google(_ connection: GoogleConnection, _ place: StorePlace) throws -> Store {
        let endpoint = try endpoint(connection.endpoint.description)
        let backend = GoogleBackend(
            endpoint: endpoint,
            publicEndpoint: connection.publicPlace,
            bucketName: place.bucketName,
            prefix: place.prefix,
            credential: try credential(of: connection, place.label),
            hidden: place.quarantine
        )
        return (backend, connection.upstream(place.label, endpoint))
    }

    private func credential(of connection: GoogleConnection, _ label: String) throws -> GoogleCredential {
        switch connection.credential {
        case .hmac(let accessID, let secret):
            return .hmac(GoogleSigner(identity: accessID, key: .hmac(secret)))
        case .serviceAccount(let key):
            do {
                let account = try GoogleServiceAccount(
                    email: key.email,
                    keyID: key.keyID,
                    privateKey: key.privateKey
                )
                return .serviceAccount(account, token: bearer(connection.source))
            } catch {
                throw SnapshotFailure("service_account_key of \(label) \(error.words)")
            }
        case nil:
            // Nothing is sent before there is a token, where one is to be obtained.
            guard let token = bearer(connection.source) else { return .anonymous }
            guard case .google(let workload)? = connection.source else { return .token(token, signedAs: nil) }
            return .token(token, signedAs: workload.serviceAccount)
        }
    }

    private func folder(
        _ path: String,
        _ place: StorePlace,
        _ checksums: (Endpoint) -> StoreChecksums
    ) throws -> Store {
        guard let folder = stores[path] else {
            throw SnapshotFailure("the file backend \(path) is not open")
        }
        let backend = S3Backend(
            endpoint: folder.endpoint,
            region: folder.region,
            bucketName: place.bucketName,
            prefix: place.prefix,
            signer: SigV4Signer(
                accessKeyID: folder.accessKeyID,
                secret: folder.secretAccessKey,
                region: folder.region
            ),
            crossOrigin: place.crossOrigin,
            checksums: checksums(folder.endpoint),
            hidden: place.quarantine
        )
        return (backend, Upstream(name: place.label, endpoint: folder.endpoint))
    }

    private func endpoint(_ url: String) throws -> Endpoint {
        guard let endpoint = Endpoint(url: url) else { throw SnapshotFailure("\(url) is not a store's URL") }
        return endpoint
    }
}

extension NetworkConnection {
    fileprivate var publicPlace: Endpoint? { publicEndpoint.flatMap { Endpoint(url: $0.description) } }

    fileprivate func upstream(_ label: String, _ endpoint: Endpoint) -> Upstream {
        Upstream(
            name: label,
            endpoint: endpoint,
            connectTimeout: connectTimeout,
            responseTimeout: responseTimeout,
            maxConnections: maxConnections,
            caCertificate: caCertificate
        )
    }
}

extension RSASigningKey.Refusal {
    fileprivate var words: String {
        switch self {
        case .malformed: "holds no RSA private key that can be read"
        case .tooShort: "holds an RSA key of less than 2048 bits"
        case .unusable: "holds an RSA key that can't sign"
        }
    }
}
