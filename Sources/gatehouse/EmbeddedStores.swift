import Backends
import EmbeddedStore
import Foundation
import Logging
import S3API
import ServiceLifecycle
import Settings
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

/// The stores of all `file` backends, one for each directory.
struct EmbeddedStores: Sendable {
    let places: EmbeddedPlaces
    private let stores: [EmbeddedStore]
    private let socketFolder: String?

    init(_ configuration: GatehouseConfiguration, logger: Logger) throws(StartFailure) {
        let directories = Self.buckets(of: configuration)
        guard !directories.isEmpty else {
            (places, stores, socketFolder) = ([:], [], nil)
            return
        }
        let folder = try Self.privateFolder()
        var places: EmbeddedPlaces = [:]
        var stores: [EmbeddedStore] = []
        for (number, (path, buckets)) in directories.sorted(by: { $0.key < $1.key }).enumerated() {
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
                buckets: buckets.compactMap { BucketName(validating: $0) }
            )
            do {
                stores.append(try EmbeddedStore(settings, now: Clock.now, logger: logger))
            } catch {
                throw StartFailure("\(error)")
            }
            places[path] = place
        }
        (self.places, self.stores, socketFolder) = (places, stores, folder)
    }

    var services: [any Service] { stores }

    func removeSockets() {
        if let socketFolder { try? FileManager.default.removeItem(atPath: socketFolder) }
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
