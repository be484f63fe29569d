import Backends
import EmbeddedStore
import Foundation
import Logging
import NIOPosix
import S3API
import ServiceLifecycle
import Settings
import Synchronization
import WireFormats

/// Where embedded stores are reached, by the path in the configuration.
typealias EmbeddedPlaces = [String: EmbeddedPlace]

extension EmbeddedPlaces {
    /// Places of stores that are not running, for what is reckoned offline.
    static func unopened(_ configuration: GatehouseConfiguration) -> EmbeddedPlaces {
        let place = EmbeddedPlace(
            endpoint: Endpoint(unixSocket: "unopened"),
            region: "us-east-1",
            accessKeyID: "",
            secretAccessKey: Secret("")
        )
        return EmbeddedStores.buckets(of: configuration).mapValues { _ in place }
    }
}

/// How one embedded store is reached: a private Unix socket and a credential that lives as long as the process.
struct EmbeddedPlace: Sendable {
    let endpoint: Endpoint
    let region: String
    let accessKeyID: String
    let secretAccessKey: Secret<String>
}

/// The stores of all `file` backends, one for each directory. What a reload adds is opened while the others serve; what no
/// configuration names any more stays open until the end, for a configuration that names it again.
final class EmbeddedStores: Service {
    private struct Opened {
        var places: EmbeddedPlaces = [:]
        var stores: [String: EmbeddedStore] = [:]
        var socketFolder: String?
    }

    private let opened = Mutex(Opened())
    /// Those that are to run.
    private let arrivals = AsyncStream.makeStream(of: EmbeddedStore.self)
    private let logger: Logger

    init(_ configuration: GatehouseConfiguration, logger: Logger) throws(StartFailure) {
        self.logger = logger
        for (path, buckets) in Self.buckets(of: configuration).sorted(by: { $0.key < $1.key }) {
            _ = try open(path, buckets)
        }
    }

    var places: EmbeddedPlaces { opened.withLock { $0.places } }

    func run() async throws {
        try await withThrowingDiscardingTaskGroup { tasks in
            for await store in arrivals.stream.cancelOnGracefulShutdown() {
                tasks.addTask { [arrivals] in
                    // One that fails ends all of them, as it does those that serve with it.
                    defer { arrivals.continuation.finish() }
                    try await store.run()
                }
            }
        }
    }

    /// Opens what a new configuration adds: directories, and buckets in those that are open. Returns when they serve. Called
    /// once at a time.
    func open(_ configuration: GatehouseConfiguration) async throws {
        for (path, buckets) in Self.buckets(of: configuration).sorted(by: { $0.key < $1.key }) {
            let store: EmbeddedStore
            if let known = opened.withLock({ $0.stores[path] }) {
                store = known
            } else {
                // Opening blocks for as long as repairs take.
                store = try await NIOThreadPool.singleton.runIfActive { try self.open(path, []) }
                await store.untilServing()
            }
            try await store.make(Self.names(buckets))
        }
    }

    private func open(_ path: String, _ buckets: [String]) throws(StartFailure) -> EmbeddedStore {
        let (known, number) = opened.withLock { ($0.socketFolder, $0.stores.count) }
        let folder = if let known { known } else { try Self.privateFolder() }
        let socket = "\(folder)/\(number).sock"
        let place = EmbeddedPlace(
            endpoint: Endpoint(unixSocket: socket),
            region: "us-east-1",
            accessKeyID: "EMBEDDED" + Hex.encode(NewKey.random(6)),
            secretAccessKey: Secret(Base64URL.encode(NewKey.random(30)))
        )
        let settings = EmbeddedStore.Configuration(
            directory: path,
            socketPath: socket,
            accessKeyID: place.accessKeyID,
            secretAccessKey: place.secretAccessKey,
            region: place.region,
            buckets: Self.names(buckets)
        )
        opened.withLock { $0.socketFolder = folder }
        let store: EmbeddedStore
        do {
            store = try EmbeddedStore(settings, now: Clock.now, logger: logger)
        } catch {
            throw StartFailure("\(error)")
        }
        opened.withLock {
            $0.places[path] = place
            $0.stores[path] = store
        }
        arrivals.continuation.yield(store)
        return store
    }

    private static func names(_ buckets: [String]) -> [BucketName] {
        buckets.compactMap { BucketName(validating: $0) }
    }

    func removeSockets() {
        if let folder = opened.withLock({ $0.socketFolder }) { try? FileManager.default.removeItem(atPath: folder) }
    }

    /// The directories in use, with the buckets that are to exist in each.
    static func buckets(of configuration: GatehouseConfiguration) -> [String: [String]] {
        var buckets: [String: [String]] = [:]
        for bucket in configuration.buckets {
            if case .file(let path) = bucket.backend { buckets[path, default: []].append(bucket.backendBucket) }
        }
        for account in configuration.accounts {
            if case .file(let path) = account.backend { buckets[path, default: []] += [] }
        }
        return buckets
    }

    /// A folder that only this user can enter, short enough for the names of sockets.
    private static func privateFolder() throws(StartFailure) -> String {
        var template = Array("/tmp/gatehouse-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw StartFailure("can't make a private folder in /tmp: \(String(cString: strerror(errno)))")
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
