import AsyncHTTPClient
import Backends
import ControlPlane
import Federation
import Identity
import Logging
import NIOPosix
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
    private let http: HTTPClient

    /// - Throws: `ExitCode` after the problems of the configuration were printed.
    init(configuration: GatehouseConfiguration) throws {
        self.configuration = configuration
        http = HTTPClient(
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            configuration: HTTPDocumentSource.configuration
        )
        documents = HTTPDocumentSource(client: http)
        client = StoreClient()
        credentials = StoreCredentials(
            HTTPExchangeTransport(client: http),
            surroundings: .ofProcess,
            logger: Logger(label: "gatehouse", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        compiler = SnapshotCompiler(stores: .unopened(configuration), credentials: credentials)
        let cold = try compiler.compile(configuration, generation: 1)
        credentials.publish { [compiler] in
            (try? compiler.compile(configuration, generation: 1)) ?? cold
        }
        credentials.adopt(cold)
    }

    /// The bucket with a credential that can be used, and what there is to say of it.
    func bucket(_ name: BucketName) async throws -> (bucket: Bucket?, credential: Finding) {
        let snapshot = try compiler.compile(configuration, generation: 1)
        guard let bucket = snapshot.bucket(name) else {
            return (nil, Finding("credential", .failed, "there is no such bucket"))
        }
        guard let lease = bucket.lease else {
            let isSigned = bucket.kind == .file || bucket.backend.signsURLs
            return (
                bucket,
                Finding(
                    "credential",
                    isSigned ? .ok : .note,
                    isSigned ? "of the configuration" : "none: requests go out unsigned"
                )
            )
        }
        switch await credentials.obtain(lease.source) {
        case .obtained(let snapshot):
            let bucket = snapshot.bucket(name)
            let end = bucket?.lease?.term.map { ", until " + Timestamp.iso8601($0.expiresAt) } ?? ""
            return (bucket, Finding("credential", .ok, "obtained for \(lease.source.label)\(end)"))
        case .unavailable(let reason, _):
            return (bucket, Finding("credential", .failed, "could not be obtained: \(reason)"))
        }
    }

    func close() async {
        await client.close()
        try? await http.shutdown()
    }
}
