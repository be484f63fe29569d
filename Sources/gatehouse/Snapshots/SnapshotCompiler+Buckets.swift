import Backends
import Pipeline
import S3API
import Settings

/// Buckets, and accounts that own whichever nobody else claims.
extension SnapshotCompiler {
    func bucket(
        _ bucket: BucketConfiguration,
        _ findings: StoreFindings,
        quarantine: [UInt8],
        overTLS: Bool
    ) throws -> Bucket {
        let place = StorePlace(
            label: bucket.account ?? bucket.name,
            bucketName: bucket.backendBucket,
            prefix: bucket.backendPrefix,
            crossOrigin: bucket.cors.isEmpty ? .store : .gateway,
            quarantine: quarantine
        )
        let store = try store(bucket.backend, place) { bucket.checksums.known(of: $0, findings) }
        return Bucket(
            name: try name(bucket.name),
            backend: store.backend,
            upstream: store.upstream,
            anonymousAccess: bucket.anonymousAccess,
            allowedRoles: bucket.allowedRoles.map { Set($0.map(\.value)) },
            storeVerifiesPayload: bucket.payloadVerification == .backend,
            ownsBackendBucket: bucket.backendPrefix.isEmpty && !bucket.sharesBackendBucket,
            kind: bucket.backend.kind,
            crossOrigin: bucket.cors.rules,
            hardening: HardeningFields.lines(frameOptions: bucket.frameOptions.rawValue, overTLS: overTLS),
            lease: lease(of: bucket.backend),
            urls: urls(of: bucket.backend)
        )
    }

    func openAccount(
        _ account: AccountConfiguration,
        _ findings: StoreFindings,
        quarantine: [UInt8],
        overTLS: Bool
    ) throws -> OpenAccount {
        let place = StorePlace(label: account.name, quarantine: quarantine)
        let store = try store(account.backend, place) { account.checksums.known(of: $0, findings) }
        guard let backend = store.backend as? S3Backend else {
            throw SnapshotFailure("not every bucket of the account \(account.name) can be claimed")
        }
        return OpenAccount(
            upstream: store.upstream,
            backend: backend,
            storeVerifiesPayload: false,
            kind: account.backend.kind,
            hardening: HardeningFields.lines(frameOptions: "DENY", overTLS: overTLS),
            lease: lease(of: account.backend)
        )
    }
}

/// Where at its store a bucket lies, and what it is called here.
struct StorePlace {
    /// The store's name in logs and metrics.
    let label: String
    var bucketName = ""
    var prefix = ""
    var crossOrigin = S3Backend.CrossOrigin.store
    /// What keys of uploads that nobody has judged yet begin with.
    let quarantine: [UInt8]
}

extension BackendConfiguration {
    var kind: BackendKind {
        switch self {
        case .s3: .s3
        case .gcs: .gcs
        case .azure: .azure
        case .file: .file
        }
    }
}
