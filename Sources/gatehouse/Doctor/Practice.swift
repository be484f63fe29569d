import Backends
import ControlPlane
import Federation
import Identity
import Logging
import Pipeline
import S3API
import Settings
import WireFormats

/// What a command needs to ask stores by itself: the configuration, credentials that are obtained as a running gateway
/// obtains them, and a way to the stores.
struct Practice: Sendable {
    let configuration: GatehouseConfiguration
    let credentials: StoreCredentials
    let client: StoreClient
    let documents: HTTPDocumentSource
    private let compiler: SnapshotCompiler

    /// Asks with one, which is closed whatever comes of it.
    static func asking<Result: Sendable>(
        _ configuration: GatehouseConfiguration,
        _ ask: (Practice) async throws -> Result
    ) async throws -> Result {
        let practice = try Practice(configuration: configuration)
        do {
            let result = try await ask(practice)
            await practice.client.close()
            return result
        } catch {
            await practice.client.close()
            throw error
        }
    }

    private init(configuration: GatehouseConfiguration) throws {
        self.configuration = configuration
        documents = HTTPDocumentSource(client: .ofProcess)
        credentials = StoreCredentials(
            HTTPExchangeTransport(client: .ofProcess),
            surroundings: .ofProcess,
            logger: Logger(label: "gatehouse", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        compiler = SnapshotCompiler(stores: .unopened(configuration), credentials: credentials)
        let cold = try compiler.compile(configuration, generation: 1)
        credentials.publish { [compiler] in
            (try? compiler.compile(configuration, generation: 1)) ?? cold
        }
        credentials.adopt(cold)
        // Last: what can't be compiled leaves nothing open.
        client = StoreClient()
    }

    /// The bucket with a credential that can be used, and what there is to say of that and of URLs; nil: there is none of
    /// this name.
    func bucket(_ name: BucketName) async throws -> (bucket: Bucket, credential: Finding, urls: Finding?)? {
        let snapshot = try compiler.compile(configuration, generation: 1)
        guard let bucket = snapshot.bucket(name) else { return nil }
        guard let lease = bucket.lease else {
            let isSigned = bucket.kind == .file || bucket.backend.signsURLs
            return (
                bucket,
                Finding(
                    "credential",
                    isSigned ? .ok : .note,
                    isSigned ? "of the configuration" : "none: requests go out unsigned"
                ),
                nil
            )
        }
        switch await credentials.obtain(lease.source) {
        case .obtained(let snapshot):
            let bucket = snapshot.bucket(name) ?? bucket
            let end = bucket.lease?.term.map { ", until " + Timestamp.iso8601($0.expiresAt) } ?? ""
            let finding = Finding("credential", .ok, "obtained for \(lease.source.label)\(end)")
            return (bucket, finding, await urls(of: bucket))
        case .unavailable(let reason, _):
            return (bucket, Finding("credential", .failed, "could not be obtained: \(reason)"), nil)
        }
    }

    /// Whether URLs to the store can be signed, where that takes something else than the credential; nil where it does not.
    private func urls(of bucket: Bucket) async -> Finding? {
        let check = "signed URLs"
        let elsewhere = "they lead through Gatehouse"
        switch bucket.urls {
        case .asked(let signatory):
            switch await signatory.signature(of: Array("gatehouse doctor".utf8)) {
            case .made: return Finding(check, .ok, "are signed by the service account")
            case .unavailable(let reason): return Finding(check, .note, "\(elsewhere): \(reason)")
            }
        case .leased(let lease) where lease.source != bucket.lease?.source:
            switch await credentials.obtain(lease.source) {
            case .obtained: return Finding(check, .ok, "are signed with the \(lease.source.label)")
            case .unavailable(let reason, _): return Finding(check, .note, "\(elsewhere): \(reason)")
            }
        case .leased, .lasting: return nil
        }
    }
}
