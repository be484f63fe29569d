import AsyncHTTPClient
import Federation
import Logging
import NIOPosix
import Settings

/// Who is believed and asked: stores' credentials, identity providers, the application; and the configuration in force,
/// which rests on them.
struct Believed {
    let credentials: StoreCredentials
    let tokens: ProviderTokens
    let application: Application
    let compiler: SnapshotCompiler
    let current: CurrentSnapshot

    init(_ configuration: GatehouseConfiguration, _ files: InstanceFiles, logger: Logger) async throws {
        credentials = StoreCredentials(
            HTTPExchangeTransport(client: .ofProcess),
            surroundings: .ofProcess,
            logger: logger
        )
        compiler = SnapshotCompiler(
            stores: files.stores.places,
            urlKeys: try await .kept(in: files.state),
            sessionKeys: try await .kept(in: files.state),
            credentials: credentials
        )
        let snapshot = try compiler.compile(configuration, generation: 1)
        tokens = ProviderTokens(source: HTTPDocumentSource(client: .ofProcess), clock: Clock.now, logger: logger)
        tokens.adopt(snapshot)
        application = Application(client: .ofProcess)
        current = CurrentSnapshot(snapshot)
    }
}

extension HTTPClient {
    /// Asks identity providers, those that exchange credentials, and the application; lives as long as the process, however
    /// that ends.
    static let ofProcess = HTTPClient(
        eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
        configuration: HTTPDocumentSource.configuration
    )
}
