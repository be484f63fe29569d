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

/// A store that is to run.
private enum Arrival {
    /// The process was started with it.
    case first(EmbeddedStore)
    case added(AddedStore)
}

/// The stores of all `file` backends, one for each directory. What a reload adds is opened while the others serve; what no
/// configuration names any more stays open until the end, for a configuration that names it again.
final class EmbeddedStores: Service {
    private struct Opened {
        var places: EmbeddedPlaces = [:]
        var stores: [String: EmbeddedStore] = [:]
        var socketFolder: String?
        /// Names of sockets that were given away.
        var sockets = 0
    }

    private let opened = Mutex(Opened())
    /// Those that are to run.
    private let arrivals = AsyncStream.makeStream(of: Arrival.self)
    private let logger: Logger

    init(_ configuration: GatehouseConfiguration, logger: Logger) throws(StartFailure) {
        self.logger = logger
        for (path, buckets) in Self.buckets(of: configuration).sorted(by: { $0.key < $1.key }) {
            let place = try self.place()
            let store = try open(path, at: place, buckets, isKept: true)
            arrivals.continuation.yield(.first(store))
            keep(store, path, place)
        }
    }

    var places: EmbeddedPlaces { opened.withLock { $0.places } }

    func run() async throws {
        try await withThrowingDiscardingTaskGroup { tasks in
            for await arrival in arrivals.stream.cancelOnGracefulShutdown() {
                tasks.addTask { [self] in
                    switch arrival {
                    case .first(let store):
                        // One that fails ends all of them, as it does those that serve with it.
                        defer { arrivals.continuation.finish() }
                        try await store.run()
                    case .added(let added):
                        await run(added)
                    }
                }
            }
        }
    }

    /// One that fails is dropped: a reload can open its directory again.
    private func run(_ added: AddedStore) async {
        do {
            try await added.run()
        } catch {
            logger.error("a store in a folder has ended", metadata: ["folder": "\(added.path)", "error": "\(error)"])
        }
        opened.withLock { opened in
            guard opened.stores[added.path] === added.store else { return }
            opened.stores[added.path] = nil
            opened.places[added.path] = nil
        }
    }

    /// Where the stores will be reached that a configuration names: those that are open, and those that it adds. Opens
    /// nothing.
    func places(for configuration: GatehouseConfiguration) throws(StartFailure) -> EmbeddedPlaces {
        var places = self.places
        for path in Self.buckets(of: configuration).keys.sorted() where places[path] == nil {
            places[path] = try place()
        }
        return places
    }

    /// Opens what a new configuration adds: directories, and buckets in those that are open. Returns when they serve; where
    /// one cannot be opened, none stays open, and nothing is left of those that were made. Called once at a time.
    ///
    /// - Parameter places: the configuration's.
    func open(_ configuration: GatehouseConfiguration, at places: EmbeddedPlaces) async throws {
        var added: [AddedStore] = []
        do {
            let wanted = Self.buckets(of: configuration).sorted { $0.key < $1.key }
            var stores: [(EmbeddedStore, [String])] = []
            for (path, buckets) in wanted {
                if let known = opened.withLock({ $0.stores[path] }) {
                    stores.append((known, buckets))
                } else if let place = places[path] {
                    // Opening blocks for as long as repairs take.
                    let store = try await NIOThreadPool.singleton.runIfActive {
                        try self.open(path, at: place, [], isKept: false)
                    }
                    let one = AddedStore(path: path, store: store)
                    added.append(one)
                    arrivals.continuation.yield(.added(one))
                    stores.append((store, buckets))
                    try await store.untilServing()
                }
            }
            // Only when all are there: a refused configuration leaves no buckets behind.
            for (store, buckets) in stores { try await store.make(Self.names(buckets)) }
        } catch {
            for one in added { await one.withdraw() }
            throw error
        }
        for one in added {
            one.store.keep()
            if let place = places[one.path] { keep(one.store, one.path, place) }
        }
    }

    private func keep(_ store: EmbeddedStore, _ path: String, _ place: EmbeddedPlace) {
        opened.withLock {
            $0.places[path] = place
            $0.stores[path] = store
        }
    }

    /// A socket that nobody has yet, and a credential for it.
    private func place() throws(StartFailure) -> EmbeddedPlace {
        let folder = if let known = opened.withLock({ $0.socketFolder }) { known } else { try Self.privateFolder() }
        let number = opened.withLock { opened in
            opened.socketFolder = folder
            defer { opened.sockets += 1 }
            return opened.sockets
        }
        return EmbeddedPlace(
            endpoint: Endpoint(unixSocket: "\(folder)/\(number).sock"),
            region: "us-east-1",
            accessKeyID: "EMBEDDED" + Hex.encode(NewKey.random(6)),
            secretAccessKey: Secret(Base64URL.encode(NewKey.random(30)))
        )
    }

    private func open(
        _ path: String,
        at place: EmbeddedPlace,
        _ buckets: [String],
        isKept: Bool
    ) throws(StartFailure) -> EmbeddedStore {
        guard case .unix(let socket) = place.endpoint.address else {
            throw StartFailure("\(path): a store in a folder is reached through a Unix socket only")
        }
        var settings = EmbeddedStore.Configuration(
            directory: path,
            socketPath: socket,
            accessKeyID: place.accessKeyID,
            secretAccessKey: place.secretAccessKey,
            region: place.region,
            buckets: Self.names(buckets)
        )
        settings.isKept = isKept
        do {
            return try EmbeddedStore(settings, now: Clock.now, logger: logger)
        } catch {
            throw StartFailure("\(error)")
        }
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
